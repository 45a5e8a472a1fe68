/**
 * The tables of the state and of used previews in a real PostgreSQL, query by query. The driver of mutations runs these
 * tests too (test/mutation/suites.ts).
 */
import { mock } from 'node:test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postgresTokens } from '../../verifier/admin/postgres-tokens.ts';
import { postgresStore, type PostgresClient } from '../../verifier/runtime/stores/postgres-store.ts';
import { inWords, thrown } from '../support/thrown.ts';
import { expectFirstDocument, expectOneLock, expectRowOfItsOwn } from '../unit/verifier/runtime/store-contract.ts';
import { installPinned } from './pinned-packages.ts';
import { openPool, PostgresServer, type Pool } from './postgres-server.ts';

const [ONE, TWO] = [Uint8Array.of(1), Uint8Array.of(2)];

let server: PostgresServer;
let pool: Pool;
/** The pool, which notes the first words of each query. */
let client: PostgresClient;
let queries: string[];

beforeAll(() => {
  server = new PostgresServer();
  server.start();
});
afterAll(() => {
  server.remove();
});
beforeEach(async () => {
  pool = openPool(installPinned(), server.host);
  await pool.query('DROP TABLE IF EXISTS vtlic_state, vtlic_used_token', []);
  queries = [];
  client = {
    query: (text, values) => {
      for (const value of values) if (value === undefined) throw new Error('a value is undefined');
      queries.push(text.split(' ').slice(0, 2).join(' '));
      return pool.query(text, values);
    },
  };
});
afterEach(async () => {
  mock.timers.reset();
  await pool.end();
});

const rowsOf = async (table: string): Promise<readonly unknown[]> =>
  (await pool.query(`SELECT * FROM ${table} ORDER BY id`, [])).rows;
const hasTable = async (table: string): Promise<boolean> =>
  (await pool.query('SELECT FROM pg_tables WHERE tablename = $1', [table])).rows.length > 0;

/** The code of the error of PostgreSQL. */
const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => (error as { readonly code?: unknown }).code,
  );

/** A connection that has a transaction open while `act` runs. */
async function within(sql: string, act: (commit: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const other = openPool(installPinned(), server.host);
  const connection = await (other as unknown as { connect(): Promise<Pool & { release(): void }> }).connect();
  try {
    await connection.query('BEGIN', []);
    await connection.query(sql, []);
    await act(() => connection.query('COMMIT', []));
  } finally {
    connection.release();
    await other.end();
  }
}

/** Waits for something that follows soon. */
async function until(happened: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!happened()) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

describe('a store in PostgreSQL', () => {
  it('keeps a document, and replaces it only for whoever read the last one', async () => {
    const store = postgresStore(pool);
    expect(store.name).toBe('the PostgreSQL table vtlic_state');
    const read = await expectFirstDocument(store);
    const writes = await Promise.all([2, 3, 4].map((value) => store.write(Uint8Array.of(value), read?.tag)));
    expect(writes.filter(Boolean)).toHaveLength(1);
    const large = new Uint8Array(4 * 1024 * 1024).fill(7);
    expect(await store.write(large, (await store.read())?.tag)).toBe(true);
    expect((await store.read())?.document).toEqual(large);
  });

  it('has one lock, over all its connections', async () => {
    await expectOneLock(postgresStore(pool), 6, 10);
  });

  it('has a row for each product, with a revision that rises by one', async () => {
    const [store, other] = [postgresStore(client), postgresStore(client, { id: 'other' })];
    await expectRowOfItsOwn(store, other);
    expect(await rowsOf('vtlic_state')).toEqual([
      { id: 'license', revision: '2', document: '02', lock_note: 'note' },
      { id: 'other', revision: '0', document: null, lock_note: null },
    ]);
    expect(await store.swapLock('note', undefined)).toBe(true);
    expect(await store.readLock()).toBeUndefined();
  });

  it('makes its table and its row once, in a schema that may be named', async () => {
    const made = ['SELECT 1', 'CREATE TABLE', 'INSERT INTO', 'SELECT revision::text'];
    await pool.query('CREATE SCHEMA licensing', []);
    try {
      const store = postgresStore(client, { table: 'licensing.vtlic_state' });
      for (let i = 0; i < 2; i++) expect(await store.read()).toBeUndefined();
      expect(queries).toEqual([...made.slice(0, 3), 'SELECT revision::text', 'SELECT revision::text']);
      await postgresStore(client, { table: 'licensing.vtlic_state' }).readLock();
      expect(queries.slice(5)).toEqual(['SELECT 1', 'INSERT INTO', 'SELECT lock_note']);
      expect(await store.write(ONE, undefined)).toBe(true);
    } finally {
      await pool.query('DROP SCHEMA licensing CASCADE', []);
    }
  });

  it('makes its row again where that was deleted, and has a copy without bytes where that is damaged', async () => {
    const store = postgresStore(client);
    await store.write(ONE, undefined);
    await pool.query('DELETE FROM vtlic_state', []);
    expect(await store.readLock()).toBeUndefined();
    expect(await store.read()).toBeUndefined();
    expect(await store.write(TWO, undefined)).toBe(true);
    await pool.query("UPDATE vtlic_state SET document = 'damaged'", []);
    expect(await store.read()).toEqual({ document: new Uint8Array(), tag: '1' });
  });

  it('is looked at without a change', async () => {
    const store = postgresStore(client);
    expect(await store.peek?.()).toBeUndefined();
    expect(queries).toEqual(['SELECT 1']);
    expect(await hasTable('vtlic_state')).toBe(false);
    await postgresStore(pool, { id: 'other' }).write(TWO, undefined);
    expect(await store.peek?.()).toBeUndefined();
    expect(await rowsOf('vtlic_state')).toHaveLength(1);
    await store.write(ONE, undefined);
    expect(await store.peek?.()).toEqual({ document: ONE, tag: '1' });
  });

  it('finds the table that another process made at the same moment', async () => {
    const columns = 'id text PRIMARY KEY, revision bigint NOT NULL, document text, lock_note text';
    await within(`CREATE TABLE vtlic_state (${columns})`, async (commit) => {
      const writing = postgresStore(client).write(ONE, undefined);
      await until(() => queries.includes('CREATE TABLE'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await commit();
      expect(await writing).toBe(true);
    });
  });

  it('cannot be reached where its table cannot be made', async () => {
    expect(await codeOf(postgresStore(client, { table: 'nowhere.vtlic_state' }).read())).toBe('3F000');
  });

  it('cannot be reached where the server does not answer within five seconds, and leaves no timer', async () => {
    const store = postgresStore(pool);
    await store.write(ONE, undefined);
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await within('LOCK TABLE vtlic_state IN ACCESS EXCLUSIVE MODE', async (commit) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      let fault = '';
      const reading = store.read().catch((error: unknown) => (fault = String(error)));
      for (let i = 0; i < 20; i++) await turn();
      mock.timers.tick(4999);
      for (let i = 0; i < 20; i++) await turn();
      expect(fault).toBe('');
      mock.timers.tick(1);
      await reading;
      expect(fault).toBe('Error: the database did not answer within 5 seconds');
      mock.timers.reset();
      await commit();
    });
    const before = timers();
    for (let i = 0; i < 10; i++) await store.peek?.();
    // The pool has timers of its own, one for each connection.
    expect(timers()).toBeLessThanOrEqual(before + 3);
  });
});

describe('the used previews in PostgreSQL', () => {
  const [A, B, C] = ['0', '1', '2'].map((digit) => digit.repeat(32)) as [string, string, string];
  const HOUR = 3600;

  it('are noted once, in a table that is made once', async () => {
    const until = 9_999_999_999;
    const [tokens, other] = [postgresTokens(client), postgresTokens(client)];
    expect(await tokens.use(A, until)).toBe(true);
    expect(await tokens.use(A, until)).toBe(false);
    expect(await other.use(A, until)).toBe(false);
    expect(await other.use(B, until)).toBe(true);
    const use = ['DELETE FROM', 'INSERT INTO'];
    expect(queries).toEqual(['CREATE TABLE', ...use, ...use, 'CREATE TABLE', ...use, ...use]);
    expect(await rowsOf('vtlic_used_token')).toEqual([A, B].map((id) => ({ id, until: String(until) })));
  });

  it('are forgotten an hour after they expire, by the clock of the database', async () => {
    const tokens = postgresTokens(pool);
    const now = Math.floor(Date.now() / 1000);
    for (const [id, until] of [
      [A, now - HOUR - 60],
      [B, now - HOUR + 60],
    ] as const)
      expect(await tokens.use(id, until)).toBe(true);
    expect(await tokens.use(C, now)).toBe(true);
    expect((await rowsOf('vtlic_used_token')).map((row) => (row as { id: string }).id)).toEqual([B, C]);
  });

  it('go on in the table that another replica makes at the same moment', async () => {
    await within('CREATE TABLE vtlic_used_token (id text PRIMARY KEY, until bigint NOT NULL)', async (commit) => {
      const using = postgresTokens(client).use(A, 5);
      await until(() => queries.includes('CREATE TABLE'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await commit();
      expect(await using).toBe(true);
    });
  });

  it('are an error where the table cannot be made', async () => {
    expect(await codeOf(Promise.resolve(postgresTokens(client, { table: 'nowhere.tokens' }).use(A, 5)))).toBe('42P01');
  });
});

describe('the name of a table', () => {
  const LONGEST = `a${'b'.repeat(62)}`;
  const makers = [
    ['the state', (table: string) => postgresStore(client, { table })],
    ['the used previews', (table: string) => postgresTokens(client, { table })],
  ] as const;

  it.each(makers)('of %s is plain, and may be in a schema', (_what, make) => {
    for (const name of ['a', '_', 'vtlic_state2', LONGEST, `${LONGEST}.${LONGEST}`, 'a.b']) make(name);
    for (const name of ['', '2a', 'A', 'a-b', 'a b', 'a.b.c', '.a', 'a.', 'a.2', 'a; drop table b', 'a"', 'a\n']) {
      const said = inWords(thrown(() => make(name)));
      expect(said).toMatch(/^usage: the table should have a plain name in lower case, not "/);
    }
    for (const name of [`${LONGEST}c`, `${LONGEST}c.a`, `a.${LONGEST}c`])
      expect(() => make(name)).toThrow('plain name');
    expect(inWords(thrown(() => make('a\u001bb')))).toContain('not "a\\u{001B}b"');
    expect(queries).toEqual([]);
  });
});
