/** The rows of a table as a whole check reads them: a page as one value of each column. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { blob, text, type Row } from '../../../../../signer/ledger/store/rows.ts';
import { createTables } from '../../../../../signer/ledger/store/schema.ts';
import { BYTES_COLUMNS, tableCursor } from '../../../../../signer/ledger/verify/verify-cursor.ts';

const open: DatabaseSync[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

/** Not STRICT, so that any column can hold anything, as a damaged file might say. */
function table(rows: readonly (readonly SQLInputValue[])[]): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  open.push(db);
  db.exec('CREATE TABLE t (key INTEGER PRIMARY KEY, kind, body, chain)');
  const insert = db.prepare('INSERT INTO t VALUES (?, ?, ?, ?)');
  db.exec('BEGIN');
  for (const row of rows) insert.run(...row);
  db.exec('COMMIT');
  return db;
}

function read(db: DatabaseSync): Row[] {
  const cursor = tableCursor(db, 'key, kind, body, chain', 't', (row) => row);
  const rows: Row[] = [];
  for (let row = cursor.next(); row !== undefined; row = cursor.next()) rows.push(row);
  return rows;
}

const bytes = fc.uint8Array({ maxLength: 40 });
const kind = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.integer(), fc.constant(null));

describe('a page of a table', () => {
  it('gives the rows that are stored, whatever bytes and texts they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(kind, fc.option(bytes), bytes), { maxLength: 30 }), (values) => {
        const rows = values.map(([a, b, c], i) => [i + 1, a, b, c]);
        expect(read(table(rows))).toEqual(rows);
      }),
    );
  });

  it.each([0, 1, 255, 256, 257, 512, 700])('of %i rows, each comes once and in order', (count) => {
    const rows = Array.from({ length: count }, (_, i) => [
      3 * i - 5,
      `k${i}`,
      new Uint8Array(i % 7).fill(i),
      Uint8Array.of(0, i >> 8, i & 255, 0),
    ]);
    expect(read(table(rows))).toEqual(rows);
  });

  it('bytes where another value should stand are none', () => {
    const [row] = read(table([[1, Uint8Array.of(65), Uint8Array.of(1), Uint8Array.of(2)]]));
    expect(() => text(row?.[1])).toThrow('where a text should stand');
  });

  it.each([
    ['text', 'ab'],
    ['text of as many letters as bytes', '\u0001\u0002'],
    ['number', 7],
    ['fraction', 0.5],
  ])('a %s where bytes should stand is refused, also among bytes', (_name, value) => {
    expect(() =>
      read(
        table([
          [1, 'k', Uint8Array.of(1), value],
          [2, 'k', Uint8Array.of(1), Uint8Array.of(2)],
        ]),
      ),
    ).toThrow('where bytes should stand');
    expect(() => read(table([[1, 'k', value, Uint8Array.of(1)]]))).toThrow('where bytes should stand');
  });

  it('null where bytes should stand is none', () => {
    const [row] = read(table([[1, 'k', null, Uint8Array.of(2)]]));
    expect(() => blob(row?.[2])).toThrow('where bytes should stand');
  });
});

it('the columns that hold bytes are those of the schema', () => {
  const db = new DatabaseSync(':memory:');
  open.push(db);
  createTables(db);
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map((row) => String(row['name']));
  const blobs = tables.flatMap((name) =>
    db
      .prepare(`PRAGMA table_info(${name})`)
      .all()
      .filter((column) => column['type'] === 'BLOB')
      .map((column) => String(column['name'])),
  );
  expect(new Set(blobs)).toEqual(BYTES_COLUMNS);
});
