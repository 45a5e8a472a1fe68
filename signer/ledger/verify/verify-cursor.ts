/** Rows of a table, read beside the record in the order in which they were made. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { blob, integer, text, type Row } from '../store/rows.ts';

export interface Cursor<T> {
  next(): T | undefined;
}

/** Rows a page: SQLite's own iterator costs several times as much a row. */
const PAGE = 256;

/** Columns that hold bytes (`schema.ts`). */
export const BYTES_COLUMNS: ReadonlySet<string> = new Set(['body', 'chain', 'hash', 'license_id', 'log_id']);

/** The rows whose key is greater than `after`, at most `limit`, in its order. */
export type PageReader = (after: number, limit: number) => readonly Row[];

/**
 * Rows of a table by its integer key, which must be the first column.
 *
 * A page comes as one row: each value that `node:sqlite` hands over costs a microsecond or two, which for the many short ones of a ledger
 * is more than all that is done with them. Numbers and texts are a JSON array a column, and of bytes one array tells the lengths. They stand
 * in the order in which the inner query gives the rows; in any other, the check would find an entry missing.
 */
export function pageReader(db: DatabaseSync, columns: string, table: string): PageReader {
  const names = columns.split(', ');
  const [key = ''] = names;
  const statement = prepare(
    db,
    `SELECT ${names.map(packedColumn).join(', ')} FROM (SELECT ${columns} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ?)`,
  );
  return (after, limit) => unpackPage(names, (statement.get(after, limit) ?? []) as unknown as Row);
}

/** All rows of a table, as `pageReader` gives them. */
export function tableCursor<T>(db: DatabaseSync, columns: string, table: string, read: (row: Row) => T): Cursor<T> {
  const page = pageReader(db, columns, table);
  let last = Number.MIN_SAFE_INTEGER;
  return paged(
    () => () => page(last, PAGE),
    (row) => {
      last = integer(row[0]);
      return read(row);
    },
  );
}

/**
 * What is not of the column's kind becomes null, which no reader of a row takes for a value. In SQLite every blob, and nothing else, is
 * as great as the empty one: that is asked instead of `typeof`, which takes several times as long.
 */
function packedColumn(name: string): string {
  if (!BYTES_COLUMNS.has(name)) return `json_group_array(iif(${name} < x'', ${name}, NULL))`;
  return `json_group_array(iif(${name} >= x'', length(${name}), NULL)), CAST(group_concat(${name}, '') AS BLOB)`;
}

function unpackPage(names: readonly string[], packed: Row): readonly Row[] {
  let next = 0;
  const columns = names.map((name) => {
    const values = JSON.parse(text(packed[next++])) as readonly SQLOutputValue[];
    return BYTES_COLUMNS.has(name) ? cut(values, packed[next++]) : values;
  });
  const count = columns[0]?.length ?? 0;
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) {
    const row: SQLOutputValue[] = [];
    for (const column of columns) row.push(column[i] ?? null);
    rows.push(row);
  }
  return rows;
}

/** Views of one value that holds all of a column. */
function cut(lengths: readonly SQLOutputValue[], packed: SQLOutputValue | undefined): readonly SQLOutputValue[] {
  const all = packed === null ? new Uint8Array(0) : blob(packed);
  const parts: SQLOutputValue[] = [];
  let at = 0;
  for (const length of lengths) {
    const end = at + (length === null ? 0 : integer(length));
    parts.push(length === null ? null : new Uint8Array(all.buffer as ArrayBuffer, all.byteOffset + at, end - at));
    at = end;
  }
  if (at !== all.length) throw ledgerCorrupt('a row holds something else where bytes should stand');
  return parts;
}

/**
 * All rows in the order of (sub, aud, dep, fourth column), along an index of exactly these.
 */
export function lineageCursor(db: DatabaseSync, columns: string, tableAndIndex: string): Cursor<Row> {
  const names = columns.split(',').slice(0, 4).join(',');
  let last: Row | undefined;
  return paged(
    (started) => {
      const statement = prepare(
        db,
        `SELECT ${columns} FROM ${tableAndIndex} ${started ? `WHERE (${names}) > (?, ?, ?, ?) ` : ''}ORDER BY ${names} LIMIT ${PAGE}`,
      );
      return () =>
        statement.all(
          ...((last === undefined ? [] : last.slice(0, 4)) as SQLInputValue[]),
        ) as unknown as readonly Row[];
    },
    (row) => {
      last = row;
      return row;
    },
  );
}

/** @param pages makes what reads a page: the first, or one after the row that was read last */
function paged<T>(pages: (started: boolean) => () => readonly Row[], read: (row: Row) => T): Cursor<T> {
  let page = pages(false)();
  let at = 0;
  let more: (() => readonly Row[]) | undefined;
  return {
    next: () => {
      if (at === PAGE) {
        more ??= pages(true);
        page = more();
        at = 0;
      }
      const row = page[at];
      if (row === undefined) return undefined;
      at++;
      return read(row);
    },
  };
}

function prepare(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

export function wrongIndex(seq: number, what: string): VtlicError {
  return ledgerCorrupt(`the row of entry ${seq} in the tables beside the record ${what}`);
}
