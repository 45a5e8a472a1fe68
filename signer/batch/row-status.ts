/** What became of a row of a batch, as the ledger says. */
import { equalBytes } from '../../formats/bytes.ts';
import type { LedgerView, LicenseRecord, Lineage, LineageState } from '../ledger/index.ts';

const PAGE = 64;

/**
 * The newest intent that names this row of this batch; undefined where there is none.
 *
 * A row is of one lineage, so its lineage's history is all that need be looked at.
 *
 * @param last the lineage's state, where the caller has it
 */
export function recordOfRow(
  ledger: LedgerView,
  lineage: Lineage,
  batch: string,
  row: Uint8Array,
  last: LineageState | undefined = ledger.lastOfLineage(lineage),
): LicenseRecord | undefined {
  if (last === undefined) return undefined;
  const isIt = ({ intent }: LicenseRecord): boolean =>
    intent.body.batch?.name === batch && equalBytes(intent.body.batch.row, row);
  if (isIt(last.last)) return last.last;
  for (let below = last.ctr; below > 1;) {
    const page = ledger.historyOf(lineage, { below, limit: PAGE });
    const found = page.find(isIt);
    if (found !== undefined) return found;
    const oldest = page.at(-1)?.intent.body.ctr;
    if (oldest === undefined) return undefined;
    below = oldest;
  }
  return undefined;
}

/** True where the row has its license, also while its file is still to be written. */
export function isDone(record: LicenseRecord | undefined): boolean {
  return record?.state === 'issued' || record?.state === 'released';
}
