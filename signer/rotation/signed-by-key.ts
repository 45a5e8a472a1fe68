/** What the ledger says that a key signed: the payloads that still count, and the licenses to reissue. */
import { counted } from '../../formats/clean-text.ts';
import { toHex } from '../../formats/bytes.ts';
import { isPerpetual } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { type Keyset, MAX_HONORED } from '../../formats/keyset/keyset.ts';
import { MAX_GRACE_SECONDS } from '../../formats/license/bounds.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { statusChanges } from '../keyset/changes.ts';
import { type LedgerView, lineageOf, lineageText, sha256 } from '../ledger/index.ts';
import { fieldLicensesOf, withdrawsLicense } from './field-licenses.ts';

export interface SignedByKey {
  /** SHA-256 of every payload that may still be in force somewhere, sorted. */
  readonly digests: readonly string[];
  /** Digest → seconds since 1970: when the ledger recorded the license. */
  readonly recorded: ReadonlyMap<string, number>;
  /** Those licenses. */
  readonly licenses: readonly License[];
}

/**
 * Reads the whole record. A license counts as long as its grace may last: where it says none, a product may give one.
 *
 * @param now seconds since 1970
 */
export function signedByKey(ledger: LedgerView, kid: string, now: number): SignedByKey {
  const intents = new Map<number, Uint8Array>();
  const payloads = new Map<string, License>();
  const recorded = new Map<string, number>();
  const add = (payload: Uint8Array, at: number): void => {
    const license = decodeLicense(payload);
    const end = license.exp + (license.grace ?? MAX_GRACE_SECONDS);
    if (!isPerpetual(license.exp) && end <= now) return;
    const digest = toHex(sha256(payload));
    payloads.set(digest, license);
    recorded.set(digest, at);
  };
  for (const entry of ledger.entriesFrom(1)) {
    if (entry.kind === 'intent' && entry.body.kid === kid) intents.set(entry.seq, entry.body.payload);
    else if (entry.kind === 'adopt' && entry.body.act === 'license' && entry.body.license.kid === kid)
      add(entry.body.license.payload, entry.at);
    else if (entry.kind === 'issue') {
      const payload = intents.get(entry.body.intent);
      if (payload !== undefined) add(payload, entry.at);
    }
  }
  return { digests: [...payloads.keys()].sort(), recorded, licenses: [...payloads.values()] };
}

/**
 * The licenses to sign again with another key: of each lineage the one that is in force, and those that follow it,
 * where this key signed them and the vendor did not withdraw them. Ascending by counter within a lineage.
 *
 * @param keyset the newest version; undefined where there is none
 */
export function toReissue(
  ledger: LedgerView,
  kid: string,
  { licenses }: Pick<SignedByKey, 'licenses'>,
  { keyset, now }: { readonly keyset: Keyset | undefined; readonly now: number },
): readonly License[] {
  const isWithdrawn = keyset === undefined ? () => false : withdrawsLicense(keyset);
  const lineages = new Map(licenses.map((license) => [lineageText(lineageOf(license)), lineageOf(license)]));
  return [...lineages.values()].flatMap((lineage) => {
    const counting = fieldLicensesOf(ledger, lineage, now).filter(({ license }) => !isWithdrawn(license));
    return counting
      .filter((each) => each.kid === kid && !counting.some((other) => replaces(other.license, each.license, now)))
      .map(({ license }) => license);
  });
}

/** Whether a newer license is in force as soon as the other one would be. */
function replaces(newer: License, { ctr, nbf }: License, now: number): boolean {
  const begin = Math.max(nbf, now);
  return newer.ctr > ctr && newer.nbf <= begin && begin < newer.exp;
}

/**
 * Why this ledger may lack licenses that a key signed: other ledgers have those whose counters were taken over, and a
 * restore may have lost some. A revocation would refuse them, since it honors only what this ledger has. One sentence
 * each; none where the record is whole.
 */
export function gapsOf(ledger: LedgerView): readonly string[] {
  const own = toHex(ledger.genesis.ledgerId);
  const gaps = ledger.adminEntries().flatMap(({ kind, body }): string[] => {
    if (kind !== 'adopt') return [];
    if (body.act === 'import' && toHex(body.ledgerId) !== own)
      return [
        `the counters of ${body.sub ?? 'all customers'} were taken over from the ledger ${toHex(body.ledgerId)}, ` +
          'which has the licenses from before',
      ];
    return body.act === 'log' ? ['this ledger was restored, and may have lost licenses then'] : [];
  });
  return [...new Set(gaps)];
}

/** @throws VtlicError `policy_refused` where a keyset cannot have so many */
export function requireHonorable({ digests }: Pick<SignedByKey, 'digests'>): void {
  if (digests.length <= MAX_HONORED) return;
  throw new VtlicError(
    'policy_refused',
    `the key signed ${digests.length} licenses that may still be in force, but a keyset honors at most ${MAX_HONORED}`,
    {
      hint:
        'retire the key and reissue its licenses first (vtlic rotation stolen KEY); revoke it when enough of the old ' +
        'licenses have ended',
    },
  );
}

/**
 * Compares the keys that a draft revokes with what they signed until now: a license that was signed after the draft was
 * made is not honored, and its customer is honest.
 *
 * @param now seconds since 1970
 * @throws VtlicError `plan_stale` where a license of a key is missing among those that the draft honors
 */
export function requireHonoredUntilNow(
  before: Keyset | undefined,
  after: Keyset,
  ledger: LedgerView,
  now: number,
): void {
  for (const { kid, key, to } of statusChanges(before, after)) {
    if (to !== 'revoked') continue;
    const honored = new Set(key.honored);
    const missing = [...signedByKey(ledger, kid, now).recorded].filter(([digest]) => !honored.has(digest));
    const since = missing.filter(([, at]) => at >= after.made).length;
    // A draft that honors nothing may have been made with --honor-nothing.
    const count = honored.size === 0 ? since : missing.length;
    if (count === 0) continue;
    const licenses = counted(count, 'license', 'licenses');
    throw new VtlicError(
      'plan_stale',
      since === count
        ? `since the draft was made, the key ${kid} signed ${licenses} that the draft does not honor`
        : `the ledger has ${licenses} of the key ${kid} that may be in force and that the draft does not honor`,
      { hint: `draft it anew: vtlic rotation revoke ${kid} --version ${after.version + 1}` },
    );
  }
}
