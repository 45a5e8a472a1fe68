/**
 * One of several replicas: `node postgres-replica.ts PACKAGES HOST LICENSE FILE COUNTER`. It starts with the license,
 * installs the file, waits until the license with the counter is in force, and prints what it saw.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLicense, postgresStore } from '../../verifier/runtime/index.ts';
import { NBF, trust } from '../unit/verifier/sample.ts';
import { openPool } from './postgres-server.ts';

const [packages = '', host = '', path = '', file = '', counter = ''] = process.argv.slice(2);
const pool = openPool(packages, host);
let running = 0;
const license = await openLicense({
  environment: { NODE_ENV: 'production', DEPLOYMENT_MODE: 'onprem', LICENSE_PATH: path },
  issuer: 'example-vendor',
  product: 'vaultdesk',
  keys: trust(),
  freeTier: { tier: 'free', seats: 3, features: [], limits: {} },
  stores: [postgresStore(pool)],
  // Another one may have installed a renewal before this one has started with its own, older file.
  fallback: 'kept',
  clocks: { clock: () => NBF, monotonic: () => running },
});
const result = await license.install(readFileSync(file, 'utf8'));
for (let i = 0; i < 100 && license.view().license?.counter !== Number(counter); i++) {
  await sleep(100);
  // Longer than the time after which a process reads what others wrote.
  running += 600;
  await license.refresh();
}
const said = result.ok ? result.outcome : result.refusal.code;
process.stdout.write(`${said}, then ${license.state} ${license.view().license?.counter ?? ''}`);
await license.close();
await pool.end();
