/** What a row's license is compared with, and how it is counted by that. */
import type { License } from '../../formats/license/license.ts';
import {
  type LedgerView,
  type Lineage,
  type LineageState,
  newestOfCustomer,
  newestOfLineage,
} from '../ledger/index.ts';
import { findAnomalies, comparedWith } from '../plan/anomalies.ts';
import { ed25519End } from '../plan/keyset-rule.ts';
import { lastLicense, type LastLicense, type LicenseSource } from '../plan/last-license.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import { type BatchSummary, count } from '../summary/batch-summary.ts';

export interface RowBase {
  /** The last license of the lineage, else the customer's newest; undefined for a new customer. */
  readonly last: LastLicense | undefined;
  /** No license of the lineage was issued yet. */
  readonly newLineage: boolean;
}

/**
 * @param state of the lineage, as the ledger has it
 * @param begun the batch that continues: a license that it signed for another lineage of the customer does not make the
 *   customer a known one
 */
export function baseOfRow(
  source: LicenseSource,
  lineage: Lineage,
  state: LineageState | undefined,
  begun?: string,
): RowBase {
  const own = newestOfLineage(source.ledger, lineage, state);
  if (own !== undefined) return { last: lastLicense(own, source), newLineage: false };
  let newest: LastLicense | undefined;
  for (const license of newestOfCustomer(source.ledger, lineage.sub, begun)) {
    const other = lastLicense(license, source);
    if (newest === undefined || other.license.iat > newest.license.iat) newest = other;
  }
  return { last: newest, newLineage: true };
}

export interface RowToSign {
  readonly line: number;
  /** Parsed back from the bytes that will be signed. */
  readonly license: License;
  readonly base: RowBase;
  /** It was reserved before, and that counter is void or used. */
  readonly again: boolean;
}

interface Counting {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
}

export function countRow(
  summary: BatchSummary,
  { line, license, base, again }: RowToSign,
  { site, catalog, ledger, key }: Counting,
): void {
  const anomalies = findAnomalies({
    license,
    catalog,
    algorithm: key.algorithm,
    ...comparedWith(base.last, site),
    ...ed25519End(ledger),
  });
  count(summary, {
    line,
    license,
    anomalies,
    newCustomer: base.last === undefined,
    newLineage: base.newLineage,
    again,
  });
}
