/**
 * Records which previews of the admin page were used, in a table of the product's PostgreSQL database, for replicas
 * that share one `secret`. No query depends on the one before, so a pool may use another connection for each.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PostgresClient } from '../runtime/index.ts';
import type { UsedTokens } from './options.ts';

export interface PostgresTokensOptions {
  /** A plain name, `vtlic_used_token` or `schema.vtlic_used_token`. The table is made where it does not exist. */
  readonly table?: string;
}

const NAME = /^[a-z_][a-z0-9_]{0,62}(?:\.[a-z_][a-z0-9_]{0,62})?$/;

/** @throws VtlicError `usage` for a name of a table that is not plain */
export function postgresTokens(
  client: PostgresClient,
  { table = 'vtlic_used_token' }: PostgresTokensOptions = {},
): UsedTokens {
  if (!NAME.test(table))
    throw new VtlicError('usage', `the table should have a plain name in lower case, not "${cleanText(table)}"`);
  let isReady = false;
  return {
    use: async (id, until) => {
      if (!isReady) await makeTable(client, table);
      isReady = true;
      // By the clock of the database, with an hour to spare: replicas whose clocks differ must not forget too early.
      await client.query(`DELETE FROM ${table} WHERE until < extract(epoch FROM now())::bigint - 3600`, []);
      const sql = `INSERT INTO ${table} (id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id`;
      return (await client.query(sql, [id, String(until)])).rows.length === 1;
    },
  };
}

/**
 * Ignores a failure: another replica may be making the table at the same moment. If the table is really missing, the
 * next query fails.
 */
async function makeTable(client: PostgresClient, table: string): Promise<void> {
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS ${table} (id text PRIMARY KEY, until bigint NOT NULL)`, []);
  } catch {
    // The next query says what is wrong.
  }
}
