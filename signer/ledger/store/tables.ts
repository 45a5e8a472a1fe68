/**
 * Reads and appends rows of the ledger's tables, and answers what follows from a few of them by the rules of `entries`.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { ledgerCorrupt } from '../entries/errors.ts';
import { movedCounter } from '../entries/counter-rule.ts';
import { IssuingRights } from '../entries/issuing-rights.ts';
import { lineageText, sameLineage, type Lineage } from '../entries/lineage.ts';
import { completeSubtrees, type ReadNode } from '../tree/merkle.ts';
import {
  adminRow,
  blob,
  counterRow,
  entryRow,
  rightsRow,
  integer,
  intentRow,
  lineageFromKey,
  lineageColumns,
  lineageRow,
  logRow,
  moveRow,
  optionalInteger,
  optionally,
  text,
  totalRow,
  type AdminRow,
  type CounterRow,
  type EntryRow,
  type IntentRow,
  type LineageRow,
  type LineageTotal,
  type LogRow,
  type Row,
} from './rows.ts';
import { hasTotals } from './schema.ts';
import { SQL, type StatementName } from './statements.ts';

/** How much of each kind of row there is, by the highest key. */
export interface TableSizes {
  readonly entries: number;
  readonly leaves: number;
  readonly nodes: number;
}

const NO_TOTAL: LineageTotal = { intent: 0, ctr: 0, given: 0 };

function totalText({ intent, ctr, given }: LineageTotal): string {
  return `entry ${intent} with counter ${ctr} and ${given} taken over`;
}

export class Tables {
  readonly #db: DatabaseSync;
  readonly #statements: Map<StatementName, StatementSync> = new Map();
  #hasTotals = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  sizes(): TableSizes {
    const row = this.#one('sizes') ?? [];
    return {
      entries: optionalInteger(row[0]) ?? 0,
      leaves: (optionalInteger(row[1]) ?? -1) + 1,
      nodes: (optionalInteger(row[2]) ?? -1) + 1,
    };
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
  intentsOf(lineage: Lineage, highest: number, limit: number): readonly IntentRow[] {
    return this.#all('intentsOf', ...lineageColumns(lineage), highest, limit).map(intentRow);
  }

  lastIssuedOf(lineage: Lineage): IntentRow | undefined {
    return optionally(this.#one('lastIssuedOf', ...lineageColumns(lineage)), intentRow);
  }

  /** The counter of a lineage that was spent or skipped last; 0 for none. */
  lastCounter(lineage: Lineage): number {
    const columns = lineageColumns(lineage);
    const row = this.#one('lastIntentOf', ...columns);
    const [seq, ctr] = row === undefined ? [0, 0] : [integer(row[0]), integer(row[1])];
    if (row !== undefined) this.#requireIntent(seq, lineage, ctr);
    const given = this.#all('countersOf', ...columns).map(moveRow);
    this.#requireTotal(lineage, { intent: seq, ctr, given: given.length });
    const moves = [
      ...this.#all('movesOfAll', seq, lineage.sub).map(moveRow),
      ...given.filter((move) => move.seq > seq),
    ];
    return movedCounter(
      ctr,
      moves.sort((a, b) => a.seq - b.seq),
    );
  }

  /** The counter was read only from an index. */
  #requireIntent(seq: number, lineage: Lineage, ctr: number): void {
    const row = this.intent(seq);
    if (row?.ctr !== ctr || !sameLineage(row, lineage))
      throw ledgerCorrupt('an index does not fit its table (intent_by_lineage)');
  }

  /** A row that is missing from a table and its indexes would give a counter a second time. */
  #requireTotal(lineage: Lineage, found: LineageTotal): void {
    if (!this.hasTotals) return;
    const total = optionally(this.#one('totalOf', ...lineageColumns(lineage)), totalRow) ?? NO_TOTAL;
    if (total.intent !== found.intent || total.ctr !== found.ctr || total.given !== found.given)
      throw ledgerCorrupt(
        `its tables disagree on the counters of ${lineageText(lineage)}: they have ${totalText(found)}, ` +
          `but its total says ${totalText(total)}`,
      );
  }

  /** False for a ledger that an older program made, until it is opened for writing. */
  get hasTotals(): boolean {
    this.#hasTotals ||= hasTotals(this.#db);
    return this.#hasTotals;
  }

  openIntents(): readonly IntentRow[] {
    return this.#all('openIntents').map(intentRow);
  }

  unreleased(): readonly IntentRow[] {
    return this.#all('unreleased').map(intentRow);
  }

  lineages(after: Lineage | undefined, limit: number): readonly LineageRow[] {
    const [sub, aud, dep] = after === undefined ? ['', '', ''] : lineageColumns(after);
    return this.#all('lineages', sub, aud, dep, limit).map(lineageRow);
  }

  lineagesOf(sub: string, after: Lineage | undefined, limit: number): readonly LineageRow[] {
    return this.#all('lineagesOf', sub, after?.aud ?? '', after?.dep ?? '', limit).map(lineageRow);
  }

  customers(after: string, limit: number): readonly string[] {
    return this.#all('customers', after, limit).map((row) => text(row[0]));
  }

  insertIntent(seq: number, lineage: Lineage, ctr: number, licenseId: Uint8Array): void {
    this.#run('insertIntent', seq, ...lineageColumns(lineage), ctr, licenseId);
    this.#run('countIntent', ...lineageColumns(lineage), seq, ctr);
  }

  setIssue(intent: number, seq: number): void {
    this.#run('setIssue', seq, intent);
  }

  setVoid(intent: number, seq: number): void {
    this.#run('setVoid', seq, intent);
  }

  /** seq of the newest issue whose license was released. */
  lastReleasedIssue(): number | undefined {
    return optionalInteger(this.#one('lastReleasedIssue')?.[0]);
  }

  /** The first release stays. */
  setRelease(intent: number, seq: number): void {
    this.#run('setRelease', seq, intent);
  }

  /** seq of the entry that closed the counters of a customer; undefined while they are open. */
  closedBy(sub: string): number | undefined {
    const rights = new IssuingRights();
    for (const row of this.#all('rightsOf', sub)) rights.add(rightsRow(row));
    return rights.closedBy(sub);
  }

  /** seq of the entry that a leaf belongs to, by its place among the leaves of all logs. */
  leaf(index: number): number | undefined {
    return optionalInteger(this.#one('leaf', index)?.[0]);
  }

  /** Adds the leaf with index `size` of a log, and the subtrees that it completes, the leaf's own hash first. */
  insertLeaf(log: LogRow, size: number, entry: number, completed: readonly Uint8Array[]): void {
    this.#run('insertLeaf', log.firstLeaf + size, entry);
    let position = log.firstNode + completeSubtrees(size);
    for (const hash of completed) this.#run('insertNode', position++, hash);
  }

  /** The subtrees of one log by their positions in it. */
  nodesOf(log: LogRow): ReadNode {
    return (position) => this.node(log.firstNode + position);
  }

  /** @throws VtlicError `ledger_corrupt` where it is missing */
  node(position: number): Uint8Array {
    const hash = this.#one('node', position)?.[0];
    if (hash === undefined) throw ledgerCorrupt(`node ${position} of the tree is missing`);
    return blob(hash, 32);
  }

  clocks(): readonly number[] {
    return this.#all('clocks').map((row) => integer(row[0]));
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

  logs(): readonly LogRow[] {
    return this.#all('logs').map(logRow);
  }

  /** @throws VtlicError `ledger_corrupt` where there is none */
  lastLog(): LogRow {
    const log = optionally(this.#one('lastLog'), logRow);
    if (log === undefined) throw ledgerCorrupt('its table of logs is empty');
    return log;
  }

  insertLog(row: LogRow): void {
    this.#run('insertLog', row.number, row.entry, row.logId, row.firstLeaf, row.firstNode);
  }

  adminRow(seq: number): AdminRow | undefined {
    return optionally(this.#one('act', seq), adminRow);
  }

  /** Few, in a ledger's whole life. */
  adminRows(): readonly AdminRow[] {
    return this.#all('acts').map(adminRow);
  }

  insertAdminRow(row: AdminRow): void {
    this.#run('insertAdminRow', row.seq, row.kind, row.sub, row.skip, row.floor, row.boundIncrease);
  }

  /** What all acts up to an entry added to the counter bound, and how many of them closed something. */
  raised(seq: number): { readonly boundIncrease: number; readonly closes: number } {
    const row = this.#one('raised', seq);
    return { boundIncrease: optionalInteger(row?.[0]) ?? 0, closes: optionalInteger(row?.[1]) ?? 0 };
  }

  counter(seq: number): CounterRow | undefined {
    return optionally(this.#one('counter', seq), counterRow);
  }

  counterByLicenseId(licenseId: Uint8Array): CounterRow | undefined {
    return optionally(this.#one('counterByLicenseId', licenseId), counterRow);
  }

  reenteredOf(lineage: Lineage): readonly CounterRow[] {
    return this.#all('reenteredOf', ...lineageColumns(lineage)).map(counterRow);
  }

  reenteredOfCustomer(sub: string): readonly CounterRow[] {
    return this.#all('reenteredOfCustomer', sub).map(counterRow);
  }

  insertCounter(seq: number, lineage: Lineage, ctr: number, licenseId: Uint8Array | undefined): void {
    this.#run('insertCounter', seq, ...lineageColumns(lineage), ctr, licenseId ?? null);
    this.#run('countCounter', ...lineageColumns(lineage));
  }

  /** Every lineage with an intent or a counter of its own, in bytewise order. */
  knownLineages(after: Lineage | undefined, limit: number): readonly Lineage[] {
    const from = after === undefined ? (['', '', ''] as const) : lineageColumns(after);
    return this.#all('knownLineages', ...from, ...from, limit).map((row) =>
      lineageFromKey(text(row[0]), text(row[1]), text(row[2])),
    );
  }

  #statement(name: StatementName): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(SQL[name]);
      statement.setReturnArrays(true);
      this.#statements.set(name, statement);
    }
    return statement;
  }

  #one(name: StatementName, ...values: readonly SQLInputValue[]): Row | undefined {
    // `setReturnArrays` changes what comes; the library's types do not know.
    return this.#statement(name).get(...values) as unknown as Row | undefined;
  }

  #all(name: StatementName, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#statement(name).all(...values) as unknown as readonly Row[];
  }

  #run(name: StatementName, ...values: readonly SQLInputValue[]): void {
    this.#statement(name).run(...values);
  }
}
