/**
 * The state in a table of the product's PostgreSQL database: for several replicas, on several hosts. It needs nothing
 * but a function that runs a query, as `Pool` and `Client` of the package `pg` have it; each query is independent, so
 * that a pool may use any connection for it.
 */
import { cleanText } from '../../../formats/clean-text.ts';
import { fromHex, toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { errorCodeOf } from '../../../files/index.ts';
import type { StateStore, StoredCopy } from './store.ts';

/** What `Pool` and `Client` of `pg` have. */
export interface PostgresClient {
  query(text: string, values: (string | null)[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface PostgresStoreOptions {
  /** A plain name, `vtlic_state` or `schema.vtlic_state`. The table is made where it does not exist. */
  readonly table?: string;
  /** Of the table's row: several products may share a database. Default `license`. */
  readonly id?: string;
}

const NAME = /^[a-z_][a-z0-9_]{0,62}(?:\.[a-z_][a-z0-9_]{0,62})?$/;

/** Two processes that make the table at once: one of them fails with one of these, and the table is there. */
const EXISTS_ALREADY: ReadonlySet<unknown> = new Set(['23505', '42P07', '42710']);

/** A query that PostgreSQL does not answer for so long counts as a store that cannot be reached. */
const QUERY_MILLISECONDS = 5000;

/** @throws VtlicError `usage` for a name of a table that is not plain */
export function postgresStore(
  client: PostgresClient,
  { table = 'vtlic_state', id = 'license' }: PostgresStoreOptions = {},
): StateStore {
  if (!NAME.test(table))
    throw new VtlicError('usage', `the table should have a plain name in lower case, not "${cleanText(table)}"`);
  let ready = false;
  const run = async (text: string, values: (string | null)[]): Promise<readonly Record<string, unknown>[]> => {
    const { rows } = await within(client.query(text, values));
    return rows as readonly Record<string, unknown>[];
  };
  const hasTable = async (): Promise<boolean> =>
    (await run('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [table])).length > 0;
  const prepared = async (): Promise<void> => {
    if (ready) return;
    if (!(await hasTable())) await makeTable(run, table);
    await run(`INSERT INTO ${table} (id, revision) VALUES ($1, 0) ON CONFLICT DO NOTHING`, [id]);
    ready = true;
  };
  const first = async (text: string, values: (string | null)[]): Promise<Record<string, unknown> | undefined> => {
    await prepared();
    return (await run(text, values))[0];
  };
  return {
    name: `the PostgreSQL table ${table}`,
    read: async () => {
      const sql = `SELECT revision::text AS revision, document FROM ${table} WHERE id = $1`;
      const row = await first(sql, [id]);
      // The row may have been deleted, or the table restored without it.
      if (row === undefined) ready = false;
      return copyOf(row);
    },
    peek: async () => {
      if (!(await hasTable())) return undefined;
      const sql = `SELECT revision::text AS revision, document FROM ${table} WHERE id = $1`;
      return copyOf((await run(sql, [id]))[0]);
    },
    write: async (document, expected) => {
      const condition =
        expected === undefined
          ? 'document IS NULL AND $3::text IS NULL'
          : 'document IS NOT NULL AND revision::text = $3';
      const set = 'document = $1, revision = revision + 1';
      const sql = `UPDATE ${table} SET ${set} WHERE id = $2 AND ${condition} RETURNING id`;
      return (await first(sql, [toHex(document), id, expected ?? null])) !== undefined;
    },
    readLock: async () => {
      const note = (await first(`SELECT lock_note FROM ${table} WHERE id = $1`, [id]))?.['lock_note'];
      return typeof note === 'string' ? note : undefined;
    },
    swapLock: async (expected, next) => {
      const sql = `UPDATE ${table} SET lock_note = $1 WHERE id = $2 AND lock_note IS NOT DISTINCT FROM $3 RETURNING id`;
      return (await first(sql, [next ?? null, id, expected ?? null])) !== undefined;
    },
  };
}

/** What is not in hex is a damaged copy: no bytes are no state. */
function copyOf(row: Record<string, unknown> | undefined): StoredCopy | undefined {
  const { revision, document } = row ?? {};
  if (typeof document !== 'string') return undefined;
  return { document: fromHex(document) ?? new Uint8Array(), tag: String(revision) };
}

type Run = (text: string, values: (string | null)[]) => Promise<readonly Record<string, unknown>[]>;

async function makeTable(run: Run, table: string): Promise<void> {
  const columns = 'id text PRIMARY KEY, revision bigint NOT NULL, document text, lock_note text';
  try {
    await run(`CREATE TABLE IF NOT EXISTS ${table} (${columns})`, []);
  } catch (error) {
    if (!EXISTS_ALREADY.has(errorCodeOf(error))) throw error;
  }
}

/** A server that went away may leave a query without an answer for many minutes. */
async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the database did not answer within ${QUERY_MILLISECONDS / 1000} seconds`));
    }, QUERY_MILLISECONDS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
