/** What is compiled into this product. The server and the command `vtlic-product` load this one module. */
import { readFileSync } from 'node:fs';
import { makeTrust, parsePublicKeys } from 'vtlic';
import { postgresStore } from 'vtlic/runtime';
import { pool } from './database.js';
import { clocks } from './try-clock.js';

const keys = parsePublicKeys(readFileSync(new URL('vendor.pem', import.meta.url)));

export default {
  issuer: 'example-vendor',
  product: 'vaultdesk',
  /** 2026-11-01. A new release has a new date; a security fix keeps the date of its release line. */
  buildDate: 1_793_491_200,
  keys: makeTrust({ keys: keys.map((key) => ({ key, purpose: 'license', status: 'active' })) }),
  freeTier: { tier: 'free', seats: 3, features: [], limits: {} },
  /** No variable of the environment can switch the license off. */
  compiledIn: { mode: 'onprem', production: true },
  stores: pool === undefined ? [] : [postgresStore(pool, { id: 'vaultdesk' })],
  ...(clocks === undefined ? {} : { clocks }),
};
