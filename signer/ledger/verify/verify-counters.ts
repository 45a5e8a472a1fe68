/** Counters of each lineage rise by one with each intent; what moves them besides are acts, and nothing else. */
import type { DatabaseSync } from 'node:sqlite';
import { ledgerCorrupt } from '../entries/errors.ts';
import { movedCounter, type CounterMove } from '../entries/counter-rule.ts';
import { lineageText } from '../entries/lineage.ts';
import { integer, type AdminRow, type Row } from '../store/rows.ts';
import type { Tables } from '../store/tables.ts';
import { lineageCursor, type Cursor } from './verify-cursor.ts';

/** @returns the number of lineages that have an intent */
export function checkCounters(db: DatabaseSync, tables: Tables): number {
  const intents = lineageCursor(db, 'sub, aud, dep, ctr, seq', 'intent INDEXED BY intent_by_lineage');
  const own = new OwnMoves(db);
  const ofAll = tables.adminRows().filter((act) => act.skip > 0 || act.floor > 0);
  let lineages = 0;
  let before: Row = [];
  for (let row = intents.next(); row !== undefined; row = intents.next()) {
    const first = row[0] !== before[0] || row[1] !== before[1] || row[2] !== before[2];
    const [ctr, seq] = [integer(row[3]), integer(row[4])];
    const [lastCtr, lastSeq] = first ? [0, 0] : [integer(before[3]), integer(before[4])];
    if (first) {
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
  #next: Row | undefined;
  #lineage: Row = [];

  constructor(db: DatabaseSync) {
    this.#rows = lineageCursor(db, 'sub, aud, dep, seq, ctr', 'counter INDEXED BY counter_by_lineage');
    this.#next = this.#rows.next();
  }

  /** Leaves behind what belongs to lineages before this one. */
  begin(lineage: Row): void {
    this.#lineage = lineage;
    while (this.#next !== undefined && compareLineage(this.#next, lineage) < 0) this.#next = this.#rows.next();
  }

  /** Those of the lineage at hand up to an entry, each once. */
  until(seq: number): readonly CounterMove[] {
    if (this.#next === undefined) return NONE;
    const found: CounterMove[] = [];
    while (
      this.#next !== undefined &&
      compareLineage(this.#next, this.#lineage) === 0 &&
      integer(this.#next[3]) < seq
    ) {
      found.push({ seq: integer(this.#next[3]), skip: 0, floor: integer(this.#next[4]) });
      this.#next = this.#rows.next();
    }
    return found;
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
