/** The connections to PostgreSQL; undefined without DATABASE_URL, where the product keeps its records in files. */
import { readFileSync } from 'node:fs';
import pg from 'pg';

const { DATABASE_URL: url = '', DATABASE_PASSWORD_FILE: passwordFile = '' } = process.env;

export const pool = url === '' ? undefined : openPool();

function openPool() {
  const opened = new pg.Pool({
    connectionString: passwordFile === '' ? url : withPassword(readFileSync(passwordFile, 'utf8').trim()),
    max: 5,
    connectionTimeoutMillis: 5000,
    // The command `vtlic-product` ends when it has its answer.
    allowExitOnIdle: true,
  });
  // Without a listener, a connection that breaks while nobody uses it ends the process.
  opened.on('error', (error) => console.error(`database: ${error.message}`));
  return opened;
}

/** `pg` takes no password beside a connection string, only one that is in it. */
function withPassword(password) {
  const address = new URL(url);
  address.password = encodeURIComponent(password);
  return address.href;
}
