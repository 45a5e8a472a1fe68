/** What a row's license is compared with. */
import { newestOfCustomer, newestOfLineage } from '../ledger/newest-license.ts';
import type { LedgerView, LineageState } from '../ledger/record/ledger.ts';
import type { Lineage } from '../ledger/record/lineage.ts';
import { lastLicense, type LastLicense } from '../plan/last-license.ts';

export interface RowBase {
  /** The last license of the lineage, else the customer's newest; undefined for a new customer. */
  readonly last: LastLicense | undefined;
  /** No license of the lineage was issued yet. */
  readonly newLineage: boolean;
}

/**
 * @param state of the lineage, as the ledger has it
 * @param begun the batch that goes on: what it signed of the customer's other lineages makes nobody a known customer
 */
export function baseOfRow(ledger: LedgerView, lineage: Lineage, state: LineageState | undefined, begun?: string): RowBase {
  const own = newestOfLineage(ledger, lineage, state);
  if (own !== undefined) return { last: lastLicense(own), newLineage: false };
  let newest: LastLicense | undefined;
  for (const license of newestOfCustomer(ledger, lineage.sub, begun)) {
    const other = lastLicense(license);
    if (newest === undefined || other.license.iat > newest.license.iat) newest = other;
  }
  return { last: newest, newLineage: true };
}
