/**
 * The rules for those who make keysets (docs/keysets.md, "What binds signers"), in addition to the rules by which a
 * product takes one. A draft is judged by them when it is made, before a root signs it, and before it is published.
 */
import { counted } from '../../formats/clean-text.ts';
import { toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { type LedgerView, type Lineage, sha256 } from '../ledger/index.ts';
import { kidOfKey, statusChanges } from './changes.ts';

const PAGE = 256;
/** A draft may skip this many numbers after the highest one that its site knows: a mistyped number skips more. */
export const MAX_SKIPPED = 1000;
/** Each draft that is given up uses a number, and another site may have given up drafts: it may skip more numbers. */
const MAX_SKIPPED_SINCE_PUBLISHED = 1_000_000;

/** @throws VtlicError `policy_refused` for the number of a draft that is too high at this site */
export function requireNearNumber(draft: Keyset, published: number, ledger: Pick<LedgerView, 'head'>): void {
  requireNear(draft, Math.max(published, ledger.head().keysetVersion ?? 0), MAX_SKIPPED);
}

function requireNear({ version }: Keyset, last: number, most: number): void {
  if (version - last <= most) return;
  throw refused(
    `version ${version} is too far from version ${last}: no version can follow the highest number there is`,
    `name a version up to ${last + most}`,
  );
}

/** @throws VtlicError `policy_refused`, or `key_invalid` for a key of mixed order */
export function requireSignerRules(before: Keyset | undefined, after: Keyset): void {
  requireNear(after, before?.version ?? 0, MAX_SKIPPED_SINCE_PUBLISHED);
  for (const { alg, publicBytes } of [...after.roots, ...after.keys])
    importPublicKey(alg, publicBytes, { forSite: true });
  for (const { kid, from, to } of statusChanges(before, after))
    if (from === 'revoked')
      throw refused(`the key ${kid} is revoked, and the draft makes it ${to}`, 'a revoked key stays revoked');
  for (const key of after.keys) {
    const kid = kidOfKey(key);
    const known = before?.keys.find((other) => kidOfKey(other) === kid);
    if (known?.status !== 'revoked' || key.honored === undefined) continue;
    const honoredBefore = new Set(known.honored);
    const added = key.honored.filter((digest) => !honoredBefore.has(digest));
    if (added.length > 0)
      throw refused(
        `the draft honors ${counted(added.length, 'more license', 'more licenses')} of the revoked key ${kid}`,
        'reissue those licenses with another key instead',
      );
  }
  const revoked = new Set(after.revokedLicenses);
  const missing = (before?.revokedLicenses ?? []).filter((id) => !revoked.has(id));
  if (missing[0] !== undefined)
    throw refused(`the draft no longer revokes the license ${missing[0]}`, 'a revoked license stays revoked');
  for (const [lineage, counter] of before?.lowestCounters ?? []) {
    const now = after.lowestCounters.get(lineage) ?? 0;
    if (now < counter)
      throw refused(
        `the draft lowers the lowest counter of ${lineage} from ${counter} to ${now}`,
        'a license that products refuse stays refused; do not publish the draft',
      );
  }
}

/**
 * Compares the lowest counters that are new in a draft with the released licenses.
 *
 * @param now seconds since 1970
 * @throws VtlicError `policy_refused` where an honest customer would have no license that counts
 */
export function requireLowestCounters(
  before: Keyset | undefined,
  after: Keyset,
  ledger: LedgerView,
  now: number,
): void {
  for (const [text, counter] of after.lowestCounters) {
    if (before?.lowestCounters.get(text) === counter) continue;
    const lineage = lineageFromText(text, ledger.genesis.iss);
    const highest = lineage === undefined ? 0 : highestBegun(ledger, lineage, now);
    if (counter > highest)
      throw refused(
        `products would refuse each license of ${text} with a counter below ${counter}, but ` +
          (highest === 0
            ? 'this ledger has no released license of it that has begun'
            : `its newest released license that has begun has the counter ${highest}`),
        'release the newer license first, and wait for its first day',
      );
  }
}

/**
 * Compares the payloads that a draft honors with what the ledger says that the key signed, and with what other ledgers
 * proved: a draft that honors another one makes a forged license count.
 *
 * @param elsewhere kid → the payload digests that another ledger has
 * @throws VtlicError `policy_refused`
 */
export function requireHonoredRecorded(
  before: Keyset | undefined,
  after: Keyset,
  ledger: LedgerView,
  elsewhere: ReadonlyMap<string, readonly string[]>,
): void {
  for (const { kid, key } of statusChanges(before, after)) {
    if (key.honored === undefined) continue;
    const recorded = new Set([...payloadDigests(ledger, kid), ...(elsewhere.get(kid) ?? [])]);
    const strange = key.honored.find((digest) => !recorded.has(digest));
    if (strange !== undefined)
      throw refused(
        `the draft honors the payload ${strange} of the revoked key ${kid}, which is not of a license in this ledger`,
        'do not publish it, and ask who made it; if the license is in the ledger of another site, give the same ' +
          'files as for the draft: --honor FILE --log-key KEY',
      );
  }
}

/** Of every license that a key signed, as the whole record says. */
function payloadDigests(ledger: LedgerView, kid: string): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const entry of ledger.entriesFrom(1)) {
    if (entry.kind === 'intent' && entry.body.kid === kid) digests.add(toHex(sha256(entry.body.payload)));
    if (entry.kind === 'adopt' && entry.body.act === 'license' && entry.body.license.kid === kid)
      digests.add(toHex(sha256(entry.body.license.payload)));
  }
  return digests;
}

/** The lineage that a keyset writes so; undefined for one of another issuer. */
export function lineageFromText(text: string, issuer: string): Lineage | undefined {
  const [iss, aud, sub, dep] = text.split('/');
  if (iss !== issuer || aud === undefined || sub === undefined) return undefined;
  return { aud, sub, ...(dep === undefined ? {} : { dep }) };
}

/** The highest counter of a license that was released and whose first day has come; 0 for none. */
function highestBegun(ledger: LedgerView, lineage: Lineage, now: number): number {
  const reentered = ledger.reenteredOf(lineage).flatMap(({ body }) => {
    if (body.act !== 'license') return [];
    const { ctr, nbf } = decodeLicense(body.license.payload);
    return nbf <= now ? [ctr] : [];
  });
  for (let below: number | undefined; ;) {
    const page = ledger.historyOf(lineage, { limit: PAGE, ...(below === undefined ? {} : { below }) });
    for (const { state, intent } of page) {
      if (state !== 'released') continue;
      if (decodeLicense(intent.body.payload).nbf <= now) return Math.max(intent.body.ctr, ...reentered);
    }
    below = page.at(-1)?.intent.body.ctr;
    if (page.length < PAGE) return Math.max(0, ...reentered);
  }
}

/** The text of a lineage as a keyset writes it. */
export function lineageInKeyset(issuer: string, { aud, sub, dep }: Lineage): string {
  return [issuer, aud, sub, ...(dep === undefined ? [] : [dep])].join('/');
}

function refused(message: string, hint: string): VtlicError {
  return new VtlicError('policy_refused', message, { hint });
}
