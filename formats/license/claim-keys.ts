/** The keys of the claims map, and the fields of `License` that they are: every other key is refused. */
import type { CborValue } from '../cbor/index.ts';
import type { License } from './license.ts';

/** Registered claims have their number (RFC 8392 §3.1), the others their own name. */
export const CLAIM_KEYS: { readonly [Field in keyof License]-?: number | string } = Object.freeze({
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  ctr: 'ctr',
  tier: 'tier',
  seats: 'seats',
  features: 'features',
  limits: 'limits',
  instances: 'instances',
  hosts: 'hosts',
  grace: 'grace',
  offline: 'offline',
  dep: 'dep',
  name: 'name',
  ref: 'ref',
  upd: 'upd',
  use: 'use',
  clk: 'clk',
  ext: 'ext',
});

const KNOWN: ReadonlySet<CborValue> = new Set<CborValue>(Object.values(CLAIM_KEYS));

export function isClaimKey(key: CborValue): boolean {
  return KNOWN.has(key);
}
