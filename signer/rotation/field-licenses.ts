/** The licenses that customers have, from the ledger. */
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { sha256Hex } from '../../files/index.ts';
import { lineageInKeyset } from '../keyset/signer-rules.ts';
import { type CounterOf, type LedgerView, type Lineage, newestOfLineage } from '../ledger/index.ts';

/** A license that a customer has, or will get. */
export interface FieldLicense {
  readonly license: License;
  readonly kid: string;
  /** SHA-256 of the payload, 64 hex digits; of a license that is not signed yet, `futureDigest`. */
  readonly payloadDigest: string;
  /** Seconds since 1970: when the customer has it. A keyset travels with it. */
  readonly delivered: number;
}

const PAGE = 500;
/** Of one lineage: a renewal that was issued early, the license before it, and a few that were corrected. */
const LATEST = 8;

/**
 * The licenses of each lineage that are not over, ascending by counter. Lineages whose licenses are all over are left
 * out.
 *
 * @param now seconds since 1970
 */
export function* fieldLicenses(ledger: LedgerView, now: number): Generator<readonly FieldLicense[]> {
  for (let after: Lineage | undefined; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      const licenses = fieldLicensesOf(ledger, lineage, now);
      if (licenses.length > 0) yield licenses;
    }
    after = page.at(-1);
    if (page.length < PAGE || after === undefined) return;
  }
}

/** Of one lineage, ascending by counter. */
export function fieldLicensesOf(ledger: LedgerView, lineage: Lineage, now: number): readonly FieldLicense[] {
  const newest = newestOfLineage(ledger, lineage);
  const issued = latestIssued(ledger, lineage);
  const all = new Map([...issued, ...(newest === undefined ? [] : [newest])].map((each) => [each.ctr, each]));
  return [...all.values()]
    .toSorted((a, b) => a.ctr - b.ctr)
    .map(fieldLicense)
    .filter(({ license }) => license.exp > now);
}

/** The highest counters that have a license; a void counter has none, and does not count. */
function latestIssued(ledger: LedgerView, lineage: Lineage): readonly CounterOf[] {
  const found: CounterOf[] = [];
  for (let below: number | undefined; found.length < LATEST;) {
    const page = ledger.historyOf(lineage, { limit: LATEST, ...(below === undefined ? {} : { below }) });
    found.push(...page.flatMap(({ issue, intent }) => (issue === undefined ? [] : [intent.body])));
    below = page.at(-1)?.intent.body.ctr;
    if (page.length < LATEST) break;
  }
  return found;
}

function fieldLicense({ payload, kid }: CounterOf): FieldLicense {
  const license: License = decodeLicense(payload);
  return Object.freeze({ license, kid, payloadDigest: sha256Hex(payload), delivered: license.iat });
}

/** The licenses that customers are owed: those that the newest keyset does not withdraw. */
export function* owedLicenses(
  ledger: LedgerView,
  keyset: Keyset | undefined,
  now: number,
): Generator<readonly FieldLicense[]> {
  const isWithdrawn = keyset === undefined ? () => false : withdrawsLicense(keyset);
  for (const licenses of fieldLicenses(ledger, now)) {
    const owed = licenses.filter(({ license }) => !isWithdrawn(license));
    if (owed.length > 0) yield owed;
  }
}

/**
 * Whether a keyset takes a license out of force on purpose: by its id, or by a higher counter of its lineage. The
 * vendor then owes its customer no license.
 */
export function withdrawsLicense({ iss, revokedLicenses, lowestCounters }: Keyset): (license: License) => boolean {
  const revoked = new Set(revokedLicenses);
  return (license) =>
    revoked.has(license.cti) || license.ctr < (lowestCounters.get(lineageInKeyset(iss, license)) ?? 0);
}
