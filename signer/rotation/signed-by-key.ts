/** What the ledger says that a key signed: the payloads that still count, and the licenses to reissue. */
import { toHex } from '../../formats/bytes.ts';
import { isPerpetual } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_HONORED } from '../../formats/keyset/keyset.ts';
import { MAX_GRACE_SECONDS } from '../../formats/license/bounds.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { type LedgerView, lineageOf, newestOfLineage, sha256 } from '../ledger/index.ts';

export interface SignedByKey {
  /** SHA-256 of every payload that may still be in force somewhere, sorted. */
  readonly digests: readonly string[];
  /** The newest license of each lineage, where this key signed it and it may still be in force. */
  readonly newest: readonly License[];
}

/**
 * Reads the whole record. A license counts as long as its grace may last: where it says none, a product may give one.
 *
 * @param now seconds since 1970
 */
export function signedByKey(ledger: LedgerView, kid: string, now: number): SignedByKey {
  const intents = new Map<number, Uint8Array>();
  const payloads = new Map<string, License>();
  const add = (payload: Uint8Array): void => {
    const license = decodeLicense(payload);
    const end = license.exp + (license.grace ?? MAX_GRACE_SECONDS);
    if (isPerpetual(license.exp) || end > now) payloads.set(toHex(sha256(payload)), license);
  };
  for (const entry of ledger.entriesFrom(1)) {
    if (entry.kind === 'intent' && entry.body.kid === kid) intents.set(entry.seq, entry.body.payload);
    else if (entry.kind === 'adopt' && entry.body.act === 'license' && entry.body.license.kid === kid)
      add(entry.body.license.payload);
    else if (entry.kind === 'issue') {
      const payload = intents.get(entry.body.intent);
      if (payload !== undefined) add(payload);
    }
  }
  const newest: License[] = [];
  for (const license of payloads.values()) {
    const last = newestOfLineage(ledger, lineageOf(license));
    if (last?.ctr === license.ctr && last.kid === kid) newest.push(license);
  }
  return { digests: [...payloads.keys()].sort(), newest };
}

/** @throws VtlicError `policy_refused` where a keyset cannot have so many */
export function requireHonorable({ digests }: SignedByKey): void {
  if (digests.length <= MAX_HONORED) return;
  throw new VtlicError(
    'policy_refused',
    `the key signed ${digests.length} licenses that may still be in force, and a keyset honors at most ${MAX_HONORED}`,
    { hint: 'retire the key and reissue them first; those that ended need not be honored: vtlic rotation stolen KEY' },
  );
}
