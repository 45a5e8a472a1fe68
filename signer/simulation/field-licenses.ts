/** The licenses that customers have, from the ledger. */
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { sha256Hex } from '../../files/index.ts';
import { type CounterOf, type LedgerView, type Lineage, newestOfLineage } from '../ledger/index.ts';
import type { FieldLicense } from './future-licenses.ts';

const PAGE = 500;
/** Of one lineage: a renewal that came early, the license before it, and a few that were corrected. */
const LATEST = 8;

/**
 * The licenses of each lineage that are not over, ascending by counter. Lineages whose licenses are all over are left
 * out.
 *
 * @param now seconds since 1970
 */
export function fieldLicenses(ledger: LedgerView, now: number): readonly (readonly FieldLicense[])[] {
  const lineages: (readonly FieldLicense[])[] = [];
  for (let after: Lineage | undefined; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      const licenses = licensesOf(ledger, lineage).filter(({ license }) => license.exp > now);
      if (licenses.length > 0) lineages.push(licenses);
    }
    after = page.at(-1);
    if (page.length < PAGE || after === undefined) return lineages;
  }
}

function licensesOf(ledger: LedgerView, lineage: Lineage): readonly FieldLicense[] {
  const newest = newestOfLineage(ledger, lineage);
  const issued = ledger
    .historyOf(lineage, { limit: LATEST })
    .flatMap(({ issue, intent }): CounterOf[] => (issue === undefined ? [] : [intent.body]));
  const all = new Map([...issued, ...(newest === undefined ? [] : [newest])].map((each) => [each.ctr, each]));
  return [...all.values()].toSorted((a, b) => a.ctr - b.ctr).map(fieldLicense);
}

function fieldLicense({ payload, kid }: CounterOf): FieldLicense {
  const license: License = decodeLicense(payload);
  return Object.freeze({ license, kid, payloadDigest: sha256Hex(payload), delivered: license.iat });
}
