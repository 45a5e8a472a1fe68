/** Counters of each lineage rise by one with each intent; what moves them besides are acts, and nothing else. */
import type { DatabaseSync } from 'node:sqlite';
import { ledgerCorrupt } from '../entries/errors.ts';
import { movedCounter, type CounterMove } from '../entries/counter-rule.ts';
import { lineageText } from '../entries/lineage.ts';
import { integer, type AdminRow, type LineageTotal, type Row } from '../store/rows.ts';
import type { Tables } from '../store/tables.ts';
import { lineageCursor, type Cursor } from './verify-cursor.ts';

/** @returns the number of lineages that have an intent */
export function checkCounters(db: DatabaseSync, tables: Tables): number {
  const intents = lineageCursor(db, 'sub, aud, dep, ctr, seq', 'intent INDEXED BY intent_by_lineage');
  const totals = new TotalsCheck(db, tables.hasTotals);
  const own = new OwnMoves(db, totals);
  const ofAll = tables.adminRows().filter((act) => act.skip > 0 || act.floor > 0);
  let lineages = 0;
  let before: Row = [];
  const end = (): void => {
    if (lineages > 0) totals.expect(before, { intent: integer(before[4]), ctr: integer(before[3]), given: own.end() });
  };
  for (let row = intents.next(); row !== undefined; row = intents.next()) {
    const first = row[0] !== before[0] || row[1] !== before[1] || row[2] !== before[2];
    const [ctr, seq] = [integer(row[3]), integer(row[4])];
    const [lastCtr, lastSeq] = first ? [0, 0] : [integer(before[3]), integer(before[4])];
    if (first) {
      end();
      lineages++;
      own.begin(row);
    }
    const expected = movedCounter(lastCtr, moves(ofAll, own.until(seq), row[0], lastSeq, seq)) + 1;
    if (ctr !== expected || (!first && seq <= lastSeq)) {
      const body = tables.intent(seq);
      throw ledgerCorrupt(
        `entry ${seq} (intent): the counter of ${body === undefined ? 'its lineage' : lineageText(body)} ` +
          `should be ${expected}, but is ${ctr}`,
      );
    }
    before = row;
  }
  end();
  own.begin(undefined);
  totals.end();
  return lineages;
}

function moves(
  ofAll: readonly AdminRow[],
  own: readonly CounterMove[],
  sub: unknown,
  after: number,
  until: number,
): readonly CounterMove[] {
  if (ofAll.length === 0 && own.length === 0) return own;
  const general = ofAll.filter((act) => act.seq > after && act.seq < until && (act.sub === '' || act.sub === sub));
  return [...general, ...own].sort((a, b) => a.seq - b.seq);
}

/** The counters that acts gave to single lineages, read along with the intents in the same order. */
class OwnMoves {
  readonly #rows: Cursor<Row>;
  readonly #totals: TotalsCheck;
  #next: Row | undefined;
  #lineage: Row = [];
  #given = 0;

  constructor(db: DatabaseSync, totals: TotalsCheck) {
    this.#rows = lineageCursor(db, 'sub, aud, dep, seq, ctr', 'counter INDEXED BY counter_by_lineage');
    this.#totals = totals;
    this.#next = this.#rows.next();
  }

  /** Passes the lineages before this one, which have no intent; if `lineage` is undefined, passes all that are left. */
  begin(lineage: Row | undefined): void {
    const isBefore = (row: Row): boolean => lineage === undefined || compareLineage(row, lineage) < 0;
    while (this.#next !== undefined && isBefore(this.#next)) {
      this.#begin(this.#next);
      this.#totals.expect(this.#lineage, { intent: 0, ctr: 0, given: this.end() });
    }
    if (lineage !== undefined) this.#begin(lineage);
  }

  /** Those of the current lineage up to an entry, each once. */
  until(seq: number): readonly CounterMove[] {
    if (this.#next === undefined) return NONE;
    const found: CounterMove[] = [];
    for (let row = this.#own(); row !== undefined && integer(row[3]) < seq; row = this.#own()) {
      found.push({ seq: integer(row[3]), skip: 0, floor: integer(row[4]) });
      this.#pass();
    }
    return found;
  }

  /** Passes the rest of the current lineage. @returns how many it has */
  end(): number {
    while (this.#own() !== undefined) this.#pass();
    return this.#given;
  }

  #begin(lineage: Row): void {
    this.#lineage = lineage;
    this.#given = 0;
  }

  /** The next row, if it is of the current lineage. */
  #own(): Row | undefined {
    return this.#next !== undefined && compareLineage(this.#next, this.#lineage) === 0 ? this.#next : undefined;
  }

  #pass(): void {
    this.#given++;
    this.#next = this.#rows.next();
  }
}

/** Compares the totals of the lineages with what was counted, in the same order. */
class TotalsCheck {
  readonly #rows: Cursor<Row> | undefined;

  constructor(db: DatabaseSync, hasTotals: boolean) {
    this.#rows = hasTotals ? lineageCursor(db, 'sub, aud, dep, intent, ctr, given', 'lineage') : undefined;
  }

  expect(lineage: Row, { intent, ctr, given }: LineageTotal): void {
    if (this.#rows === undefined) return;
    const row = this.#rows.next();
    if (
      row === undefined ||
      compareLineage(row, lineage) !== 0 ||
      integer(row[3]) !== intent ||
      integer(row[4]) !== ctr ||
      integer(row[5]) !== given
    )
      throw ledgerCorrupt(
        `the totals of its lineages do not match the entries, at the lineage of entry ${intent} with counter ${ctr}`,
      );
  }

  end(): void {
    if (this.#rows?.next() !== undefined) throw ledgerCorrupt('the table "lineage" has rows without an entry');
  }
}

const NONE: readonly CounterMove[] = [];

/** Ids are ASCII, so that this order is SQLite's. */
function compareLineage(a: Row, b: Row): number {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [String(a[i]), String(b[i])];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
