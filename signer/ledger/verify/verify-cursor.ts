/** Rows of a table, read beside the record in the order in which they were made. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from '../record/corrupt.ts';
import { integer, type Row } from '../store/rows.ts';

export interface Cursor<T> {
  next(): T | undefined;
}

/** Rows a page: SQLite's own iterator costs several times as much a row. */
const PAGE = 256;

/**
 * All rows of a table by its integer key, which must be the first column.
 *
 * @param key its name
 */
export function tableCursor<T>(db: DatabaseSync, columns: string, table: string, read: (row: Row) => T): Cursor<T> {
  const [key = ''] = columns.split(',');
  let last: number | undefined;
  return paged(db, (started) => `SELECT ${columns} FROM ${table} ${started ? `WHERE ${key} > ? ` : ''}ORDER BY ${key} LIMIT ${PAGE}`, () => (last === undefined ? [] : [last]), (row) => {
    last = integer(row[0]);
    return read(row);
  });
}

/**
 * All rows in the order of (sub, aud, dep, fourth column), along an index of exactly these.
 */
export function lineageCursor(db: DatabaseSync, columns: string, tableAndIndex: string): Cursor<Row> {
  const names = columns.split(',').slice(0, 4).join(',');
  let last: Row | undefined;
  return paged(db, (started) => `SELECT ${columns} FROM ${tableAndIndex} ${started ? `WHERE (${names}) > (?, ?, ?, ?) ` : ''}ORDER BY ${names} LIMIT ${PAGE}`, () => (last === undefined ? [] : last.slice(0, 4)) as SQLInputValue[], (row) => {
    last = row;
    return row;
  });
}

function paged<T>(db: DatabaseSync, sql: (started: boolean) => string, after: () => readonly SQLInputValue[], read: (row: Row) => T): Cursor<T> {
  let page = rows(db, sql(false), []);
  let at = 0;
  let more: StatementSync | undefined;
  return {
    next: () => {
      if (at === PAGE) {
        more ??= prepare(db, sql(true));
        page = more.all(...after()) as unknown as readonly Row[];
        at = 0;
      }
      const row = page[at];
      if (row === undefined) return undefined;
      at++;
      return read(row);
    },
  };
}

function rows(db: DatabaseSync, sql: string, values: readonly SQLInputValue[]): readonly Row[] {
  return prepare(db, sql).all(...values) as unknown as readonly Row[];
}

function prepare(db: DatabaseSync, sql: string): StatementSync {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

export function wrongIndex(seq: number, what: string): VtlicError {
  return ledgerCorrupt(`the row of entry ${seq} in the tables beside the record ${what}`);
}
