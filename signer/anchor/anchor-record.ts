/** An anchor's bytes: the same in a file and in a token. */
import { equalBytes } from '../../formats/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor, isCborArray, isCborBytes } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchorRecord } from './anchor.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';

/** Written by version 0.1.0, and still read. It has no nonce. */
const FIRST_DOMAIN = 'vtlic-ledger-anchor/1';
const DOMAIN = 'vtlic-ledger-anchor/2';
const MOVED_DOMAIN = 'vtlic-ledger-anchor-moved/2';
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;
export const NONCE_BYTES = 16;
/** Of a record without a version of the keyset. */
const MEMBERS = 11;

/** No record is longer. */
export const MAX_ANCHOR_BYTES = 1024;

/** What an anchor's file or object says. */
export interface AnchorContent {
  readonly record: AnchorRecord;
  /** The anchor is no longer here: the ledger whose head the record is has moved it to another place. */
  readonly moved: boolean;
}

/**
 * CBOR `[domain, ledger id, entries, log id, size, root, bound, closes, chain, nonce, check]`, with the highest version
 * of the keyset before the check where there is one. The check is the SHA-256 of the CBOR array of the members before
 * it: it distinguishes a damaged anchor from one that contradicts the ledger.
 *
 * @param nonce 16 random bytes: no two changes of an anchor write the same bytes
 */
export function encodeAnchorRecord({ record, moved }: AnchorContent, nonce: Uint8Array): Uint8Array {
  const fields: readonly CborValue[] = [
    moved ? MOVED_DOMAIN : DOMAIN,
    record.ledgerId,
    record.entries,
    record.logId,
    record.size,
    record.root,
    record.counterBound,
    record.closes,
    record.chain,
    nonce,
    ...(record.keysetVersion === undefined ? [] : [record.keysetVersion]),
  ];
  return encodeCbor([...fields, digestOf(encodeCbor(fields))]);
}

/** undefined for everything that is not a whole record. */
export function decodeAnchorRecord(bytes: Uint8Array): AnchorContent | undefined {
  const value = decodeOrNothing(bytes);
  if (!isCborArray(value)) return undefined;
  const [domain, ledgerId, entries, logId, size, root, counterBound, closes, chain, nonce, version] = value;
  const hasVersion = domain !== FIRST_DOMAIN && value.length === MEMBERS + 1;
  const members = domain === FIRST_DOMAIN ? MEMBERS - 1 : hasVersion ? MEMBERS + 1 : MEMBERS;
  if (domain !== FIRST_DOMAIN && domain !== DOMAIN && domain !== MOVED_DOMAIN) return undefined;
  const check = value.at(-1);
  if (value.length !== members || !isBytes(check, DIGEST_BYTES)) return undefined;
  if (domain !== FIRST_DOMAIN && !isBytes(nonce, NONCE_BYTES)) return undefined;
  if (!equalBytes(check, digestOf(encodeCbor(value.slice(0, -1))))) return undefined;
  if (
    !isBytes(ledgerId, LEDGER_ID_BYTES) ||
    !isBytes(logId, LEDGER_ID_BYTES) ||
    !isBytes(root, DIGEST_BYTES) ||
    !isBytes(chain, DIGEST_BYTES)
  )
    return undefined;
  if (!isCount(entries) || !isCount(size) || !isCount(counterBound) || !isCount(closes)) return undefined;
  if (entries < 1 || size >= entries || counterBound < size || closes >= entries) return undefined;
  if (hasVersion && (!isCount(version) || version < 1)) return undefined;
  const keysetVersion = hasVersion && typeof version === 'number' ? { keysetVersion: version } : {};
  const record = Object.freeze({ ledgerId, entries, logId, size, root, counterBound, closes, chain, ...keysetVersion });
  return Object.freeze({ record, moved: domain === MOVED_DOMAIN });
}

export function digestOf(bytes: Uint8Array): Uint8Array {
  return nodeProvider.sha256(bytes);
}

export function decodeOrNothing(bytes: Uint8Array): CborValue | undefined {
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

/** True if both lists contain the same records, in any order. */
export function sameRecords(a: readonly AnchorRecord[], b: readonly AnchorRecord[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameRecord(one, other)));
}

function sameRecord(a: AnchorRecord, b: AnchorRecord): boolean {
  return a.entries === b.entries && equalBytes(a.chain, b.chain) && equalBytes(a.ledgerId, b.ledgerId);
}
