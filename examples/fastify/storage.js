/** The records of the product, in PostgreSQL or in files: its users, and who did what on the admin page. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const openStorage = (pool, folder) => (pool === undefined ? fileStorage(folder) : postgresStorage(pool));

function fileStorage(folder) {
  const file = join(folder, 'users.json');
  let users = [];
  try {
    users = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return {
    users: async () => [...users],
    countUsers: async () => users.length,
    /** @returns false where all seats are used */
    addUser: async (name, seats) => {
      if (users.includes(name)) return true;
      if (seats !== 'unlimited' && users.length >= seats) return false;
      users = [...users, name];
      writeFileSync(`${file}.new`, JSON.stringify(users));
      renameSync(`${file}.new`, file);
      return true;
    },
    /** On the disk when it returns: the admin page installs nothing that it could not record. */
    audit: async (entry) => {
      const log = openSync(join(folder, 'audit.jsonl'), 'a', 0o600);
      try {
        writeSync(log, `${JSON.stringify(entry)}\n`);
        fsyncSync(log);
      } finally {
        closeSync(log);
      }
    },
    close: async () => {},
  };
}

async function postgresStorage(pool) {
  // Two replicas that start at once must not both make the tables.
  await inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(7305)');
    await client.query('CREATE TABLE IF NOT EXISTS vaultdesk_users (name text PRIMARY KEY)');
    await client.query('CREATE TABLE IF NOT EXISTS vaultdesk_audit (at timestamptz DEFAULT now(), entry jsonb)');
  });
  return {
    users: async () =>
      (await pool.query('SELECT name FROM vaultdesk_users ORDER BY name')).rows.map(({ name }) => name),
    countUsers: () => countUsers(pool),
    addUser: (name, seats) =>
      inTransaction(pool, async (client) => {
        // Two requests at once must not share the last seat.
        await client.query('LOCK TABLE vaultdesk_users IN EXCLUSIVE MODE');
        const known = await client.query('SELECT 1 FROM vaultdesk_users WHERE name = $1', [name]);
        if (known.rowCount > 0) return true;
        if (seats !== 'unlimited' && (await countUsers(client)) >= seats) return false;
        await client.query('INSERT INTO vaultdesk_users (name) VALUES ($1)', [name]);
        return true;
      }),
    audit: async (entry) => {
      await pool.query('INSERT INTO vaultdesk_audit (entry) VALUES ($1)', [JSON.stringify(entry)]);
    },
    close: () => pool.end(),
  };
}

const countUsers = async (client) =>
  Number((await client.query('SELECT count(*) AS users FROM vaultdesk_users')).rows[0].users);

async function inTransaction(pool, act) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await act(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
