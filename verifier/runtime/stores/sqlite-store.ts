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

const WAIT = 'PRAGMA busy_timeout = 5000';

/**
 * @param database one that is open, or the path of a file
 * @throws VtlicError `configuration_invalid` for a path, where this Node.js has no SQLite
 */
export function sqliteStore(
  database: SqliteDatabase | string,
  { id = 'license' }: SqliteStoreOptions = {},
): StateStore {
  const source = typeof database === 'string' ? fileSource(database) : productSource(database);
  let ready = false;
  const open = (): SqliteDatabase => {
    const opened = source.open();
    if (!ready) {
      opened.exec(TABLE);
      opened.prepare('INSERT INTO vtlic_state (id, revision) VALUES (?, 0) ON CONFLICT DO NOTHING').run(id);
      ready = true;
    }
    return opened;
  };
  return {
    name: source.name,
    read: () =>
      settle(() => {
        const row = open().prepare(READ).get(id);
        // The row may have been deleted.
        if (row === undefined) ready = false;
        return copyOf(row);
      }),
    peek: () =>
      settle(() =>
        source.look((existing) =>
          existing.prepare(TABLE_EXISTS).get() === undefined ? undefined : copyOf(existing.prepare(READ).get(id)),
        ),
      ),
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
        source.close();
        ready = false;
      }),
  };
}

interface Source {
  readonly name: string;
  open(): SqliteDatabase;
  /** What `act` finds in the database as it is; undefined where there is none. */
  look<T>(act: (database: SqliteDatabase) => T): T | undefined;
  close(): void;
}

/** The product closes its database itself. */
function productSource(database: SqliteDatabase): Source {
  return {
    name: 'the SQLite database of the product',
    open: () => database,
    look: (act) => act(database),
    close: () => undefined,
  };
}

function fileSource(path: string): Source {
  const { DatabaseSync } = loadSqlite();
  let opened: SqliteDatabase | undefined;
  return {
    name: `the SQLite database ${path}`,
    open: () => {
      if (opened !== undefined) return opened;
      const database = new DatabaseSync(path);
      database.exec(`${WAIT}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
      opened = database;
      return database;
    },
    look: (act) => {
      if (!existsSync(path)) return undefined;
      const database = new DatabaseSync(path, { readOnly: true });
      try {
        database.exec(WAIT);
        return act(database);
      } finally {
        database.close();
      }
    },
    close: () => {
      opened?.close();
      opened = undefined;
    },
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
