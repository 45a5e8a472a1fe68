/** A license's payload: the one encoding of its claims. */
import { fromHex } from '../bytes.ts';
import { type CborValue, encodeCbor } from '../cbor/index.ts';
import { CLAIM_KEYS, claimFault, type License } from './license.ts';
import { decodeLicense } from './decode-license.ts';
import { extToCbor } from './ext.ts';
import { uuidToBytes } from './id.ts';

/**
 * The payload bytes. Empty `features` and `limits` are left out; lists are taken as they come, already sorted.
 *
 * @throws VtlicError `claims_malformed` for whatever a verifier would refuse, found by reading the result again;
 *   `internal` for what no payload can contain (a fraction, a lone surrogate)
 */
export function encodeLicense(license: License): Uint8Array {
  const claims = new Map<CborValue, CborValue>();
  const set = (field: keyof License, value: CborValue | undefined): void => {
    if (value !== undefined) claims.set(CLAIM_KEYS[field], value);
  };
  // In the order of their encodings, which saves the encoder the sorting.
  set('iss', license.iss);
  set('sub', license.sub);
  set('aud', license.aud);
  set('exp', license.exp);
  set('nbf', license.nbf);
  set('iat', license.iat);
  set('cti', licenseIdBytes(license.cti));
  set('clk', license.clk);
  set('ctr', license.ctr);
  set('dep', license.dep);
  set('ext', license.ext === undefined ? undefined : extToCbor(license.ext));
  set('ref', license.ref);
  set('upd', license.upd);
  set('use', license.use);
  set('name', license.name);
  set('tier', license.tier);
  set('grace', license.grace);
  set('hosts', license.hosts?.map(hostBytes));
  set('seats', license.seats);
  const limits = Object.entries(license.limits);
  if (limits.length > 0) set('limits', new Map<CborValue, CborValue>(limits));
  set('offline', license.offline);
  if (license.features.length > 0) set('features', license.features);
  set('instances', license.instances);
  const payload = encodeCbor(claims);
  decodeLicense(payload);
  return payload;
}

function licenseIdBytes(cti: string): Uint8Array {
  const bytes = uuidToBytes(cti);
  if (bytes === undefined) throw claimFault('cti', 'it should be a version 7 UUID in lower-case text');
  return bytes;
}

function hostBytes(host: string): Uint8Array {
  const bytes = fromHex(host);
  if (bytes === undefined || host !== host.toLowerCase())
    throw claimFault('hosts', 'each fingerprint should be in lower-case hex digits');
  return bytes;
}
