/**
 * The state in a table of an SQLite database: one that the product has open, or a file. `node:sqlite` is loaded only
 * for a file, and only when the store is made: Node.js 20 does not have it.
 */
import { existsSync } from 'node:fs';
import type * as NodeSqlite from 'node:sqlite';
import { fromHex, toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { StateStore, StoredCopy } from './store.ts';

/** What `DatabaseSync` of `node:sqlite` and `better-sqlite3` have in common. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export interface SqliteStatement {
  get(...values: (string | number | null)[]): unknown;
  run(...values: (string | number | null)[]): { readonly changes: number | bigint };
}

export interface SqliteStoreOptions {
  /** Of the table's row: several products may share a database. Default `license`. */
  readonly id?: string;
}

const TABLE = `CREATE TABLE IF NOT EXISTS vtlic_state (
  id TEXT PRIMARY KEY, revision INTEGER NOT NULL, document TEXT, lock_note TEXT) STRICT`;

const TABLE_EXISTS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'vtlic_state'";
const READ = 'SELECT revision, document FROM vtlic_state WHERE id = ?';

const BUSY_MILLISECONDS = 5000;

/**
 * @param database one that is open, or the path of a file
 * @throws VtlicError `configuration_invalid` for a path, where this Node.js has no SQLite
 */
export function sqliteStore(
  database: SqliteDatabase | string,
  { id = 'license' }: SqliteStoreOptions = {},
): StateStore {
  const path = typeof database === 'string' ? database : undefined;
  const sqlite = path === undefined ? undefined : loadSqlite();
  let opened = typeof database === 'string' ? undefined : database;
  let ready = false;
  const open = (): SqliteDatabase => {
    opened ??= openFile(sqlite, path);
    if (!ready) {
      opened.exec(TABLE);
      opened.prepare('INSERT INTO vtlic_state (id, revision) VALUES (?, 0) ON CONFLICT DO NOTHING').run(id);
      ready = true;
    }
    return opened;
  };
  return {
    name: path === undefined ? 'the SQLite database of the product' : `the SQLite database ${path}`,
    read: () =>
      settle(() => {
        const row = open().prepare(READ).get(id);
        // The row may have been deleted.
        if (row === undefined) ready = false;
        return copyOf(row);
      }),
    peek: () =>
      settle(() => {
        if (path !== undefined && opened === undefined && !existsSync(path)) return undefined;
        const database = opened ?? openReadOnly(sqlite, path);
        try {
          if (database.prepare(TABLE_EXISTS).get() === undefined) return undefined;
          return copyOf(database.prepare(READ).get(id));
        } finally {
          if (database !== opened) database.close();
        }
      }),
    write: (document, expected) =>
      settle(() => {
        const condition =
          expected === undefined ? 'document IS NULL' : 'document IS NOT NULL AND CAST(revision AS TEXT) = ?';
        const sql = `UPDATE vtlic_state SET document = ?, revision = revision + 1 WHERE id = ? AND ${condition}`;
        const { changes } = open()
          .prepare(sql)
          .run(toHex(document), id, ...(expected === undefined ? [] : [expected]));
        return Number(changes) === 1;
      }),
    readLock: () =>
      settle(() => {
        const row = open().prepare('SELECT lock_note FROM vtlic_state WHERE id = ?').get(id);
        const note = (row as { lock_note?: unknown } | undefined)?.lock_note;
        return typeof note === 'string' ? note : undefined;
      }),
    swapLock: (expected, next) =>
      settle(() => {
        const sql = 'UPDATE vtlic_state SET lock_note = ? WHERE id = ? AND lock_note IS ?';
        return (
          Number(
            open()
              .prepare(sql)
              .run(next ?? null, id, expected ?? null).changes,
          ) === 1
        );
      }),
    close: () =>
      settle(() => {
        if (path === undefined) return;
        opened?.close();
        [opened, ready] = [undefined, false];
      }),
  };
}

function settle<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(act());
  });
}

function loadSqlite(): typeof NodeSqlite {
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof NodeSqlite | undefined;
  if (sqlite === undefined)
    throw new VtlicError('configuration_invalid', `this Node.js (${process.versions.node}) has no node:sqlite`, {
      hint: 'Give sqliteStore() a database that better-sqlite3 opened, use Node.js 22.13 or later, or use a file.',
    });
  return sqlite;
}

/** What is not in hex is a damaged copy: no bytes are no state. */
function copyOf(row: unknown): StoredCopy | undefined {
  const { revision, document } = (row ?? {}) as { revision?: unknown; document?: unknown };
  if (typeof document !== 'string') return undefined;
  return { document: fromHex(document) ?? new Uint8Array(), tag: String(revision) };
}

function openReadOnly(sqlite: typeof NodeSqlite | undefined, path: string | undefined): SqliteDatabase {
  if (sqlite === undefined || path === undefined) throw new VtlicError('internal', 'the database was closed');
  const database = new sqlite.DatabaseSync(path, { readOnly: true });
  database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`);
  return database;
}

function openFile(sqlite: typeof NodeSqlite | undefined, path: string | undefined): SqliteDatabase {
  if (sqlite === undefined || path === undefined) throw new VtlicError('internal', 'the database was closed');
  const database = new sqlite.DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
  return database;
}
