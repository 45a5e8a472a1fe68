/**
 * The tables of a ledger, and how a database is distinguished from one.
 *
 * `entry` is the record. Everything else is derived from it, can be recomputed, and is compared with it by `verify.ts`.
 */
import type { DatabaseSync } from 'node:sqlite';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from '../entries/errors.ts';

/** "vtlc". */
const APPLICATION_ID = 0x76_74_6c_63;
const VERSION = 2;
/** Has no table `lineage`. It is read as it is; opening it for writing adds the table. */
const VERSION_WITHOUT_TOTALS = 1;

/**
 * `intent.dep` is '' for an absent deployment (an id is never empty), for NULL is not a member of a key.
 * `node.position` counts the complete subtrees in the order in which they become complete (`merkle.ts`),
 * so that every table but the indexes grows at its end. `leaf` and `node` have the trees of all logs one behind the
 * other; `log` says where each begins. `act` and `counter` say what acts do to counters: of all lineages (`act.sub` =
 * '' for every customer), and of one. `lineage` contains a total of each lineage: seq and counter of its last intent (0
 * for none), and how many rows of `counter` it has. A look-up of one lineage is compared with it, so that a row which
 * went missing is noticed without counting the others.
 */
const TOTALS =
  'CREATE TABLE lineage (sub TEXT NOT NULL, aud TEXT NOT NULL, dep TEXT NOT NULL, intent INTEGER NOT NULL, ctr ' +
  'INTEGER NOT NULL, given INTEGER NOT NULL, PRIMARY KEY (sub, aud, dep)) STRICT, WITHOUT ROWID';

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
  TOTALS,
];

/** The totals of a ledger that was made without them, from its tables. */
const ADD_TOTALS: readonly string[] = [
  TOTALS,
  'INSERT INTO lineage SELECT sub, aud, dep, seq, max(ctr), 0 FROM intent GROUP BY sub, aud, dep',
  'INSERT INTO lineage SELECT sub, aud, dep, 0, 0, count(*) FROM counter WHERE true GROUP BY sub, aud, dep ' +
    'ON CONFLICT (sub, aud, dep) DO UPDATE SET given = excluded.given',
  `PRAGMA user_version = ${VERSION}`,
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

/** Settings of a connection, not of the file. */
export function setConnection(db: DatabaseSync): void {
  db.exec(
    'PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA trusted_schema = OFF; PRAGMA ' +
      'cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864',
  );
}

/**
 * Refuses a database that is not a ledger of a version that this program knows: it contains exactly the tables and
 * indexes of one, and no trigger, view or other table, whatever its name. What SQLite itself throws passes.
 *
 * @throws VtlicError `ledger_corrupt` (not a ledger, or with other tables), `ledger_version` (a newer program made it)
 */
export function checkTables(db: DatabaseSync, file: string): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new VtlicError('ledger_corrupt', 'this is a SQLite database, but not a ledger', {
      file,
      hint: 'check the path; keep the file as it is if this should be a ledger',
    });
  }
  const version = pragma(db, 'user_version');
  if (version !== VERSION && version !== VERSION_WITHOUT_TOTALS) {
    throw new VtlicError(
      'ledger_version',
      `the ledger has version ${String(version)}, and this program knows versions up to ${VERSION}`,
      { file, hint: 'use the release of this program that wrote it, or a newer one' },
    );
  }
  const expected = STATEMENTS.filter((sql) => version === VERSION || sql !== TOTALS).map(objectText);
  // In no order: VACUUM puts the tables before the indexes.
  const found = db
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema')
    .all()
    .map((row) => JSON.stringify([row['type'], row['name'], row['tbl_name'], row['sql']]));
  const foreign = found.find((text) => !expected.includes(text));
  if (foreign !== undefined || found.length !== expected.length || new Set(found).size !== found.length)
    throw ledgerCorrupt(
      'its tables are not those of a ledger' +
        (foreign === undefined ? '' : ` (it has ${cleanText(foreign, MAX_OBJECT_TEXT)})`),
      { file },
    );
}

const MAX_OBJECT_TEXT = 200;

/** An object of the schema as `sqlite_schema` describes it. */
function objectText(sql: string): string {
  const [, type = '', name = '', table = name] =
    /^CREATE (?:UNIQUE )?(TABLE|INDEX) (\w+)(?: ON (\w+))?/.exec(sql) ?? [];
  return JSON.stringify([type.toLowerCase(), name, table, sql]);
}

/** Whether the ledger has the table `lineage`. */
export function hasTotals(db: DatabaseSync): boolean {
  return pragma(db, 'user_version') === VERSION;
}

/**
 * Gives a ledger of an older program the table `lineage`. It first compares and counts what that program counted at
 * each start.
 *
 * @throws VtlicError `ledger_corrupt`
 */
export function addTotals(db: DatabaseSync): void {
  if (hasTotals(db)) return;
  checkIntegrity(db);
  const [outcomes] = db.prepare(OUTCOMES).all();
  if (outcomes?.['intents'] !== outcomes?.['leaves'])
    throw ledgerCorrupt(
      `its tables list ${String(outcomes?.['intents'])} finished counters, but the Merkle tree has ` +
        `${String(outcomes?.['leaves'])} leaves of them`,
    );
  db.exec(`BEGIN IMMEDIATE; ${ADD_TOTALS.join('; ')}; COMMIT`);
}

/** Intents with an issue or a void, and leaves that are not of an act: the same number in a whole ledger. */
const OUTCOMES =
  'SELECT (SELECT count(*) FROM intent WHERE issue IS NOT NULL OR void IS NOT NULL) AS intents, (SELECT count(*) ' +
  'FROM leaf WHERE entry NOT IN (SELECT seq FROM act UNION ALL SELECT entry FROM log UNION ALL SELECT seq FROM ' +
  'counter)) AS leaves';

/**
 * Runs SQLite's own check of the whole database: that scans and look-ups see the same rows, that each index fits its
 * table and contains no duplicate where it is unique, that each value has the type of its column.
 *
 * @throws VtlicError `ledger_corrupt`
 */
export function checkIntegrity(db: DatabaseSync): void {
  const result: unknown = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (result !== 'ok')
    throw ledgerCorrupt(
      `SQLite finds it damaged (${typeof result === 'string' ? cleanText(result, 200) : 'no answer'})`,
    );
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
