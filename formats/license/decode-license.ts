/** A license's payload, read strictly: every key known, every required claim there, every type and bound kept. */
import { toHex } from '../bytes.ts';
import {
  type CborMap,
  cborTypeInWords,
  type CborValue,
  decodeCbor,
  isCborArray,
  isCborBytes,
  isCborMap,
} from '../cbor/index.ts';
import { cleanText } from '../clean-text.ts';
import { VtlicError } from '../error.ts';
import {
  HOST_BYTES,
  LICENSE_USES,
  MAX_COUNT,
  MAX_FEATURES,
  MAX_GRACE_SECONDS,
  MAX_HOSTS,
  MAX_LIMITS,
  MAX_NAME_CODE_POINTS,
  MAX_OFFLINE_SECONDS,
  MAX_REF_CODE_POINTS,
  MAX_TIME,
} from './bounds.ts';
import { CLAIM_KEYS, claimFault, isClaimKey, type License, type LicenseUse } from './license.ts';
import { decodeExt } from './ext.ts';
import { isId, isUuidV7Bytes, uuidFromBytes } from './id.ts';

type Field = keyof License;

const NO_FEATURES: readonly string[] = Object.freeze([]);
const NO_LIMITS: Readonly<Record<string, number>> = Object.freeze(Object.create(null) as Record<string, number>);

/**
 * Reads a payload whose signature is valid.
 *
 * @throws VtlicError `claims_malformed` or `claims_unknown`, in this order: a fault of the encoding (with its offset),
 *   no map, a key that is not known, a required claim that is missing, a type or a bound (with its field), and last
 *   the order of the times
 */
export function decodeLicense(payload: Uint8Array): License {
  const claims = claimsMap(payload);
  for (const key of claims.keys()) if (!isClaimKey(key)) throw unknownClaim(key);

  const license: { -readonly [F in keyof License]: License[F] } = {
    iss: id(required(claims, 'iss'), 'iss'),
    sub: id(required(claims, 'sub'), 'sub'),
    aud: id(required(claims, 'aud'), 'aud'),
    exp: integer(required(claims, 'exp'), 'exp', 0, MAX_TIME),
    nbf: integer(required(claims, 'nbf'), 'nbf', 0, MAX_TIME),
    iat: integer(required(claims, 'iat'), 'iat', 0, MAX_TIME),
    cti: licenseId(required(claims, 'cti')),
    ctr: integer(required(claims, 'ctr'), 'ctr', 1, MAX_COUNT),
    tier: id(required(claims, 'tier'), 'tier'),
    seats: seats(required(claims, 'seats')),
    features: NO_FEATURES,
    limits: NO_LIMITS,
  };

  const features = claims.get('features');
  if (features !== undefined) license.features = sortedFeatures(features);
  const limits = claims.get('limits');
  if (limits !== undefined) license.limits = limitsOf(limits);
  const instances = claims.get('instances');
  if (instances !== undefined) license.instances = integer(instances, 'instances', 1, MAX_COUNT);
  const hosts = claims.get('hosts');
  if (hosts !== undefined) license.hosts = sortedHosts(hosts);
  const grace = claims.get('grace');
  if (grace !== undefined) license.grace = integer(grace, 'grace', 0, MAX_GRACE_SECONDS);
  const offline = claims.get('offline');
  if (offline !== undefined) license.offline = integer(offline, 'offline', 0, MAX_OFFLINE_SECONDS);
  const dep = claims.get('dep');
  if (dep !== undefined) license.dep = id(dep, 'dep');
  const name = claims.get('name');
  if (name !== undefined) license.name = shownText(name, 'name', MAX_NAME_CODE_POINTS);
  const ref = claims.get('ref');
  if (ref !== undefined) license.ref = shownText(ref, 'ref', MAX_REF_CODE_POINTS);
  const upd = claims.get('upd');
  if (upd !== undefined) license.upd = integer(upd, 'upd', 0, MAX_TIME);
  const use = claims.get('use');
  if (use !== undefined) license.use = licenseUse(use);
  const clk = claims.get('clk');
  if (clk !== undefined) license.clk = onlyTrue(clk);
  // As it is encoded, whatever its type.
  const ext = claims.get('ext');
  if (isCborBytes(ext)) license.ext = decodeExt(ext);

  if (license.nbf >= license.exp) throw claimFault('nbf', 'it should be earlier than exp');
  if (license.iat >= license.exp) throw claimFault('iat', 'it should be earlier than exp');
  return Object.freeze(license);
}

function claimsMap(payload: Uint8Array): CborMap {
  let value: CborValue;
  try {
    // Nothing of a license is a byte string: what was one is kept as text.
    value = decodeCbor(payload, { views: true, encoded: 'ext' });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw new VtlicError('claims_malformed', `the payload is malformed: ${error.message}`, {
      ...error.place,
      cause: error,
    });
  }
  if (!isCborMap(value))
    throw new VtlicError(
      'claims_malformed',
      `the payload should be a map of claims, but it is ${cborTypeInWords(value)}`,
      { offset: 0 },
    );
  return value;
}

function unknownClaim(key: CborValue): VtlicError {
  const named =
    typeof key === 'string' ? `"${cleanText(key)}"` : typeof key === 'number' ? String(key) : cborTypeInWords(key);
  return new VtlicError('claims_unknown', `the payload has the claim ${named}, which this version does not know`, {
    hint: 'A newer version of the product may know it.',
    ...(typeof key === 'string' || typeof key === 'number'
      ? { field: typeof key === 'string' ? cleanText(key) : named }
      : {}),
  });
}

function required(claims: CborMap, field: Field): CborValue {
  const value = claims.get(CLAIM_KEYS[field]);
  if (value === undefined) throw claimFault(field, 'it is required, but it is missing');
  return value;
}

function id(value: CborValue, field: Field): string {
  if (typeof value !== 'string') throw wrongType(field, 'an id', value);
  if (!isId(value))
    throw claimFault(
      field,
      'it should be an id (a letter or digit, then up to 127 of letters, digits, ". _ : -"), ' +
        `but it is "${cleanText(value)}"`,
    );
  return value;
}

function integer(value: CborValue, field: string, min: number, max: number): number {
  if (typeof value !== 'number') throw wrongType(field, 'an integer', value);
  if (value < min || value > max) throw claimFault(field, `it should be between ${min} and ${max}, but it is ${value}`);
  return value;
}

function licenseId(value: CborValue): string {
  if (!isCborBytes(value)) throw wrongType('cti', 'a byte string', value);
  if (!isUuidV7Bytes(value))
    throw claimFault(
      'cti',
      'it should be the 16 bytes of a version 7 UUID, ' +
        `but it is ${value.length === 16 ? uuidFromBytes(value) : `${value.length} bytes`}`,
    );
  return uuidFromBytes(value);
}

function seats(value: CborValue): number | 'unlimited' {
  if (value === 'unlimited') return value;
  if (typeof value === 'string')
    throw claimFault('seats', `it should be an integer or the text "unlimited", but it is "${cleanText(value)}"`);
  return integer(value, 'seats', 0, MAX_COUNT);
}

function sortedFeatures(value: CborValue): readonly string[] {
  const items = filled(value, 'features', MAX_FEATURES);
  const features: string[] = [];
  let previous = '';
  for (const item of items) {
    const feature = id(item, 'features');
    // Ids are ASCII, so that the order of JavaScript strings is that of their bytes.
    if (feature <= previous)
      throw claimFault('features', `they should be sorted and unique, but "${feature}" comes after "${previous}"`);
    features.push(feature);
    previous = feature;
  }
  return Object.freeze(features);
}

function sortedHosts(value: CborValue): readonly string[] {
  const items = filled(value, 'hosts', MAX_HOSTS);
  const hosts: string[] = [];
  let previous = '';
  for (const item of items) {
    if (!isCborBytes(item)) throw wrongType('hosts', 'a list of byte strings', item);
    if (item.length !== HOST_BYTES)
      throw claimFault('hosts', `each fingerprint should have ${HOST_BYTES} bytes, but one has ${item.length}`);
    const host = toHex(item);
    if (host <= previous)
      throw claimFault('hosts', `they should be sorted and unique, but ${host} comes after ${previous}`);
    hosts.push(host);
    previous = host;
  }
  return Object.freeze(hosts);
}

function filled(value: CborValue, field: Field, max: number): readonly CborValue[] {
  if (!isCborArray(value)) throw wrongType(field, 'an array', value);
  if (value.length === 0) throw claimFault(field, 'it should be left out where it is empty');
  if (value.length > max) throw claimFault(field, `it should have at most ${max} items, but it has ${value.length}`);
  return value;
}

function limitsOf(value: CborValue): Readonly<Record<string, number>> {
  if (!isCborMap(value)) throw wrongType('limits', 'a map', value);
  if (value.size === 0) throw claimFault('limits', 'it should be left out where it is empty');
  if (value.size > MAX_LIMITS)
    throw claimFault('limits', `it should have at most ${MAX_LIMITS} keys, but it has ${value.size}`);
  const limits: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const [key, limit] of value) {
    const name = id(key, 'limits');
    limits[name] = integer(limit, `limits.${name}`, 0, MAX_COUNT);
  }
  return Object.freeze(limits);
}

function shownText(value: CborValue, field: Field, max: number): string {
  if (typeof value !== 'string') throw wrongType(field, 'a text', value);
  if (value.length === 0) throw claimFault(field, 'it should be left out where it is empty');
  const length = Array.from(value).length;
  if (length > max) throw claimFault(field, `it should have at most ${max} code points, but it has ${length}`);
  return value;
}

function licenseUse(value: CborValue): LicenseUse {
  if (typeof value !== 'string') throw wrongType('use', 'a text', value);
  const known = LICENSE_USES.find((use) => use === value);
  if (known === undefined)
    throw claimFault('use', `it should be one of ${LICENSE_USES.join(', ')}, but it is "${cleanText(value)}"`);
  return known;
}

function onlyTrue(value: CborValue): true {
  if (value !== true) throw claimFault('clk', `it should be true or left out, but it is ${cborTypeInWords(value)}`);
  return value;
}

function wrongType(field: string, expected: string, value: CborValue): VtlicError {
  return claimFault(field, `it should be ${expected}, but it is ${cborTypeInWords(value)}`);
}
