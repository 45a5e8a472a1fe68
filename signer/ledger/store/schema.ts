/**
 * The tables of a ledger, and how a database is told from one.
 *
 * `entry` is the record. Everything else is derived from it, can be recomputed, and is held against it by `verify.ts`.
 */
import type { DatabaseSync } from 'node:sqlite';
import { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from '../entries/errors.ts';

/** "vtlc". */
const APPLICATION_ID = 0x76_74_6c_63;
const VERSION = 1;

/**
 * `intent.dep` is '' for an absent deployment (an id is never empty), for NULL is no member of a key.
 * `node.position` counts the complete subtrees in the order in which they become complete (`merkle.ts`),
 * so that every table but the indexes grows at its end. `leaf` and `node` hold the trees of all logs one behind the
 * other; `log` says where each begins. `act` and `counter` hold what acts do to counters: of all lineages (`act.sub` =
 * '' for every customer), and of one.
 */
const STATEMENTS: readonly string[] = [
  'CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, ' +
    'chain BLOB NOT NULL) STRICT',
  'CREATE TABLE intent (seq INTEGER PRIMARY KEY, sub TEXT NOT NULL, aud TEXT NOT NULL, dep TEXT NOT NULL, ctr ' +
    'INTEGER NOT NULL, license_id BLOB NOT NULL, issue INTEGER, void INTEGER, release INTEGER) STRICT',
  'CREATE UNIQUE INDEX intent_by_lineage ON intent (sub, aud, dep, ctr)',
  'CREATE UNIQUE INDEX intent_by_license_id ON intent (license_id)',
  'CREATE INDEX intent_open ON intent (seq) WHERE issue IS NULL AND void IS NULL',
  'CREATE INDEX intent_unreleased ON intent (seq) WHERE issue IS NOT NULL AND release IS NULL',
  'CREATE TABLE leaf (leaf_index INTEGER PRIMARY KEY, entry INTEGER NOT NULL) STRICT',
  'CREATE TABLE node (position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT',
  'CREATE TABLE clock (seq INTEGER PRIMARY KEY) STRICT',
  'CREATE TABLE log (number INTEGER PRIMARY KEY, entry INTEGER NOT NULL, log_id BLOB NOT NULL, first_leaf ' +
    'INTEGER NOT NULL, first_node INTEGER NOT NULL) STRICT',
  'CREATE TABLE act (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, sub TEXT NOT NULL, skip INTEGER NOT NULL, ' +
    'floor INTEGER NOT NULL, reach INTEGER NOT NULL) STRICT',
  'CREATE TABLE counter (seq INTEGER PRIMARY KEY, sub TEXT NOT NULL, aud TEXT NOT NULL, dep TEXT NOT NULL, ctr ' +
    'INTEGER NOT NULL, license_id BLOB) STRICT',
  'CREATE INDEX counter_by_lineage ON counter (sub, aud, dep, seq)',
  'CREATE INDEX counter_by_license_id ON counter (license_id) WHERE license_id IS NOT NULL',
];

/** Makes an empty database a ledger without entries, in WAL mode. */
export function createTables(db: DatabaseSync): void {
  // A license of two kilobytes and its intent share a page of this size; one of four would need chains of pages.
  db.exec('PRAGMA page_size = 8192');
  db.exec('PRAGMA journal_mode = WAL');
  setConnection(db);
  db.exec(
    `BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}; ` +
      `${STATEMENTS.join('; ')}; COMMIT`,
  );
}

/** What holds for a connection, not for the file. */
export function setConnection(db: DatabaseSync): void {
  db.exec(
    'PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA trusted_schema = OFF; PRAGMA ' +
      'cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864',
  );
}

/**
 * Refuses a database that is no ledger of this version. What SQLite itself throws passes.
 *
 * @throws VtlicError `ledger_corrupt` (not a ledger, or with other tables), `ledger_version` (a newer program made it)
 */
export function checkTables(db: DatabaseSync, file: string): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new VtlicError('ledger_corrupt', 'this is a SQLite database, but not a ledger', {
      file,
      hint: 'check the path; keep the file as it is if a ledger should stand here',
    });
  }
  const version = pragma(db, 'user_version');
  if (version !== VERSION) {
    throw new VtlicError(
      'ledger_version',
      `the ledger has version ${String(version)}, and this program knows version ${VERSION}`,
      { file, hint: 'use the release of this program that wrote it, or a newer one' },
    );
  }
  // In no order: VACUUM puts the tables before the indexes.
  const found = db
    .prepare("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all()
    .map((row) => row['sql']);
  const same = found.length === STATEMENTS.length && STATEMENTS.every((sql) => found.includes(sql));
  if (!same) throw ledgerCorrupt('its tables are not those of a ledger', { file });
}

const INDEXED_TABLES = ['intent', 'counter'] as const;

/**
 * Runs SQLite's own comparison of a table with its indexes, which also finds a duplicate in a unique one.
 *
 * @throws VtlicError `ledger_corrupt`
 */
export function checkIndexes(
  db: DatabaseSync,
  tables: readonly (typeof INDEXED_TABLES)[number][] = INDEXED_TABLES,
): void {
  for (const table of tables) {
    const result: unknown = db.prepare(`PRAGMA integrity_check('${table}')`).get()?.['integrity_check'];
    if (result !== 'ok')
      throw ledgerCorrupt(
        `an index does not fit its table (${typeof result === 'string' ? result.slice(0, 200) : 'no answer'})`,
      );
  }
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
