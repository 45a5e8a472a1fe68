/**
 * The whole ledger, recomputed from its stored bytes.
 *
 * One pass over the entries in their order. Each derived table is read beside it by its own cursor, in the order in which its rows were
 * made, so memory stays flat: only intents without an outcome and licenses without a release are held.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { LedgerHead } from './anchor.ts';
import { CHAIN_START, chainValue } from './chain.ts';
import { ledgerCorrupt } from './corrupt.ts';
import { coseFault } from './cose-agrees.ts';
import { decodeEntry } from './decode-entry.ts';
import type { Entry, IntentBody, IntentEntry, IssueEntry, ReleaseEntry, VoidEntry } from './entry.ts';
import { issueLeaf, voidLeaf } from './leaf.ts';
import type { LedgerSummary, VerifyOptions } from './ledger.ts';
import { lineageText, sameLineage } from './lineage.ts';
import { leafHash } from './merkle.ts';
import { openReadOnly } from './open-database.ts';
import { logOrigin } from './origin.ts';
import { payloadFault } from './payload-agrees.ts';
import { ledgerFault } from './sqlite-faults.ts';
import { blob, ENTRY_COLUMNS, entryRow, integer, INTENT_COLUMNS, intentRow, Tables, type EntryRow, type IntentRow, type Row } from './tables.ts';
import { TreeBuilder } from './tree-builder.ts';

/** Entries between two looks at the clock of others: progress, signal, the event loop. */
const STRIDE = 1024;

/**
 * @param file absolute path of the ledger
 * @throws VtlicError `ledger_corrupt` at the first fault, `interrupted`, and what opening for reading throws
 */
export async function verifyLedger(file: string, options: VerifyOptions = {}): Promise<LedgerSummary> {
  const db = openReadOnly(file);
  try {
    // One snapshot for all cursors, also while a writer appends.
    db.exec('BEGIN');
    const check = new Check(db);
    const total = new Tables(db).sizes().entries;
    for (let done = 0; ; ) {
      const more = check.entries(STRIDE);
      done += more;
      options.progress?.(done, total);
      if (more < STRIDE) break;
      await setImmediate();
      if (options.signal?.aborted === true) throw new VtlicError('interrupted', 'the check of the ledger was interrupted; nothing was found up to there');
    }
    return check.finish();
  } catch (error) {
    throw ledgerFault(error, file, 'read');
  } finally {
    db.close();
  }
}

/** What is still expected of an intent. */
interface Pending {
  readonly row: IntentRow;
  readonly body: IntentBody;
  issued: boolean;
}

class Check {
  readonly #db: DatabaseSync;
  readonly #tables: Tables;
  readonly #entries: Cursor<EntryRow>;
  readonly #intents: Cursor<IntentRow>;
  readonly #leaves: Cursor<{ readonly index: number; readonly entry: number }>;
  readonly #nodes: Cursor<Uint8Array>;
  readonly #clocks: Cursor<number>;
  readonly #pending: Map<number, Pending> = new Map();
  readonly #tree: TreeBuilder = new TreeBuilder();
  #iss = '';
  #seq = 0;
  #chain: Uint8Array = CHAIN_START;
  #intended = 0;
  #issued = 0;
  #voided = 0;
  #released = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#tables = new Tables(db);
    this.#entries = cursor(db, `SELECT ${ENTRY_COLUMNS} FROM entry ORDER BY seq`, entryRow);
    this.#intents = cursor(db, `SELECT ${INTENT_COLUMNS} FROM intent ORDER BY seq`, intentRow);
    this.#leaves = cursor(db, 'SELECT leaf_index, entry FROM leaf ORDER BY leaf_index', (row) => ({ index: integer(row[0]), entry: integer(row[1]) }));
    this.#nodes = cursor(db, 'SELECT position, hash FROM node ORDER BY position', (row) => blob(row[1], 32));
    this.#clocks = cursor(db, 'SELECT seq FROM clock ORDER BY seq', (row) => integer(row[0]));
  }

  /** Checks up to `limit` entries; fewer means that there are no more. */
  entries(limit: number): number {
    for (let done = 0; done < limit; done++) {
      const row = this.#entries.next();
      if (row === undefined) return done;
      this.#entry(row);
    }
    return limit;
  }

  finish(): LedgerSummary {
    if (this.#seq === 0) throw ledgerCorrupt('it has no entries');
    for (const { row, issued } of this.#pending.values()) {
      if (row.release !== undefined || row.void !== undefined || (row.issue !== undefined && !issued)) throw wrongIndex(row.seq, 'names an entry that is not there');
    }
    this.#requireEnd(this.#intents, 'intent');
    this.#requireEnd(this.#leaves, 'leaf');
    this.#requireEnd(this.#nodes, 'node');
    this.#requireEnd(this.#clocks, 'clock');
    this.#indexes();
    const lineages = this.#lineages();
    let open = 0;
    for (const { issued } of this.#pending.values()) if (!issued) open++;
    const head: LedgerHead = Object.freeze({ entries: this.#seq, size: this.#tree.size, root: this.#tree.root(), chain: this.#chain });
    return Object.freeze({ head, lineages, intents: this.#intended, issued: this.#issued, voided: this.#voided, released: this.#released, open });
  }

  #entry(row: EntryRow): void {
    if (row.seq !== this.#seq + 1) throw ledgerCorrupt(`entry ${this.#seq + 1} is missing`);
    if (!equalBytes(row.chain, chainValue(this.#chain, row.seq, row.kind, row.at, row.body))) {
      throw ledgerCorrupt(`entry ${row.seq}: its chain value does not follow from what it holds and from the entry before it`);
    }
    const entry = decodeEntry(row);
    this.#seq = row.seq;
    this.#chain = row.chain;
    if ((entry.kind === 'genesis') !== (entry.seq === 1)) throw ledgerCorrupt(`entry ${entry.seq}: the genesis entry stands first, and only there`);
    this.#follow(entry);
  }

  #follow(entry: Entry): void {
    switch (entry.kind) {
      case 'genesis':
        this.#iss = entry.body.iss;
        if (entry.body.origin !== logOrigin(entry.body.iss, entry.body.ledgerId)) throw ledgerCorrupt("entry 1 (genesis): the log's origin does not follow from its issuer and id");
        return;
      case 'intent':
        return this.#intent(entry);
      case 'issue':
        return this.#issue(entry);
      case 'void':
        return this.#void(entry);
      case 'release':
        return this.#release(entry);
      case 'clock':
        if (this.#clocks.next() !== entry.seq) throw wrongIndex(entry.seq, 'is not what the record says');
    }
  }

  #intent({ seq, body }: IntentEntry): void {
    const fault = payloadFault(this.#iss, body);
    if (fault !== undefined) throw ledgerCorrupt(`entry ${seq} (intent): ${fault}`);
    const row = this.#intents.next();
    if (row?.seq !== seq || !sameLineage(row, body) || row.ctr !== body.ctr || !equalBytes(row.licenseId, body.licenseId)) throw wrongIndex(seq, 'is not what the record says');
    this.#pending.set(seq, { row, body, issued: false });
    this.#intended++;
  }

  #issue({ seq, body }: IssueEntry): void {
    const pending = this.#open(seq, body.intent);
    const fault = coseFault(pending.body, body.cose);
    if (fault !== undefined) throw ledgerCorrupt(`entry ${seq} (issue): ${fault}`);
    if (pending.row.issue !== seq) throw wrongIndex(body.intent, 'names another issue');
    this.#leaf(seq, body.leafIndex, issueLeaf(pending.body, body));
    pending.issued = true;
    this.#issued++;
  }

  #void({ seq, body }: VoidEntry): void {
    const pending = this.#open(seq, body.intent);
    const { row } = pending;
    if (row.void !== seq || row.issue !== undefined || row.release !== undefined) throw wrongIndex(body.intent, 'says otherwise than the record');
    this.#leaf(seq, body.leafIndex, voidLeaf(pending.body, body));
    this.#pending.delete(body.intent);
    this.#voided++;
  }

  #release({ seq, body }: ReleaseEntry): void {
    const pending = this.#pending.get(body.intent);
    if (pending === undefined) {
      // Written out again. The row was held against the first release when that came by.
      const first = body.intent < seq ? this.#tables.intent(body.intent)?.release : undefined;
      if (first === undefined || first >= seq) throw ledgerCorrupt(`entry ${seq} (release): entry ${body.intent} is no issued license`);
      return;
    }
    if (!pending.issued) throw ledgerCorrupt(`entry ${seq} (release): the license of entry ${body.intent} was not issued`);
    if (pending.row.release !== seq || pending.row.void !== undefined) throw wrongIndex(body.intent, 'names another release');
    this.#pending.delete(body.intent);
    this.#released++;
  }

  #open(seq: number, intent: number): Pending {
    const pending = this.#pending.get(intent);
    if (pending === undefined || pending.issued) throw ledgerCorrupt(`entry ${seq}: entry ${intent} is no intent that is still open`);
    return pending;
  }

  #leaf(seq: number, index: number, data: Uint8Array): void {
    if (index !== this.#tree.size) throw ledgerCorrupt(`entry ${seq}: its leaf should have the index ${this.#tree.size}, but has ${index}`);
    const row = this.#leaves.next();
    if (row?.index !== index || row.entry !== seq) throw wrongIndex(seq, 'is not what the record says');
    for (const hash of this.#tree.add(leafHash(data))) {
      const stored = this.#nodes.next();
      if (stored === undefined || !equalBytes(stored, hash)) throw ledgerCorrupt(`the tree does not follow from the record: a stored node over leaf ${index} is another`);
    }
  }

  #requireEnd(rest: Cursor<unknown>, table: string): void {
    if (rest.next() !== undefined) throw ledgerCorrupt(`the table "${table}" has rows that no entry stands for`);
  }

  /** Counters begin at 1 and rise by one within each lineage, in the order of the record. Returns the number of lineages. */
  #lineages(): number {
    const rows = cursor(this.#db, 'SELECT sub, aud, dep, ctr, seq FROM intent INDEXED BY intent_by_lineage ORDER BY sub, aud, dep, ctr', (row) => row);
    let lineages = 0;
    let before: Row = [];
    for (let row = rows.next(); row !== undefined; row = rows.next()) {
      const first = row[0] !== before[0] || row[1] !== before[1] || row[2] !== before[2];
      const [ctr, seq] = [integer(row[3]), integer(row[4])];
      const expected = first ? 1 : integer(before[3]) + 1;
      if (first) lineages++;
      if (ctr !== expected || (!first && seq <= integer(before[4]))) {
        const body = this.#tables.intent(seq);
        throw ledgerCorrupt(`entry ${seq} (intent): the counter of ${body === undefined ? 'its lineage' : lineageText(body)} should be ${expected}, but is ${ctr}`);
      }
      before = row;
    }
    return lineages;
  }

  /** SQLite's own comparison of the one table that has indexes with them; a license id that stands twice is found here too. */
  #indexes(): void {
    const result: unknown = this.#db.prepare("PRAGMA integrity_check('intent')").get()?.['integrity_check'];
    if (result !== 'ok') throw ledgerCorrupt(`an index does not fit its table (${typeof result === 'string' ? result.slice(0, 200) : 'no answer'})`);
  }
}

interface Cursor<T> {
  next(): T | undefined;
}

function cursor<T>(db: DatabaseSync, sql: string, read: (row: Row) => T): Cursor<T> {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  const rows = statement.iterate() as unknown as Iterator<readonly SQLOutputValue[]>;
  return {
    next: () => {
      const item = rows.next();
      return item.done === true ? undefined : read(item.value);
    },
  };
}

function wrongIndex(seq: number, what: string): VtlicError {
  return ledgerCorrupt(`the row of entry ${seq} in the tables beside the record ${what}`);
}
