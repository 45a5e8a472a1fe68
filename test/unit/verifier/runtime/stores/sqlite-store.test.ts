/** The state in SQLite: the rows, what a check may not make, and rows that were deleted or damaged. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import { Worker } from 'node:worker_threads';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteStore, type SqliteDatabase } from '../../../../../verifier/runtime/stores/sqlite-store.ts';
import { inWords, thrown } from '../../../../support/thrown.ts';
import { expectRowOfItsOwn } from '../store-contract.ts';

const [ONE, TWO] = [Uint8Array.of(1), Uint8Array.of(2)];

let folder: string;
let path: string;
let database: DatabaseSync;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-sqlite-store-'));
  path = join(folder, 'state.sqlite');
  database = new DatabaseSync(':memory:');
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const rows = (of: DatabaseSync = database): readonly unknown[] =>
  of
    .prepare('SELECT * FROM vtlic_state ORDER BY id')
    .all()
    .map((row) => ({ ...row }));

describe('a store in the database of the product', () => {
  it('has a row for each product, with a revision that rises by one', async () => {
    const [store, other] = [sqliteStore(database), sqliteStore(database, { id: 'other' })];
    expect([store.name, other.name]).toEqual(Array(2).fill('the SQLite database of the product'));
    await expectRowOfItsOwn(store, other);
    expect(rows()).toEqual([
      { id: 'license', revision: 2, document: '02', lock_note: 'note' },
      { id: 'other', revision: 0, document: null, lock_note: null },
    ]);
    expect(await store.swapLock('note', undefined)).toBe(true);
    expect(await store.readLock()).toBeUndefined();
  });

  it('makes its row again where that was deleted', async () => {
    const store = sqliteStore(database);
    await store.write(ONE, undefined);
    database.exec('DELETE FROM vtlic_state');
    expect(await store.readLock()).toBeUndefined();
    expect(await store.read()).toBeUndefined();
    expect(await store.write(TWO, undefined)).toBe(true);
    expect(rows()).toEqual([{ id: 'license', revision: 1, document: '02', lock_note: null }]);
  });

  it('has a copy without bytes where that is not in hex', async () => {
    const store = sqliteStore(database);
    await store.write(ONE, undefined);
    database.exec("UPDATE vtlic_state SET document = 'damaged'");
    expect(await store.read()).toEqual({ document: new Uint8Array(), tag: '1' });
    expect(await store.write(TWO, '1')).toBe(true);
  });

  it('stays open: it is the product that closes it', async () => {
    const store = sqliteStore(database);
    await store.write(ONE, undefined);
    await store.close?.();
    expect((await store.read())?.document).toEqual(ONE);
    expect(rows()).toHaveLength(1);
  });

  it('asks for its table once, not at each reading', async () => {
    const made: string[] = [];
    const noting: SqliteDatabase = {
      exec: (sql) => {
        made.push(sql.replace(/\s.*/s, ''));
        database.exec(sql);
      },
      prepare: (sql) => database.prepare(sql),
      close: () => undefined,
    };
    const store = sqliteStore(noting);
    for (let i = 0; i < 3; i++) await store.read();
    expect(made).toEqual(['CREATE']);
  });
});

describe('a look at a store, which changes nothing', () => {
  it('finds no copy where there is no table, no row or no document', async () => {
    const store = sqliteStore(database);
    expect(await store.peek?.()).toBeUndefined();
    expect(database.prepare('SELECT name FROM sqlite_master').all()).toEqual([]);
    await sqliteStore(database, { id: 'other' }).write(ONE, undefined);
    expect(await store.peek?.()).toBeUndefined();
    expect(rows()).toHaveLength(1);
    await store.read();
    expect(await store.peek?.()).toBeUndefined();
    await store.write(TWO, undefined);
    expect(await store.peek?.()).toEqual({ document: TWO, tag: '1' });
    expect((await store.read())?.document).toEqual(TWO);
  });

  it('makes no file, and opens one for reading only', async () => {
    const store = sqliteStore(path);
    expect(await store.peek?.()).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    const writing = new DatabaseSync(path);
    writing.exec('PRAGMA user_version = 5');
    writing.close();
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = existsSync('/proc/self/fd') ? open() : 0;
    for (let i = 0; i < 3; i++) expect(await store.peek?.()).toBeUndefined();
    expect(existsSync('/proc/self/fd') ? open() : 0).toBe(before);
    await store.write(ONE, undefined);
    expect(await store.peek?.()).toEqual({ document: ONE, tag: '1' });
    expect((await store.read())?.document).toEqual(ONE);
    await store.close?.();
    expect(await store.peek?.()).toEqual({ document: ONE, tag: '1' });
  });
});

describe('a look at a database that a crash left', () => {
  it('changes neither it nor its log', async () => {
    const [store, left] = [sqliteStore(path), join(folder, 'left.sqlite')];
    await store.write(ONE, undefined);
    for (const end of ['', '-wal']) copyFileSync(path + end, left + end);
    await store.close?.();
    const before = ['', '-wal'].map((end) => readFileSync(left + end));
    expect(await sqliteStore(left).peek?.()).toEqual({ document: ONE, tag: '1' });
    expect(['', '-wal'].map((end) => readFileSync(left + end))).toEqual(before);
  });
});

describe('a store in a file of SQLite', () => {
  it('has one connection, and makes its file again that was removed while it was closed', async () => {
    const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
    const store = sqliteStore(path);
    await store.write(ONE, undefined);
    const before = open();
    for (let i = 0; i < 3; i++) expect((await store.read())?.document).toEqual(ONE);
    expect(open()).toBe(before);
    await store.close?.();
    rmSync(path);
    expect(await store.write(TWO, undefined)).toBe(true);
    expect((await store.read())?.document).toEqual(TWO);
    await store.close?.();
  });

  /** Another thread that keeps the database to itself for a moment. */
  async function keepBusy(): Promise<Worker> {
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
      const database = new (require('node:sqlite').DatabaseSync)(workerData);
      database.exec('BEGIN EXCLUSIVE');
      parentPort.postMessage('busy');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      database.exec('COMMIT');
      database.close();`,
      { eval: true, workerData: path },
    );
    await once(worker, 'message');
    return worker;
  }

  it('waits for another process that writes, also to look', async () => {
    const made = new DatabaseSync(path);
    made.exec('PRAGMA user_version = 5');
    made.close();
    const store = sqliteStore(path);
    for (const act of [() => store.peek?.(), () => store.write(ONE, undefined), () => store.read()]) {
      const worker = await keepBusy();
      await act();
      if (worker.threadId > 0) await once(worker, 'exit');
    }
    expect((await store.read())?.document).toEqual(ONE);
    await store.close?.();
  });

  it('is named by its path, survives its process in the mode of a log, and is closed with the store', async () => {
    const store = sqliteStore(path, { id: 'vaultdesk' });
    expect(store.name).toBe(`the SQLite database ${path}`);
    expect(readdirSync(folder)).toEqual([]);
    await store.write(ONE, undefined);
    expect(readdirSync(folder).toSorted()).toEqual(['state.sqlite', 'state.sqlite-shm', 'state.sqlite-wal']);
    await store.close?.();
    expect(readdirSync(folder)).toEqual(['state.sqlite']);
    const read = new DatabaseSync(path);
    expect(read.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(rows(read)).toEqual([{ id: 'vaultdesk', revision: 1, document: '01', lock_note: null }]);
    read.close();
    await store.close?.();
    expect((await store.read())?.document).toEqual(ONE);
    await store.close?.();
  });

  it('cannot be made where this Node.js has no SQLite', () => {
    const absent = mock.method(process, 'getBuiltinModule', () => undefined);
    try {
      const error = thrown(() => sqliteStore(path));
      expect(inWords(error)).toBe(`configuration_invalid: this Node.js (${process.versions.node}) has no node:sqlite`);
      expect(sqliteStore(database).name).toBe('the SQLite database of the product');
    } finally {
      absent.mock.restore();
    }
  });
});
