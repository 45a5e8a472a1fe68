/** Rows of the ledger's tables as values: each column has its type, or the ledger is damaged. */
import type { SQLOutputValue } from 'node:sqlite';
import { cleanText } from '../../../formats/clean-text.ts';
import { MAX_TIME } from '../../../formats/license/bounds.ts';
import { decodeBody } from '../entries/entry-body.ts';
import { ENTRY_KINDS, type Entry, type EntryKind } from '../entries/entry.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import type { CounterMove } from '../entries/counter-rule.ts';
import { RIGHTS_KINDS, type RightsChange } from '../entries/issuing-rights.ts';
import type { Lineage } from '../entries/lineage.ts';

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

/** The total of a lineage. */
export interface LineageTotal {
  /** seq of the last intent; 0 for none. */
  readonly intent: number;
  /** Its counter; 0 for none. */
  readonly ctr: number;
  /** How many counters acts gave to the lineage. */
  readonly given: number;
}

/** A tree, and where its rows begin. */
export interface LogRow {
  /** From 1. */
  readonly number: number;
  /** seq of the entry that opened it. */
  readonly entry: number;
  readonly logId: Uint8Array;
  readonly firstLeaf: number;
  readonly firstNode: number;
}

export const ADMIN_ROW_KINDS = [
  'log',
  'closed-log',
  'anchor',
  'import',
  'reopen',
  'close',
  'keyset-signing',
  'keyset',
] as const;

/** What an entry does to all lineages, or to all of one customer. */
export interface AdminRow extends CounterMove {
  readonly kind: (typeof ADMIN_ROW_KINDS)[number];
  /** '' for every customer. */
  readonly sub: string;
  /** Added to the counter bound; the column is called `reach`. */
  readonly boundIncrease: number;
}

/** A counter that an act gave to one lineage. */
export interface CounterRow extends Lineage {
  readonly seq: number;
  readonly ctr: number;
  readonly licenseId: Uint8Array | undefined;
}

export const ENTRY_COLUMNS = 'seq, kind, at, body, chain';
export const INTENT_COLUMNS = 'seq, sub, aud, dep, ctr, license_id, issue, void, release';
export const LOG_COLUMNS = 'number, entry, log_id, first_leaf, first_node';
export const ADMIN_COLUMNS = 'seq, kind, sub, skip, floor, reach';
export const COUNTER_COLUMNS = 'seq, sub, aud, dep, ctr, license_id';

export function entryRow(row: Row): EntryRow {
  return { seq: integer(row[0]), kind: text(row[1]), at: integer(row[2]), body: blob(row[3]), chain: blob(row[4], 32) };
}

export function intentRow(row: Row): IntentRow {
  const read: { -readonly [M in keyof IntentRow]: IntentRow[M] } = {
    seq: integer(row[0]),
    sub: text(row[1]),
    aud: text(row[2]),
    ctr: integer(row[4]),
    licenseId: blob(row[5], 16),
    issue: optionalInteger(row[6]),
    void: optionalInteger(row[7]),
    release: optionalInteger(row[8]),
  };
  const dep = text(row[3]);
  if (dep !== '') read.dep = dep;
  return read;
}

export function logRow(row: Row): LogRow {
  return {
    number: integer(row[0]),
    entry: integer(row[1]),
    logId: blob(row[2], 16),
    firstLeaf: integer(row[3]),
    firstNode: integer(row[4]),
  };
}

export function adminRow(row: Row): AdminRow {
  const kind = ADMIN_ROW_KINDS.find((known) => known === row[1]);
  if (kind === undefined) throw ledgerCorrupt('a row of the table "act" is of no kind that this version knows');
  return {
    seq: integer(row[0]),
    kind,
    sub: text(row[2]),
    skip: integer(row[3]),
    floor: integer(row[4]),
    boundIncrease: integer(row[5]),
  };
}

export function counterRow(row: Row): CounterRow {
  const licenseId = row[5];
  return {
    seq: integer(row[0]),
    ...lineageFromKey(text(row[1]), text(row[2]), text(row[3])),
    ctr: integer(row[4]),
    licenseId: licenseId === null || licenseId === undefined ? undefined : blob(licenseId, 16),
  };
}

export function rightsRow(row: Row): RightsChange {
  const kind = RIGHTS_KINDS.find((known) => known === row[1]);
  if (kind === undefined) throw ledgerCorrupt('a row of the table "act" neither closes nor opens');
  return { seq: integer(row[0]), kind, sub: text(row[2]) };
}

export function moveRow(row: Row): CounterMove {
  return { seq: integer(row[0]), skip: integer(row[1]), floor: integer(row[2]) };
}

export function lineageRow(row: Row): LineageRow {
  return {
    lineage: Object.freeze(lineageFromKey(text(row[0]), text(row[1]), text(row[2]))),
    ctr: integer(row[3]),
    issued: integer(row[4]),
  };
}

export function totalRow(row: Row): LineageTotal {
  return { intent: integer(row[0]), ctr: integer(row[1]), given: integer(row[2]) };
}

/** As `schema.ts` says: an absent deployment is ''. */
export function lineageColumns(lineage: Lineage): [sub: string, aud: string, dep: string] {
  return [lineage.sub, lineage.aud, lineage.dep ?? ''];
}

export function lineageFromKey(sub: string, aud: string, dep: string): Lineage {
  return dep === '' ? { sub, aud } : { sub, aud, dep };
}

export function optionally<T>(row: Row | undefined, read: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}

export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw ledgerCorrupt('a row has something else where an integer is expected');
  return value;
}

export function optionalInteger(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : integer(value);
}

export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw ledgerCorrupt('a row has something else where a text is expected');
  return value;
}

export function blob(value: SQLOutputValue | undefined, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length))
    throw ledgerCorrupt('a row has something else where bytes are expected');
  return value;
}

const KNOWN: ReadonlySet<string> = new Set(ENTRY_KINDS);

/**
 * A stored row as the entry that it says it is.
 *
 * @param row whose bytes nobody writes to: the body's byte strings are views of them
 * @throws VtlicError `ledger_corrupt` for a kind, a time or a body that this version does not know
 */
export function decodeEntry(row: EntryRow): Entry {
  const kind = kindOf(row);
  if (row.at < 0 || row.at > MAX_TIME) throw ledgerCorrupt(`entry ${row.seq}: its time ${row.at} is out of range`);
  const body = decodeBody(kind, row.body, `entry ${row.seq} (${kind})`);
  // `kind` and the body's type belong together by the codec table, which the compiler cannot follow through a union.
  return Object.freeze({ seq: row.seq, kind, at: row.at, body, chain: row.chain }) as Entry;
}

function kindOf(row: EntryRow): EntryKind {
  if (!isEntryKind(row.kind)) throw ledgerCorrupt(`entry ${row.seq}: its kind "${cleanText(row.kind, 40)}" is unknown`);
  return row.kind;
}

function isEntryKind(kind: string): kind is EntryKind {
  return KNOWN.has(kind);
}
