/** The rows of a table as a whole check reads them, page by page. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Row } from '../../../../../signer/ledger/store/rows.ts';
import { tableCursor } from '../../../../../signer/ledger/verify/verify-cursor.ts';

const open: DatabaseSync[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

/** Not STRICT, so that any column can contain any type, as in a damaged file. */
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

describe('a cursor over a table', () => {
  it('gives the rows that are stored, whatever bytes and texts they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(kind, fc.option(bytes), bytes), { maxLength: 30 }), (values) => {
        const rows = values.map(([a, b, c], i) => [i + 1, a, b, c]);
        expect(read(table(rows))).toEqual(rows);
      }),
    );
  });

  it.each([0, 1, 255, 256, 257, 512, 700])('gives each of %i rows once and in order', (count) => {
    const rows = Array.from({ length: count }, (_, i) => [
      3 * i - 5,
      `k${i}`,
      new Uint8Array(i % 7).fill(i),
      Uint8Array.of(0, i >> 8, i & 255, 0),
    ]);
    expect(read(table(rows))).toEqual(rows);
  });
});
