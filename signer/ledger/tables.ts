/** Rows of the ledger's tables: every statement of reading and appending, prepared once. No rule of the ledger is here. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { ledgerCorrupt } from './corrupt.ts';
import type { Lineage } from './lineage.ts';
import { completeSubtrees } from './merkle.ts';

export type Row = readonly SQLOutputValue[];

/** An entry as it is stored. */
export interface EntryRow {
  readonly seq: number;
  readonly kind: string;
  readonly at: number;
  readonly body: Uint8Array;
  readonly chain: Uint8Array;
}

/** The derived row of an intent; the last three are seqs of entries. */
export interface IntentRow extends Lineage {
  readonly seq: number;
  readonly ctr: number;
  readonly licenseId: Uint8Array;
  readonly issue: number | undefined;
  readonly void: number | undefined;
  readonly release: number | undefined;
}

export interface LineageRow {
  readonly lineage: Lineage;
  readonly ctr: number;
  readonly issued: number;
}

/** How much of each kind of row there is, by the highest key. */
export interface TableSizes {
  readonly entries: number;
  readonly leaves: number;
  readonly nodes: number;
}

export const ENTRY_COLUMNS = 'seq, kind, at, body, chain';
export const INTENT_COLUMNS = 'seq, sub, aud, dep, ctr, license_id, issue, void, release';

const SQL = {
  entry: `SELECT ${ENTRY_COLUMNS} FROM entry WHERE seq = ?`,
  entries: `SELECT ${ENTRY_COLUMNS} FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?`,
  lastEntry: `SELECT ${ENTRY_COLUMNS} FROM entry ORDER BY seq DESC LIMIT 1`,
  sizes: 'SELECT (SELECT max(seq) FROM entry), (SELECT max(leaf_index) FROM leaf), (SELECT max(position) FROM node)',
  insertEntry: 'INSERT INTO entry (seq, kind, at, body, chain) VALUES (?, ?, ?, ?, ?)',
  intent: `SELECT ${INTENT_COLUMNS} FROM intent WHERE seq = ?`,
  intentByLicenseId: `SELECT ${INTENT_COLUMNS} FROM intent WHERE license_id = ?`,
  intentsOf: `SELECT ${INTENT_COLUMNS} FROM intent WHERE sub = ? AND aud = ? AND dep = ? AND ctr < ? ORDER BY ctr DESC LIMIT ?`,
  lastIssuedOf: `SELECT ${INTENT_COLUMNS} FROM intent WHERE sub = ? AND aud = ? AND dep = ? AND issue IS NOT NULL ORDER BY ctr DESC LIMIT 1`,
  lastCounter: 'SELECT max(ctr) FROM intent WHERE sub = ? AND aud = ? AND dep = ?',
  openIntents: `SELECT ${INTENT_COLUMNS} FROM intent WHERE issue IS NULL AND void IS NULL ORDER BY seq`,
  unreleased: `SELECT ${INTENT_COLUMNS} FROM intent WHERE issue IS NOT NULL AND release IS NULL ORDER BY seq`,
  lineages: 'SELECT sub, aud, dep, max(ctr), count(issue) FROM intent WHERE (sub, aud, dep) > (?, ?, ?) GROUP BY sub, aud, dep ORDER BY sub, aud, dep LIMIT ?',
  lineagesOf: 'SELECT sub, aud, dep, max(ctr), count(issue) FROM intent WHERE sub = ? AND (aud, dep) > (?, ?) GROUP BY sub, aud, dep ORDER BY sub, aud, dep LIMIT ?',
  customers: 'SELECT DISTINCT sub FROM intent WHERE sub > ? ORDER BY sub LIMIT ?',
  insertIntent: 'INSERT INTO intent (seq, sub, aud, dep, ctr, license_id) VALUES (?, ?, ?, ?, ?, ?)',
  setIssue: 'UPDATE intent SET issue = ? WHERE seq = ?',
  setVoid: 'UPDATE intent SET void = ? WHERE seq = ?',
  setRelease: 'UPDATE intent SET release = ? WHERE seq = ? AND release IS NULL',
  leaf: 'SELECT entry FROM leaf WHERE leaf_index = ?',
  insertLeaf: 'INSERT INTO leaf (leaf_index, entry) VALUES (?, ?)',
  node: 'SELECT hash FROM node WHERE position = ?',
  insertNode: 'INSERT INTO node (position, hash) VALUES (?, ?)',
  lastClock: 'SELECT max(seq) FROM clock',
  isClock: 'SELECT 1 FROM clock WHERE seq = ?',
  insertClock: 'INSERT INTO clock (seq) VALUES (?)',
} as const;

type Name = keyof typeof SQL;

export class Tables {
  readonly #db: DatabaseSync;
  readonly #statements: Map<Name, StatementSync> = new Map();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  sizes(): TableSizes {
    const row = this.#one('sizes') ?? [];
    return { entries: optionalInteger(row[0]) ?? 0, leaves: (optionalInteger(row[1]) ?? -1) + 1, nodes: (optionalInteger(row[2]) ?? -1) + 1 };
  }

  entry(seq: number): EntryRow | undefined {
    return optionally(this.#one('entry', seq), entryRow);
  }

  entries(from: number, limit: number): readonly EntryRow[] {
    return this.#all('entries', from, limit).map(entryRow);
  }

  lastEntry(): EntryRow | undefined {
    return optionally(this.#one('lastEntry'), entryRow);
  }

  insertEntry(row: EntryRow): void {
    this.#run('insertEntry', row.seq, row.kind, row.at, row.body, row.chain);
  }

  intent(seq: number): IntentRow | undefined {
    return optionally(this.#one('intent', seq), intentRow);
  }

  intentByLicenseId(licenseId: Uint8Array): IntentRow | undefined {
    return optionally(this.#one('intentByLicenseId', licenseId), intentRow);
  }

  /** Newest counter first. */
  intentsOf(lineage: Lineage, below: number, limit: number): readonly IntentRow[] {
    return this.#all('intentsOf', ...key(lineage), below, limit).map(intentRow);
  }

  lastIssuedOf(lineage: Lineage): IntentRow | undefined {
    return optionally(this.#one('lastIssuedOf', ...key(lineage)), intentRow);
  }

  /** 0 for a lineage without intents. */
  lastCounter(lineage: Lineage): number {
    return optionalInteger(this.#one('lastCounter', ...key(lineage))?.[0]) ?? 0;
  }

  openIntents(): readonly IntentRow[] {
    return this.#all('openIntents').map(intentRow);
  }

  unreleased(): readonly IntentRow[] {
    return this.#all('unreleased').map(intentRow);
  }

  lineages(after: Lineage | undefined, limit: number): readonly LineageRow[] {
    const [sub, aud, dep] = after === undefined ? ['', '', ''] : key(after);
    return this.#all('lineages', sub, aud, dep, limit).map(lineageRow);
  }

  lineagesOf(sub: string, after: Lineage | undefined, limit: number): readonly LineageRow[] {
    return this.#all('lineagesOf', sub, after?.aud ?? '', after?.dep ?? '', limit).map(lineageRow);
  }

  customers(after: string, limit: number): readonly string[] {
    return this.#all('customers', after, limit).map((row) => text(row[0]));
  }

  insertIntent(seq: number, lineage: Lineage, ctr: number, licenseId: Uint8Array): void {
    this.#run('insertIntent', seq, ...key(lineage), ctr, licenseId);
  }

  setIssue(intent: number, seq: number): void {
    this.#run('setIssue', seq, intent);
  }

  setVoid(intent: number, seq: number): void {
    this.#run('setVoid', seq, intent);
  }

  /** The first release stays. */
  setRelease(intent: number, seq: number): void {
    this.#run('setRelease', seq, intent);
  }

  /** seq of the entry that a leaf stands for. */
  leaf(index: number): number | undefined {
    return optionalInteger(this.#one('leaf', index)?.[0]);
  }

  /** Adds the leaf with index `size` and the subtrees that it completes, the leaf's own hash first. */
  insertLeaf(size: number, entry: number, completed: readonly Uint8Array[]): void {
    this.#run('insertLeaf', size, entry);
    let position = completeSubtrees(size);
    for (const hash of completed) this.#run('insertNode', position++, hash);
  }

  /** @throws VtlicError `ledger_corrupt` where it is missing */
  node(position: number): Uint8Array {
    const hash = this.#one('node', position)?.[0];
    if (hash === undefined) throw ledgerCorrupt(`node ${position} of the tree is missing`);
    return blob(hash, 32);
  }

  lastClock(): number | undefined {
    return optionalInteger(this.#one('lastClock')?.[0]);
  }

  isClock(seq: number): boolean {
    return this.#one('isClock', seq) !== undefined;
  }

  insertClock(seq: number): void {
    this.#run('insertClock', seq);
  }

  #statement(name: Name): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(SQL[name]);
      statement.setReturnArrays(true);
      this.#statements.set(name, statement);
    }
    return statement;
  }

  #one(name: Name, ...values: readonly SQLInputValue[]): Row | undefined {
    // `setReturnArrays` changes what comes; the library's types do not know.
    return this.#statement(name).get(...values) as unknown as Row | undefined;
  }

  #all(name: Name, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#statement(name).all(...values) as unknown as readonly Row[];
  }

  #run(name: Name, ...values: readonly SQLInputValue[]): void {
    this.#statement(name).run(...values);
  }
}

export function entryRow(row: Row): EntryRow {
  return { seq: integer(row[0]), kind: text(row[1]), at: integer(row[2]), body: blob(row[3]), chain: blob(row[4], 32) };
}

export function intentRow(row: Row): IntentRow {
  return {
    seq: integer(row[0]),
    ...lineageFromKey(text(row[1]), text(row[2]), text(row[3])),
    ctr: integer(row[4]),
    licenseId: blob(row[5], 16),
    issue: optionalInteger(row[6]),
    void: optionalInteger(row[7]),
    release: optionalInteger(row[8]),
  };
}

function lineageRow(row: Row): LineageRow {
  return { lineage: Object.freeze(lineageFromKey(text(row[0]), text(row[1]), text(row[2]))), ctr: integer(row[3]), issued: integer(row[4]) };
}

/** As `schema.ts` says: an absent deployment is ''. */
function key(lineage: Lineage): [sub: string, aud: string, dep: string] {
  return [lineage.sub, lineage.aud, lineage.dep ?? ''];
}

function lineageFromKey(sub: string, aud: string, dep: string): Lineage {
  return dep === '' ? { sub, aud } : { sub, aud, dep };
}

function optionally<T>(row: Row | undefined, read: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}

export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw ledgerCorrupt('a row holds something else where an integer should stand');
  return value;
}

function optionalInteger(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : integer(value);
}

function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw ledgerCorrupt('a row holds something else where a text should stand');
  return value;
}

export function blob(value: SQLOutputValue | undefined, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw ledgerCorrupt('a row holds something else where bytes should stand');
  return value;
}
