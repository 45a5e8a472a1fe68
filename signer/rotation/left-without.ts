/**
 * The customers whom a new version of the keyset leaves without a license: at some time one of theirs would be in force
 * under the version before, and none is under the new one. The judgment is the verifier's own (`verifier/policy.ts`).
 */
import { uuidToBytes } from '../../formats/license/id.ts';
import type { License } from '../../formats/license/license.ts';
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { judgePlanned, makeTrust, type Reason, type Trust, type TrustedKey } from '../../verifier/index.ts';
import { kidOfKey } from '../keyset/changes.ts';
import { lineageFromText } from '../keyset/signer-rules.ts';
import { type CounterOf, type LedgerView, type Lineage, lineageText, reenteredLicense } from '../ledger/index.ts';
import { type FieldLicense, fieldLicenses, fieldLicensesOf } from './field-licenses.ts';

export interface LeftWithout {
  /** The newest license that would no longer be in force. */
  readonly license: License;
  /** Of the key that signed it. */
  readonly kid: string;
  /** Why it would not. */
  readonly reason: Reason;
  /** Seconds since 1970: from when on. */
  readonly from: number;
}

/**
 * In the order of the customers.
 *
 * @param before undefined for a first version: products took every license so far
 * @param now seconds since 1970
 */
export function leftWithout(
  before: Keyset | undefined,
  after: Keyset,
  ledger: LedgerView,
  now: number,
): readonly LeftWithout[] {
  const trustBefore = before === undefined ? undefined : trustOfKeyset(before);
  const trustAfter = trustOfKeyset(after);
  const changes = [before?.ed25519Until, after.ed25519Until].filter((time) => time !== undefined);
  const found: LeftWithout[] = [];
  for (const licenses of concernedLineages(before, after, ledger, now)) {
    const times = [now, ...changes, ...licenses.flatMap(({ license: { nbf, exp } }) => [nbf, exp])];
    for (const at of [...new Set(times)].filter((time) => time >= now).toSorted((a, b) => a - b)) {
      const held = licenses.filter(({ license: { nbf, exp } }) => nbf <= at && at < exp);
      if (held.some((each) => judgePlanned(each, trustAfter, at) === undefined)) continue;
      const last = held.findLast(
        (each) => trustBefore === undefined || judgePlanned(each, trustBefore, at) === undefined,
      );
      const refused = last === undefined ? undefined : judgePlanned(last, trustAfter, at);
      if (last === undefined || refused === undefined) continue;
      found.push(Object.freeze({ license: last.license, kid: last.kid, reason: refused.reason, from: at }));
      break;
    }
  }
  return found;
}

/**
 * The lineages that a version may leave without a license. Reading every lineage of a large ledger takes long: where
 * only single licenses are revoked or superseded, only theirs are read.
 */
function* concernedLineages(
  before: Keyset | undefined,
  after: Keyset,
  ledger: LedgerView,
  now: number,
): Generator<readonly FieldLicense[]> {
  if (before === undefined || isPolicyStricter(before, after) || hasKeyWithLess(before, after)) {
    yield* fieldLicenses(ledger, now);
    return;
  }
  const earlier = new Set(before.revokedLicenses);
  const lineages = new Map<string, Lineage>();
  const add = (lineage: Lineage | undefined): void => {
    if (lineage !== undefined) lineages.set(lineageText(lineage), lineage);
  };
  for (const id of after.revokedLicenses) if (!earlier.has(id)) add(licenseOfId(ledger, id));
  for (const [text, counter] of after.lowestCounters)
    if (before.lowestCounters.get(text) !== counter) add(lineageFromText(text, ledger.genesis.iss));
  for (const lineage of lineages.values()) {
    const licenses = fieldLicensesOf(ledger, lineage, now);
    if (licenses.length > 0) yield licenses;
  }
}

/** Whether the policy of a version takes less than that of the version before. */
export function isPolicyStricter(before: Keyset | undefined, after: Keyset): boolean {
  if (before?.requireComposite === true) return false;
  if (after.requireComposite) return true;
  return (after.ed25519Until ?? Infinity) < (before?.ed25519Until ?? Infinity);
}

/** Whether less than before counts of what some key signed. What a revocation honors is compared with the ledger. */
function hasKeyWithLess(before: Keyset, after: Keyset): boolean {
  const earlier = new Map(before.keys.map((key) => [kidOfKey(key), key]));
  return after.keys.some((key) => {
    const was = earlier.get(kidOfKey(key));
    if (was === undefined || key.purpose !== 'license') return false;
    const isRevoked = key.status === 'revoked' && was.status !== 'revoked' && key.honored === undefined;
    return isRevoked || String(was.products) !== String(key.products) || String(was.tiers) !== String(key.tiers);
  });
}

/** The trust of an install that has this version. Roots are left out: a license by one is refused either way. */
function trustOfKeyset(keyset: Keyset): Trust {
  const { requireComposite, ed25519Until, revokedLicenses, lowestCounters } = keyset;
  return makeTrust({
    keys: keyset.keys.map(trustedKey),
    requireComposite,
    ...(ed25519Until === undefined ? {} : { ed25519Until }),
    revokedLicenses,
    lowestCounters,
  });
}

export function trustedKey({ alg, publicBytes, purpose, status, products, tiers, honored }: IssuingKey): TrustedKey {
  return {
    key: importPublicKey(alg, publicBytes),
    purpose,
    status,
    ...(products === undefined ? {} : { products }),
    ...(tiers === undefined ? {} : { tiers }),
    ...(honored === undefined ? {} : { honored }),
  };
}

/** The license with this id, issued here or entered again by a restore. */
export function licenseOfId(ledger: LedgerView, id: string): CounterOf | undefined {
  const bytes = uuidToBytes(id);
  if (bytes === undefined) return undefined;
  const again = ledger.findReentered(bytes);
  const record = ledger.findByLicenseId(bytes);
  return (
    (again === undefined ? undefined : reenteredLicense(again)) ??
    (record?.issue === undefined ? undefined : record.intent.body)
  );
}
