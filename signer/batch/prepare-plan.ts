/** Which plan is to be signed: the begun one, what is left of it, or a new one from the file. */
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { checkPlanFresh } from '../plan/plan-freshness.ts';
import { type LedgerView, lineageOf } from '../ledger/index.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import { type Runtime, nowSeconds } from '../runtime.ts';
import { readBatchRecord } from './batch-record.ts';
import type { BatchSource } from './read-rows.ts';
import { checkRows, type RowsChecked, statusOf } from './row-status.ts';
import { planBatch } from './plan-batch.ts';
import { type BatchPlan, openBatchPlan, BatchPlanWriter } from './plan-file.ts';
import { type BatchSummary, emptySummary } from '../summary/batch-summary.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import { planOrigin, useFault } from '../plan/plan-license.ts';
import type { SignRow } from './plan-row.ts';
import { baseOfRow, countRow } from './renewal-base.ts';

const UUID_RANDOM_BYTES = 10;
const TEMPORARY_NAME_BYTES = 8;

export interface PrepareInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
  readonly runtime: Runtime;
  readonly source: BatchSource;
  readonly resume: boolean;
  /** One fault of a row. */
  readonly fault: (fault: VtlicError) => void;
  readonly tell: (line: string) => void;
  readonly progress: (rows: number) => void;
}

/** `begun`: an officer reviewed it before. `new`: an officer has to review it. */
export type PreparedPlan =
  | { readonly kind: 'begun'; readonly plan: BatchPlan; readonly checked: RowsChecked }
  | { readonly kind: 'new'; readonly plan: BatchPlan; readonly summary: BatchSummary }
  /** Every row has its license. The plan is there for the results, if it is still on disk. */
  | { readonly kind: 'finished'; readonly rows: number; readonly plan?: BatchPlan };

/**
 * @throws VtlicError `request_invalid` for rows at fault (each was reported before), `policy_refused` for a batch that
 *   was begun and is not resumed
 */
export async function preparePlan(input: PrepareInput): Promise<PreparedPlan> {
  const begun = input.resume ? await openBegun(input) : undefined;
  if (begun !== undefined) {
    const checked = checkRows(begun, input.ledger);
    if (checked.done === checked.rows) return { kind: 'finished', rows: checked.rows, plan: begun };
    // Somebody may have changed the record to name another plan. A plan that was reviewed has reserved a counter.
    if (checked.begun && checked.stale === 0) return { kind: 'begun', plan: begun, checked };
    if (checked.begun) {
      const { digest, summary } = planResumption(begun, input);
      return { kind: 'new', plan: openBatchPlan(input.site.paths.plans, digest), summary };
    }
  }
  return fromFile(input);
}

/** The plan with which this very file was begun under this name; undefined if it is gone or no longer valid. */
async function openBegun(input: PrepareInput): Promise<BatchPlan | undefined> {
  const { site, catalog, ledger, key, source } = input;
  const record = readBatchRecord(site.paths.folder, source.name);
  if (record === undefined || record.input !== source.input) return undefined;
  try {
    const plan = openBatchPlan(site.paths.plans, record.plan);
    checkPlanFresh(plan.head, site, catalog, ledger);
    return plan.head.kid === key.publicKey.kid ? plan : undefined;
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'plan_stale') throw error;
    input.tell(`the plan that this batch was begun with is out of date (${error.message}): the rest is planned again`);
    return undefined;
  }
}

async function fromFile(input: PrepareInput): Promise<PreparedPlan> {
  const { source, site } = input;
  const planned = await planBatch({ ...input, ...source });
  switch (planned.kind) {
    case 'finished': {
      const record = readBatchRecord(site.paths.folder, source.name);
      return {
        kind: 'finished',
        rows: planned.rows,
        ...(record === undefined ? {} : optionalPlan(site.paths.plans, record.plan)),
      };
    }
    case 'faults': {
      for (const fault of planned.faults) input.fault(fault);
      const more = planned.all - planned.faults.length;
      if (more > 0) input.tell(`… and ${groupDigits(more)} more`);
      const inHeader = planned.rows === 0;
      const where = inHeader ? 'the header' : `${groupDigits(planned.faultyRows)} of ${groupDigits(planned.rows)} rows`;
      throw new VtlicError(
        'request_invalid',
        `${groupDigits(planned.all)} fault${planned.all === 1 ? '' : 's'} in ${where}: nothing was planned, and ` +
          'nothing was signed',
        { file: source.file, hint: `correct the ${inHeader ? 'header' : 'rows'} and run it again` },
      );
    }
    case 'begun':
      throw begunError(
        source.name,
        planned.done,
        planned.rows,
        'go on with it: --resume; to sign all rows once more, give it another --name',
      );
    default:
      return { kind: 'new', plan: openBatchPlan(site.paths.plans, planned.digest), summary: planned.summary };
  }
}

function optionalPlan(folder: string, digest: string): { readonly plan: BatchPlan } | Record<string, never> {
  try {
    return { plan: openBatchPlan(folder, digest) };
  } catch (error) {
    if (error instanceof VtlicError) return {};
    throw error;
  }
}

export function begunError(name: string, done: number, rows: number, hint: string): VtlicError {
  return new VtlicError(
    'policy_refused',
    `the batch ${name} was begun before: ${groupDigits(done)} of its ${groupDigits(rows)} rows have their license`,
    { hint },
  );
}

export function finishedError(name: string, rows: number): VtlicError {
  return new VtlicError(
    'policy_refused',
    `the batch ${name} is finished: all ${groupDigits(rows)} rows have their license; nothing was signed`,
    { hint: 'to sign the same rows once more (next year, say), give it another --name' },
  );
}

/**
 * Makes the plan of what is left of a begun plan: reviewed payloads stay as they are; a row whose counter is spent gets
 * a new one.
 *
 * @throws VtlicError `request_invalid` for a row that would be signed anew after its license had ended,
 *   `policy_refused` for a use that the lineage is not for by now
 */
function planResumption(
  begun: BatchPlan,
  input: PrepareInput,
): { readonly digest: string; readonly summary: BatchSummary } {
  const { site, catalog, ledger, runtime } = input;
  const now = nowSeconds(runtime);
  const summary = emptySummary();
  const writer = new BatchPlanWriter(site.paths.plans, runtime.random(TEMPORARY_NAME_BYTES), {
    ...planOrigin(ledger, site, catalog, now),
    name: begun.head.name,
    input: begun.head.input,
    kid: begun.head.kid,
  });
  try {
    for (const row of begun.rows()) {
      summary.rows++;
      const status = statusOf(row, begun.head.name, ledger);
      if (row.kind === 'done' || status === 'done') {
        summary.done++;
        writer.done({
          line: row.line,
          row: row.row,
          lineage: row.kind === 'done' ? row.lineage : lineageOf(row.item.license),
        });
        continue;
      }
      const again = status === 'stale';
      const lineage = lineageOf(row.item.license);
      const payload = again ? withNewCounter(row, ledger.nextCounter(lineage), now, runtime) : row.item.payload;
      writer.sign(row.line, row.row, payload);
      const license = decodeLicense(payload);
      const base = baseOfRow({ ledger, site }, lineage, ledger.lastOfLineage(lineage), begun.head.name);
      const fault = base.newLineage || base.last === undefined ? undefined : useFault(license, base.last.license);
      if (fault !== undefined) throw fault.at({ line: row.line });
      countRow(summary, { line: row.line, license, base, again }, input);
    }
    return { digest: writer.finish(begun.end.sharded).digest, summary };
  } finally {
    writer.abandon();
  }
}

/** Only counter, id and issue time differ from what was reviewed. */
function withNewCounter(row: SignRow, ctr: number, now: number, runtime: Runtime): Uint8Array {
  const { license } = row.item;
  if (license.exp <= now)
    throw new VtlicError(
      'request_invalid',
      `line ${row.line}: this row needs a new counter, but its license would be expired when it is signed`,
      {
        line: row.line,
        hint: 'take the row out of the file, or give it a later end, and resume under the same --name',
      },
    );
  return encodeLicense({
    ...license,
    ctr,
    iat: now,
    cti: makeUuidV7(runtime.nowMs(), runtime.random(UUID_RANDOM_BYTES)),
  });
}
