/** Before the first signature of a batch: which rows are done, and do the counters of the others still stand? */
import type { LedgerView } from '../ledger/ledger.ts';
import { lineageText } from '../ledger/lineage.ts';
import { lineageOf } from '../issue/lineage-of.ts';
import type { BatchPlan } from './plan-reader.ts';
import type { PlanRow } from './plan-row.ts';
import { isDone, recordOfRow } from './row-state.ts';

export interface RowsChecked {
  readonly rows: number;
  readonly done: number;
  /** Rows to sign, as the plan says. */
  readonly open: number;
  /** Rows whose counter is void or was used by another license: they need a new plan. */
  readonly stale: number;
  /** The first of those, in words. */
  readonly firstStale?: string;
}

export type RowStanding = 'done' | 'open' | 'stale';

export function standingOf(row: PlanRow, batch: string, ledger: LedgerView): RowStanding {
  if (row.kind === 'done') return 'done';
  const lineage = lineageOf(row.item.license);
  const last = ledger.lastOfLineage(lineage);
  const record = recordOfRow(ledger, lineage, batch, row.row, last);
  if (isDone(record)) return 'done';
  return row.item.license.ctr === ledger.nextCounter(lineage) ? 'open' : 'stale';
}

export function checkRows(plan: BatchPlan, ledger: LedgerView): RowsChecked {
  let [rows, done, open, stale] = [0, 0, 0, 0];
  let firstStale: string | undefined;
  for (const row of plan.rows()) {
    rows++;
    const standing = standingOf(row, plan.head.name, ledger);
    if (standing === 'done') done++;
    else if (standing === 'open') open++;
    else {
      stale++;
      if (row.kind === 'sign') firstStale ??= `line ${row.line} plans counter ${row.item.license.ctr} of ${lineageText(lineageOf(row.item.license))}, which is void or used by now`;
    }
  }
  return Object.freeze({ rows, done, open, stale, ...(firstStale === undefined ? {} : { firstStale }) });
}
