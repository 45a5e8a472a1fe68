import type { LedgerView, LicenseRecord } from '../ledger/record/ledger.ts';
import type { Lineage } from '../ledger/record/lineage.ts';

const PAGE = 256;

/** The newest license of each lineage of a customer that has one. */
export function customerLicenses(ledger: LedgerView, customer: string): readonly LicenseRecord[] {
  const found: LicenseRecord[] = [];
  let after: Lineage | undefined;
  for (;;) {
    const page = ledger.lineages({ sub: customer, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { lineage, issued } of page) {
      const last = issued === 0 ? undefined : ledger.lastOfLineage(lineage)?.lastIssued;
      if (last !== undefined) found.push(last);
    }
    after = page.at(-1)?.lineage;
    if (page.length < PAGE || after === undefined) return Object.freeze(found);
  }
}
