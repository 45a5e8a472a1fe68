/** An anchor record as version 0.1.0 wrote it: no nonce, and so the same bytes for the same head. */
import { createHash } from 'node:crypto';
import { encodeCbor } from '../../../../formats/cbor/index.ts';
import type { AnchorRecord } from '../../../../signer/anchor/anchor.ts';

export function encodeFirstRecord(record: AnchorRecord): Uint8Array {
  const { ledgerId, entries, logId, size, root, counterBound, closes, chain } = record;
  const fields = ['vtlic-ledger-anchor/1', ledgerId, entries, logId, size, root, counterBound, closes, chain];
  return encodeCbor([...fields, Uint8Array.from(createHash('sha256').update(encodeCbor(fields)).digest())]);
}
