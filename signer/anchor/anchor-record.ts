/** An anchor's bytes: the same in a file and in a token. */
import { equalBytes } from '../../formats/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor, isCborArray, isCborBytes } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchorRecord } from './anchor.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';

const DOMAIN = 'vtlic-ledger-anchor/1';
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;

/** No record is longer. */
export const MAX_ANCHOR_BYTES = 1024;

/**
 * CBOR `[domain, ledger id, entries, log id, size, root, reach, closes, chain, check]`. The check is the SHA-256 of the
 * CBOR array of the nine members before it: it distinguishes a damaged anchor from one that contradicts the ledger.
 */
export function encodeAnchorRecord(record: AnchorRecord): Uint8Array {
  const fields: readonly CborValue[] = [
    DOMAIN,
    record.ledgerId,
    record.entries,
    record.logId,
    record.size,
    record.root,
    record.reach,
    record.closes,
    record.chain,
  ];
  return encodeCbor([...fields, nodeProvider.sha256(encodeCbor(fields))]);
}

/** undefined for everything that is not a whole record. */
export function decodeAnchorRecord(bytes: Uint8Array): AnchorRecord | undefined {
  const value = decodeOrNothing(bytes);
  if (!isCborArray(value) || value.length !== 10) return undefined;
  const [domain, ledgerId, entries, logId, size, root, reach, closes, chain, check] = value;
  if (domain !== DOMAIN || !isBytes(check, DIGEST_BYTES)) return undefined;
  if (!equalBytes(check, nodeProvider.sha256(encodeCbor(value.slice(0, 9))))) return undefined;
  if (
    !isBytes(ledgerId, LEDGER_ID_BYTES) ||
    !isBytes(logId, LEDGER_ID_BYTES) ||
    !isBytes(root, DIGEST_BYTES) ||
    !isBytes(chain, DIGEST_BYTES)
  )
    return undefined;
  if (!isCount(entries) || !isCount(size) || !isCount(reach) || !isCount(closes)) return undefined;
  if (entries < 1 || size >= entries || reach < size || closes >= entries) return undefined;
  return Object.freeze({ ledgerId, entries, logId, size, root, reach, closes, chain });
}

function decodeOrNothing(bytes: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    if (error instanceof VtlicError) return undefined;
    throw error;
  }
}

function isBytes(value: CborValue | undefined, length: number): value is Uint8Array {
  return isCborBytes(value) && value.length === length;
}

function isCount(value: CborValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}
