/**
 * File → plan: every row is read, judged and planned before anything is signed. What is wrong is collected; then there
 * is not a plan. A lineage may occur only once in a file.
 */
import { createHash } from 'node:crypto';
import { VtlicError } from '../../formats/error.ts';
import type { License } from '../../formats/license/license.ts';
import { readChunks } from '../../files/index.ts';
import { type LedgerView, lineageText, takenOverFrom, type Lineage } from '../ledger/index.ts';
import { requireKeyInForce } from '../plan/keyset-rule.ts';
import { lineageOfRequest, planItem, planOrigin } from '../plan/plan-license.ts';
import { catalogViolations } from '../request/check-against-catalog.ts';
import type { Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import { noLicenseOf } from '../renew/previous-license.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import { BatchPlanWriter } from './plan-file.ts';
import { baseOfRow, countRow, type RowBase } from './renewal-base.ts';
import { rowDigest } from './plan-row.ts';
import { isDone, recordOfRow } from './row-status.ts';
import { isSharded } from '../issue/output-path.ts';
import { type BatchFormat, type InputRow, readRows, type TableDialect } from './read-rows.ts';
import { type BatchSummary, emptySummary } from '../summary/batch-summary.ts';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Faults that are kept to be shown; the rest are counted. */
const FAULTS_KEPT = 100;
const ROWS_A_TURN = 256;
const TEMPORARY_NAME_BYTES = 8;
const LINEAGE_DIGEST_BYTES = 16;

export interface BatchPlanning {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
  readonly runtime: Runtime;
  /** Absolute. */
  readonly file: string;
  readonly format: BatchFormat;
  readonly dialect?: TableDialect;
  readonly name: string;
  /** SHA-256 of the file as it was read to name the batch, hex. */
  readonly input: string;
  readonly newCustomers: boolean;
  /** True to continue a batch: the rows that are done are skipped. */
  readonly resume: boolean;
  /** Called now and then with the rows read. */
  readonly progress?: (rows: number) => void;
}

export type BatchPlanned =
  | { readonly kind: 'planned'; readonly digest: string; readonly summary: BatchSummary; readonly sharded: boolean }
  /** Nothing is planned: these are the first faults of all that there are. */
  | {
      readonly kind: 'faults';
      readonly faults: readonly VtlicError[];
      readonly all: number;
      readonly faultyRows: number;
      readonly rows: number;
    }
  /** An earlier run reserved rows of this batch, and the caller did not set `resume`. */
  | { readonly kind: 'begun'; readonly done: number; readonly rows: number }
  | { readonly kind: 'finished'; readonly rows: number };

/** SHA-256 of a file, hex. */
export function digestOfFile(file: string): string {
  const hash = createHash('sha256');
  for (const chunk of readChunks(file)) hash.update(chunk);
  return hash.digest('hex');
}

export async function planBatch(planning: BatchPlanning): Promise<BatchPlanned> {
  const { site, catalog, ledger, key, runtime, file, format, name, input } = planning;
  const now = nowSeconds(runtime);
  const seen = new LineagesSeen();
  const hash = createHash('sha256');
  const writer = new BatchPlanWriter(site.paths.plans, runtime.random(TEMPORARY_NAME_BYTES), {
    ...planOrigin(ledger, site, catalog, now),
    name,
    input,
    kid: key.publicKey.kid,
  });
  const planner = new RowPlanner(planning, now, seen, writer);
  try {
    for (const row of readRows(format, hashed(readChunks(file), hash), file, planning.dialect)) {
      planner.take(row);
      if (planner.summary.rows % ROWS_A_TURN !== 0) continue;
      planning.progress?.(planner.summary.rows);
      await turn();
      if (runtime.interrupted())
        throw new VtlicError('interrupted', 'interrupted while planning: nothing was signed', { hint: 'run it again' });
    }
    const { summary, faults } = planner;
    if (planner.begun && summary.done < summary.rows && !planning.resume)
      return { kind: 'begun', done: summary.done, rows: summary.rows };
    if (planner.allFaults > 0)
      return { kind: 'faults', faults, all: planner.allFaults, faultyRows: planner.faultyRows, rows: summary.rows };
    if (hash.digest('hex') !== input)
      throw new VtlicError('file_unreadable', 'the file changed while it was read', {
        file,
        hint: 'run it again when nobody writes to it',
      });
    if (summary.rows === 0)
      throw new VtlicError('request_invalid', 'the file has no rows below its header: there is nothing to sign', {
        file,
        hint: 'list what ends later too: vtlic ledger due --within 120d --csv',
      });
    if (summary.done === summary.rows) return { kind: 'finished', rows: summary.rows };
    const sharded = isSharded(summary.rows);
    return { kind: 'planned', digest: writer.finish(sharded).digest, summary, sharded };
  } finally {
    writer.abandon();
    seen.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function* hashed(
  chunks: Iterable<Uint8Array>,
  hash: { update: (bytes: Uint8Array) => unknown },
): Generator<Uint8Array> {
  for (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

const FAULTS_OF_A_ROW: ReadonlySet<string> = new Set(['request_invalid', 'policy_refused', 'ledger_conflict']);

class RowPlanner {
  readonly summary: BatchSummary = emptySummary();
  readonly faults: VtlicError[] = [];
  allFaults = 0;
  faultyRows = 0;
  /** A row of this batch was reserved before. */
  begun = false;
  readonly #planning: BatchPlanning;
  readonly #now: number;
  readonly #seen: LineagesSeen;
  readonly #writer: BatchPlanWriter;

  constructor(planning: BatchPlanning, now: number, seen: LineagesSeen, writer: BatchPlanWriter) {
    this.#planning = planning;
    this.#now = now;
    this.#seen = seen;
    this.#writer = writer;
  }

  take(row: InputRow): void {
    if (row.header !== true) this.summary.rows++;
    const { content } = row;
    const faults = 'customer' in content ? this.#plan(row, content) : content;
    if (faults.length === 0) return;
    this.faultyRows++;
    this.allFaults += faults.length;
    for (const fault of faults) if (this.faults.length < FAULTS_KEPT) this.faults.push(fault);
  }

  /** @returns what is wrong with the row; nothing where it is planned, or done before. */
  #plan(row: InputRow, request: Request): readonly VtlicError[] {
    const { ledger, file, name } = this.#planning;
    const lineage = lineageOfRequest(request);
    const first = this.#seen.firstLine(lineage, row.line);
    if (first !== undefined)
      return [
        new VtlicError(
          'request_invalid',
          `a second row of ${lineageText(lineage)}, which is already on line ${first}`,
          {
            file,
            line: row.line,
            ...columnOnly(row, 'customer'),
            hint: 'delete one of the two rows: each license has one row',
          },
        ),
      ];
    const last = ledger.lastOfLineage(lineage);
    const digest = rowDigest(request);
    const before = recordOfRow(ledger, lineage, name, digest, last);
    if (before !== undefined) this.begun = true;
    if (isDone(before)) {
      this.summary.done++;
      this.#writer.done({ line: row.line, row: digest, lineage });
      return [];
    }
    const faults = this.#judge(row, request);
    const base = baseOfRow(this.#planning, lineage, last);
    if (base.last === undefined && !this.#planning.newCustomers) {
      const { message, hint } = noLicenseOf(request.customer, takenOverFrom(ledger, request.customer));
      faults.push(this.#fault(row, 'customer', message, hint));
    }
    if (faults.length > 0) return faults;
    return this.#write(row, request, digest, base, before !== undefined);
  }

  #judge(row: InputRow, request: Request): VtlicError[] {
    return catalogViolations(request, this.#planning.catalog).map(({ field, sentence }) =>
      this.#fault(row, field, sentence),
    );
  }

  #fault(row: InputRow, field: string, sentence: string, hint?: string): VtlicError {
    return new VtlicError('policy_refused', sentence, {
      file: this.#planning.file,
      field,
      ...row.placeOf(field),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #write(row: InputRow, request: Request, digest: Uint8Array, base: RowBase, again: boolean): readonly VtlicError[] {
    const { site, key, runtime, file, ledger } = this.#planning;
    let payload: Uint8Array;
    let license: License;
    try {
      requireKeyInForce(ledger, key.publicKey.kid, { aud: request.product, tier: request.tier }, this.#now);
      ({ payload, license } = planItem(request, {
        site,
        key,
        runtime,
        now: this.#now,
        ctr: ledger.nextCounter(lineageOfRequest(request)),
        replaced: base.newLineage ? undefined : base.last?.license,
      }));
    } catch (error) {
      // A key that may not sign it by the keyset, bounds of the format, a use that the lineage is not for, or counters
      // that were handed over to another ledger.
      if (!(error instanceof VtlicError) || !FAULTS_OF_A_ROW.has(error.code)) throw error;
      return [error.at({ file, ...row.placeOf(error.place.field ?? 'customer') })];
    }
    this.#writer.sign(row.line, digest, payload);
    countRow(this.summary, { line: row.line, license, base, again }, this.#planning);
    return [];
  }
}

function columnOnly(row: InputRow, field: string): { readonly column: number } {
  return { column: row.placeOf(field).column };
}

/** Which lineages a file has named already, in a temporary database on disk: a million rows take no memory. */
class LineagesSeen {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;

  constructor() {
    // The empty name: a file of SQLite's own in the temporary folder, gone when it is closed. It contains digests, no
    // names.
    this.#db = new DatabaseSync('');
    this.#db.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096; CREATE TABLE seen ' +
        '(lineage BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID, STRICT; BEGIN',
    );
    this.#insert = this.#db.prepare('INSERT INTO seen (lineage, line) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#find = this.#db.prepare('SELECT line FROM seen WHERE lineage = ?');
  }

  /** The line that named the lineage before. The first time it is undefined, and the line is remembered. */
  firstLine(lineage: Lineage, line: number): number | undefined {
    // Ids contain no line feed.
    const key = createHash('sha256')
      .update(`${lineage.sub}\n${lineage.aud}\n${lineage.dep ?? ''}`)
      .digest()
      .subarray(0, LINEAGE_DIGEST_BYTES);
    if (this.#insert.run(key, line).changes === 1) return undefined;
    const first = this.#find.get(key)?.['line'];
    if (typeof first !== 'number') throw new VtlicError('internal', 'the lineages seen cannot be read back');
    return first;
  }

  close(): void {
    this.#db.close();
  }
}
