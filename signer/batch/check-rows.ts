/** Before the first signature of a batch: which rows are done, and do the counters of the others still stand? */
import { equalBytes, fromHex } from '../../formats/bytes.ts';
import { type LedgerView, type LicenseRecord, type Lineage, lineageOf, lineageText } from '../ledger/index.ts';
import type { BatchPlan } from './plan-reader.ts';
import type { PlanRow, SignRow } from './plan-row.ts';
import { isDone, recordOfRow } from './row-status.ts';

export interface RowsChecked {
  readonly rows: number;
  readonly done: number;
  /** Rows to sign, as the plan says. */
  readonly open: number;
  /** Rows whose counter is void or was used by another license: they need a new plan. */
  readonly stale: number;
  /** The first of those, in words. */
  readonly firstStale?: string;
  /** A counter was reserved by this very plan: it was reviewed, whatever a file beside the ledger says. */
  readonly begun: boolean;
}

type RowStanding = 'done' | 'open' | 'stale';

/** @param record what became of the row, as `recordOfRow` finds it */
function standingBy(
  row: SignRow,
  lineage: Lineage,
  record: LicenseRecord | undefined,
  ledger: LedgerView,
): RowStanding {
  if (isDone(record)) return 'done';
  return row.item.license.ctr === ledger.nextCounter(lineage) ? 'open' : 'stale';
}

export function standingOf(row: PlanRow, batch: string, ledger: LedgerView): RowStanding {
  if (row.kind === 'done') return 'done';
  const lineage = lineageOf(row.item.license);
  return standingBy(row, lineage, recordOfRow(ledger, lineage, batch, row.row), ledger);
}

/** @param judge called with each row that would be signed */
export function checkRows(
  plan: BatchPlan,
  ledger: LedgerView,
  judge: (row: SignRow) => void = () => undefined,
): RowsChecked {
  const planDigest = fromHex(plan.digest) ?? new Uint8Array(0);
  let [rows, done, open, stale] = [0, 0, 0, 0];
  let firstStale: string | undefined;
  let begun = false;
  for (const row of plan.rows()) {
    rows++;
    let standing: RowStanding = 'done';
    if (row.kind === 'sign') {
      const lineage = lineageOf(row.item.license);
      const record = recordOfRow(ledger, lineage, plan.head.name, row.row);
      begun ||= record !== undefined && equalBytes(record.intent.body.planDigest, planDigest);
      standing = standingBy(row, lineage, record, ledger);
      if (standing !== 'done') judge(row);
    }
    if (standing === 'done') done++;
    else if (standing === 'open') open++;
    else {
      stale++;
      if (row.kind === 'sign')
        firstStale ??= `line ${row.line} plans counter ${row.item.license.ctr} of ${lineageText(lineageOf(row.item.license))}, which is void or used by now`;
    }
  }
  return Object.freeze({ rows, done, open, stale, begun, ...(firstStale === undefined ? {} : { firstStale }) });
}
