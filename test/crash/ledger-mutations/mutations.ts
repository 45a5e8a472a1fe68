/**
 * Changes of a closed ledger behind the program's back: rows changed, deleted, copied and inserted in every table, with
 * keys at every bound and values that look right; an index that differs from its table; objects of the schema;
 * pages and bytes of the file.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Random } from '../campaign/random.ts';
import { digest } from '../../unit/signer/ledger/ledger-inputs.ts';

export interface Mutation {
  /** `rows` and `index` change what a table or an index contains; `page` may also change bytes that nothing reads. */
  readonly kind: 'rows' | 'index' | 'schema' | 'page';
  readonly what: string;
  /** Changes the closed file. @throws where SQLite does not take the change */
  readonly apply: (file: string) => void;
}

type Change = (db: DatabaseSync) => void;

const TABLES: Readonly<Record<string, readonly string[]>> = {
  entry: ['seq', 'kind', 'at', 'body', 'chain'],
  intent: ['seq', 'sub', 'aud', 'dep', 'ctr', 'license_id', 'issue', 'void', 'release'],
  leaf: ['leaf_index', 'entry'],
  node: ['position', 'hash'],
  clock: ['seq'],
  log: ['number', 'entry', 'log_id', 'first_leaf', 'first_node'],
  act: ['seq', 'kind', 'sub', 'skip', 'floor', 'reach'],
  counter: ['seq', 'sub', 'aud', 'dep', 'ctr', 'license_id'],
  lineage: ['sub', 'aud', 'dep', 'intent', 'ctr', 'given'],
};
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);
const INDEXES = [
  ['intent_by_lineage', 'intent'],
  ['intent_by_license_id', 'intent'],
  ['intent_open', 'intent'],
  ['intent_unreleased', 'intent'],
  ['counter_by_lineage', 'counter'],
  ['counter_by_license_id', 'counter'],
] as const;

/** Every bound that a key or a number has somewhere: of JavaScript, of SQLite, of this format. */
const BOUNDS: readonly SQLInputValue[] = [
  -(2n ** 63n),
  -(2n ** 53n),
  1n - 2n ** 53n,
  -1,
  0,
  1,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  null,
  '',
  '0',
  new Uint8Array(0),
  new Uint8Array(32),
  0.5,
];

/** Chooses changes of one ledger at random. */
export class Mutations {
  readonly #bytes: Buffer;
  readonly #random: Random;
  readonly #db: DatabaseSync;

  /** @param original the closed ledger, which stays as it is */
  constructor(original: string, random: Random) {
    this.#bytes = readFileSync(original);
    this.#random = random;
    this.#db = new DatabaseSync(':memory:');
    // A copy: whoever judges the changes puts other files in the place of the original.
    const copy = `${original}.original`;
    copyFileSync(original, copy);
    this.#db.prepare('ATTACH ? AS original').run(copy);
  }

  close(): void {
    this.#db.close();
  }

  next(): Mutation {
    const kind = this.#random.below(100);
    if (kind < 30) return this.#changedValue();
    if (kind < 40) return this.#deletedRow();
    if (kind < 50) return this.#copiedRow();
    if (kind < 62) return this.#insertedRow();
    if (kind < 70) return this.#changedBehindIndex();
    if (kind < 76) return this.#changedSchema();
    return this.#changedPage();
  }

  #changedValue(): Mutation {
    const table = this.#random.pick(TABLE_NAMES);
    const column = this.#random.pick(TABLES[table] ?? []);
    const value = this.#value(table, column);
    const at = this.#random.below(this.#count(table));
    return this.#rows(`${table}.${column} of row ${at} becomes ${inWords(value)}`, table, (db) => {
      db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${keyOf(table)} IN (${oneKey(table, at)})`).run(value);
    });
  }

  #deletedRow(): Mutation {
    const table = this.#random.pick(TABLE_NAMES);
    const at = this.#random.below(this.#count(table));
    return this.#rows(`row ${at} of ${table} is deleted`, table, (db) => {
      db.exec(`DELETE FROM ${table} WHERE ${keyOf(table)} IN (${oneKey(table, at)})`);
    });
  }

  /** A row once more, under another key: what is unique beside the key is changed as little as possible. */
  #copiedRow(): Mutation {
    const table = this.#random.pick(TABLE_NAMES);
    const columns = TABLES[table] ?? [];
    const at = this.#random.below(this.#count(table));
    const key = this.#value(table, columns[0] ?? '');
    const selected = columns.map((column, i) =>
      i === 0 ? '?' : column === 'license_id' ? 'randomblob(16)' : column === 'ctr' ? 'ctr + 1' : column,
    );
    return this.#rows(`row ${at} of ${table} once more with the key ${inWords(key)}`, table, (db) => {
      db.prepare(
        `INSERT INTO ${table} SELECT ${selected.join(', ')} FROM ${table} WHERE ${keyOf(table)} IN (${oneKey(table, at)})`,
      ).run(key);
    });
  }

  /** Each value is of some row, so the row looks like the others. */
  #insertedRow(): Mutation {
    const table = this.#random.pick(TABLE_NAMES);
    const columns = TABLES[table] ?? [];
    const values = columns.map((column, i) =>
      i === 0 && this.#random.below(2) === 0
        ? this.#random.pick(BOUNDS)
        : column === 'license_id'
          ? this.#randomId()
          : this.#someValue(table, column),
    );
    return this.#rows(`a new row of ${table}: ${values.map(inWords).join(', ')}`, table, (db) => {
      db.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`).run(...values);
    });
  }

  /** Changes the table while SQLite does not see the index, so that the two disagree. */
  #changedBehindIndex(): Mutation {
    const [index, table] = this.#random.pick(INDEXES);
    const column = this.#random.pick((TABLES[table] ?? []).slice(1));
    const value = this.#value(table, column);
    const at = this.#random.below(this.#count(table));
    const id = this.#randomId();
    const seq = this.#random.pick([-5, 0, 1_000_000]);
    const act = this.#random.pick(['changed', 'deleted', 'inserted'] as const);
    return {
      kind: 'index',
      what: `a row of ${table} (${at}, ${column} ${inWords(value)}) is ${act} while ${index} is out of sight`,
      apply: (file) => {
        hideIndex(file, index, (db) => {
          if (act === 'changed')
            db.prepare(`UPDATE ${table} SET ${column} = ? WHERE seq IN (${oneKey(table, at)})`).run(value);
          else if (act === 'deleted') db.exec(`DELETE FROM ${table} WHERE seq IN (${oneKey(table, at)})`);
          else
            db.prepare(`INSERT INTO ${table} (seq, sub, aud, dep, ctr, license_id) VALUES (?, ?, ?, '', 1, ?)`).run(
              seq,
              'acme-gmbh',
              'vaultdesk',
              id,
            );
        });
      },
    };
  }

  #changedSchema(): Mutation {
    const sql = this.#random.pick([
      'CREATE TRIGGER late AFTER INSERT ON intent BEGIN DELETE FROM counter; END',
      'CREATE VIEW acts AS SELECT * FROM act',
      'CREATE TABLE notes (note TEXT)',
      'CREATE INDEX entry_by_kind ON entry (kind)',
      'ANALYZE',
      'DROP INDEX intent_unreleased',
      'PRAGMA user_version = 1',
      'PRAGMA user_version = 0',
      'PRAGMA application_id = 0',
      "UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = 'act'",
      "UPDATE sqlite_schema SET sql = replace(sql, 'WHERE issue IS NULL AND void IS NULL', 'WHERE issue IS NULL') WHERE name = 'intent_open'",
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'leaf') WHERE name = 'clock'",
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'intent_unreleased') WHERE name = 'intent_open'",
      "INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_late', 'entry', 0, 'CREATE TRIGGER sqlite_late AFTER INSERT ON entry BEGIN DELETE FROM clock; END')",
      "INSERT INTO sqlite_schema SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'act'",
    ]);
    return {
      kind: 'schema',
      what: `schema: ${sql}`,
      apply: (file) => {
        withDatabase(file, (db) => {
          db.exec(`PRAGMA writable_schema = ON; ${sql}`);
        });
      },
    };
  }

  #changedPage(): Mutation {
    const size = this.#bytes.readUInt16BE(16);
    const pages = this.#bytes.length / size;
    const [page, other] = [this.#random.below(pages), this.#random.below(pages)];
    const at = page * size + (this.#random.below(3) === 0 ? this.#random.below(100) : this.#random.below(size));
    const value = this.#random.below(256);
    const whole = (from: number): Buffer => Buffer.from(this.#bytes.subarray(from * size, (from + 1) * size));
    const [what, edit] = this.#random.pick<readonly [string, (bytes: Buffer) => void]>([
      [`byte ${at} becomes ${value}`, (bytes) => bytes.writeUInt8(value, at)],
      [`a bit of byte ${at} is turned`, (bytes) => bytes.writeUInt8((bytes[at] ?? 0) ^ (1 << (value % 8)), at)],
      [
        `page ${page} becomes page ${other}`,
        (bytes) => {
          bytes.set(whole(other), page * size);
        },
      ],
      [
        `pages ${page} and ${other} change places`,
        (bytes) => {
          bytes.set(whole(other), page * size);
          bytes.set(whole(page), other * size);
        },
      ],
      [
        `page ${page} is zeroed`,
        (bytes) => {
          bytes.fill(0, page * size, (page + 1) * size);
        },
      ],
      [`the last page is missing`, () => undefined],
    ]);
    return {
      kind: 'page',
      what,
      apply: (file) => {
        const bytes = Buffer.from(this.#bytes);
        edit(bytes);
        writeFileSync(file, what.startsWith('the last') ? bytes.subarray(0, bytes.length - size) : bytes);
      },
    };
  }

  #value(table: string, column: string): SQLInputValue {
    return this.#random.below(2) === 0 ? this.#random.pick(BOUNDS) : this.#someValue(table, column);
  }

  #randomId(): Uint8Array {
    return digest(String(this.#random.next())).slice(0, 16);
  }

  /** A value that the column has in some row, or one beside it. */
  #someValue(table: string, column: string): SQLInputValue {
    const row = this.#db
      .prepare(`SELECT ${column} AS value FROM original.${table} LIMIT 1 OFFSET ?`)
      .get(this.#random.below(this.#count(table)));
    const value = row?.['value'] ?? null;
    return typeof value === 'number' && this.#random.below(2) === 0 ? value + this.#random.pick([-1, 1, 2]) : value;
  }

  #count(table: string): number {
    return Number(this.#db.prepare(`SELECT count(*) AS n FROM original.${table}`).get()?.['n']);
  }

  /** Without STRICT and NOT NULL, so that a column takes any type, as in a file that was edited by other means. */
  #rows(what: string, table: string, change: Change): Mutation {
    const { sql } = this.#db.prepare('SELECT sql FROM original.sqlite_schema WHERE name = ?').get(table) ?? {};
    const loose = String(sql)
      .replace(' STRICT, WITHOUT', ' WITHOUT')
      .replace(' STRICT', '')
      .replaceAll(' NOT NULL', '');
    const setSql = (text: string) => (db: DatabaseSync) => {
      db.exec('PRAGMA writable_schema = ON');
      db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(text, table);
    };
    return {
      kind: 'rows',
      what,
      apply: (file) => {
        withDatabase(file, setSql(loose));
        withDatabase(file, change);
        withDatabase(file, setSql(String(sql)));
      },
    };
  }
}

function hideIndex(file: string, index: string, change: Change): void {
  let kept: Record<string, SQLInputValue> | undefined;
  withDatabase(file, (db) => {
    db.exec('PRAGMA writable_schema = ON');
    kept = db.prepare('SELECT rowid, * FROM sqlite_schema WHERE name = ?').get(index);
    db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index);
  });
  withDatabase(file, change);
  withDatabase(file, (db) => {
    db.exec('PRAGMA writable_schema = ON');
    db.prepare('INSERT INTO sqlite_schema (rowid, type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?, ?)').run(
      ...Object.values(kept ?? {}),
    );
  });
}

function withDatabase(file: string, use: Change): void {
  const db = new DatabaseSync(file, { defensive: false });
  try {
    use(db);
  } finally {
    db.close();
  }
}

function keyOf(table: string): string {
  return table === 'lineage' ? '(sub, aud, dep)' : (TABLES[table]?.[0] ?? '');
}

function oneKey(table: string, at: number): string {
  const columns = table === 'lineage' ? 'sub, aud, dep' : (TABLES[table]?.[0] ?? '');
  return `SELECT ${columns} FROM ${table} ORDER BY ${columns} LIMIT 1 OFFSET ${at}`;
}

function inWords(value: SQLInputValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return JSON.stringify(value);
  return ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : String(value);
}
