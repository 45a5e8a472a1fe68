/** Cursors over the tables of a ledger, for a whole check. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { integer, type Row } from '../store/rows.ts';

export interface Cursor<T> {
  next(): T | undefined;
}

/** Rows per page: the iterator of `node:sqlite` costs several times as much per row. */
const PAGE = 256;

/** All rows of a table, by its integer key, which must be the first column. */
export function tableCursor<T>(db: DatabaseSync, columns: string, table: string, read: (row: Row) => T): Cursor<T> {
  const [key = ''] = columns.split(', ');
  let last: number | undefined;
  return paged(
    (started) => {
      // The first page has no bound: a look-up would find a row with any key.
      const after = started ? `WHERE ${key} > ?` : '';
      const statement = prepare(db, `SELECT ${columns} FROM ${table} ${after} ORDER BY ${key} LIMIT ${PAGE}`);
      return () => statement.all(...(last === undefined ? [] : [last])) as unknown as readonly Row[];
    },
    (row) => {
      last = integer(row[0]);
      return read(row);
    },
  );
}

/** All rows in the order of (sub, aud, dep, fourth column), along an index of exactly these columns. */
export function lineageCursor(db: DatabaseSync, columns: string, tableAndIndex: string): Cursor<Row> {
  const names = columns.split(',').slice(0, 4).join(',');
  let last: Row | undefined;
  return paged(
    (started) => {
      const after = started ? `WHERE (${names}) > (?, ?, ?, ?)` : '';
      const statement = prepare(db, `SELECT ${columns} FROM ${tableAndIndex} ${after} ORDER BY ${names} LIMIT ${PAGE}`);
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

/** @param pages makes the function that reads a page: the first page, or the one after the row that was read last */
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
  return ledgerCorrupt(`the index row of entry ${seq} ${what}`);
}
