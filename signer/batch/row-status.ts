/** What happened to the rows of a batch, as the ledger says. */
import { equalBytes, fromHex } from '../../formats/bytes.ts';
import {
  type LedgerView,
  type LicenseRecord,
  type Lineage,
  type LineageState,
  lineageOf,
  lineageText,
} from '../ledger/index.ts';
import type { BatchPlan } from './plan-file.ts';
import type { PlanRow, SignRow } from './plan-row.ts';

const PAGE = 64;

/**
 * The newest intent that names this row of this batch; undefined where there is none.
 *
 * A row is of one lineage, so only the history of its lineage needs to be read.
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
  const isThisRow = ({ intent }: LicenseRecord): boolean =>
    intent.body.batch?.name === batch && equalBytes(intent.body.batch.row, row);
  if (isThisRow(last.last)) return last.last;
  for (let below = last.ctr; below > 1;) {
    const page = ledger.historyOf(lineage, { below, limit: PAGE });
    const found = page.find(isThisRow);
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

/** What the ledger says of all rows, before the first signature: which are done, and whose counters are still free. */
export interface RowsChecked {
  readonly rows: number;
  readonly done: number;
  /** Rows to sign, as the plan says. */
  readonly open: number;
  /** Rows whose counter is void or was used by another license: they need a new plan. */
  readonly stale: number;
  /** The first of those, in words. */
  readonly firstStale?: string;
  /** True if this very plan reserved a counter: it was reviewed then, whatever a file beside the ledger says. */
  readonly begun: boolean;
}

type RowStatus = 'done' | 'open' | 'stale';

/** @param record what happened to the row, as `recordOfRow` finds it */
function statusBy(row: SignRow, lineage: Lineage, record: LicenseRecord | undefined, ledger: LedgerView): RowStatus {
  if (isDone(record)) return 'done';
  return row.item.license.ctr === ledger.nextCounter(lineage) ? 'open' : 'stale';
}

export function statusOf(row: PlanRow, batch: string, ledger: LedgerView): RowStatus {
  if (row.kind === 'done') return 'done';
  const lineage = lineageOf(row.item.license);
  return statusBy(row, lineage, recordOfRow(ledger, lineage, batch, row.row), ledger);
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
    let status: RowStatus = 'done';
    if (row.kind === 'sign') {
      const lineage = lineageOf(row.item.license);
      const record = recordOfRow(ledger, lineage, plan.head.name, row.row);
      begun ||= record !== undefined && equalBytes(record.intent.body.planDigest, planDigest);
      status = statusBy(row, lineage, record, ledger);
      if (status !== 'done') judge(row);
    }
    if (status === 'done') done++;
    else if (status === 'open') open++;
    else {
      stale++;
      if (row.kind === 'sign')
        firstStale ??=
          `line ${row.line} plans counter ${row.item.license.ctr} of ${lineageText(lineageOf(row.item.license))}, ` +
          'which is void or used by now';
    }
  }
  return Object.freeze({ rows, done, open, stale, begun, ...(firstStale === undefined ? {} : { firstStale }) });
}
