/** A keyset's payload, read strictly: every member known, every type, bound and order checked. */
import { compareBytes, toHex } from '../bytes.ts';
import { isCborArray, isCborBytes, isCborMap, MapReader, type CborValue, type MapErrors } from '../cbor/index.ts';
import { cleanText } from '../clean-text.ts';
import { decodeCoseKey, type CoseKey } from '../cose-key.ts';
import { VtlicError } from '../error.ts';
import { MAX_COUNT, MAX_TIME } from '../license/bounds.ts';
import { isId, isLineage, isUuidV7Bytes, uuidFromBytes } from '../license/id.ts';
import {
  DIGEST_BYTES,
  ISSUING_PURPOSES,
  KEY_STATUSES,
  MAX_HONORED,
  MAX_ISSUING_KEYS,
  MAX_LOWEST_COUNTERS,
  MAX_REVOKED_LICENSES,
  MAX_ROOTS,
  MAX_SCOPE_ITEMS,
  type IssuingKey,
  type Keyset,
} from './keyset.ts';

type WritableKeyset = { -readonly [F in keyof Keyset]: Keyset[F] };

/**
 * Reads a payload. Does not check whether its keys are usable: importing them does.
 *
 * @throws VtlicError `claims_malformed` (with the member or the offset), or `claims_unknown` for a member that this
 *   version of the format does not know
 */
export function decodeKeyset(payload: Uint8Array): Keyset {
  const reader = MapReader.decode(payload, ERRORS, { views: true });
  const made = time(reader, 'made');
  const keyset: WritableKeyset = {
    iss: reader.textOf('iss', isId, 'an id'),
    version: reader.integer('version', 1, MAX_COUNT),
    made,
    roots: rootsOf(reader),
    threshold: reader.integer('threshold', 1, MAX_ROOTS),
    keys: issuingKeysOf(reader),
    requireComposite: false,
    revokedLicenses: revokedOf(reader),
    lowestCounters: lowestOf(reader),
  };
  if (reader.has('expires')) keyset.expires = time(reader, 'expires');
  if (reader.has('policy')) readPolicy(reader.map('policy'), keyset);
  reader.end();
  const { expires = Infinity } = keyset;
  if (expires <= made) throw malformed('expires', 'should be later than made');
  if (keyset.threshold > keyset.roots.length)
    throw malformed(
      'threshold',
      `should be at most the number of roots (${keyset.roots.length}), but it is ${keyset.threshold}`,
    );
  return Object.freeze(keyset);
}

function rootsOf(reader: MapReader): readonly CoseKey[] {
  const encodings = filled(reader, 'roots', MAX_ROOTS).map((item) => {
    if (!isCborBytes(item)) throw malformed('roots', 'should contain byte strings only');
    return item;
  });
  requireRising('roots', encodings);
  return Object.freeze(encodings.map((bytes) => coseKey('roots', bytes)));
}

function issuingKeysOf(reader: MapReader): readonly IssuingKey[] {
  const maps = reader.maps('keys');
  if (maps.length > MAX_ISSUING_KEYS)
    throw malformed('keys', `should have at most ${MAX_ISSUING_KEYS} items, but it has ${maps.length}`);
  const read = maps.map((map) => ({ encoding: map.bytes('key'), map }));
  requireRising(
    'keys',
    read.map(({ encoding }) => encoding),
  );
  return Object.freeze(read.map(({ encoding, map }) => issuingKey(encoding, map)));
}

function issuingKey(encoding: Uint8Array, reader: MapReader): IssuingKey {
  const key: { -readonly [F in keyof IssuingKey]: IssuingKey[F] } = {
    ...coseKey('keys.key', encoding),
    purpose: reader.oneOf('purpose', ISSUING_PURPOSES),
    status: reader.oneOf('status', KEY_STATUSES),
  };
  if (reader.has('products')) key.products = idsOf(reader, 'products');
  if (reader.has('tiers')) key.tiers = idsOf(reader, 'tiers');
  if (reader.has('from')) key.from = time(reader, 'from');
  if (reader.has('until')) key.until = time(reader, 'until');
  if (reader.has('honored')) key.honored = honoredOf(reader);
  reader.end();
  const { from = -Infinity, until = Infinity } = key;
  if (from >= until) throw malformed('from', 'should be earlier than until');
  if (key.honored !== undefined && key.status !== 'revoked')
    throw malformed('honored', `should be left out where the status of the key is ${key.status}`);
  return Object.freeze(key);
}

function coseKey(name: string, encoding: Uint8Array): CoseKey {
  try {
    return decodeCoseKey(encoding);
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw malformed(name, `should contain COSE_Keys of public keys, but one is refused: ${error.message}`, error);
  }
}

function idsOf(reader: MapReader, name: 'products' | 'tiers'): readonly string[] {
  const ids: string[] = [];
  let before = '';
  for (const item of filled(reader, name, MAX_SCOPE_ITEMS)) {
    if (typeof item !== 'string' || !isId(item)) throw malformed(name, 'should contain ids only');
    // Ids are ASCII, so that the order of JavaScript strings is that of their bytes.
    if (item <= before) throw malformed(name, NOT_RISING);
    ids.push(item);
    before = item;
  }
  return Object.freeze(ids);
}

function honoredOf(reader: MapReader): readonly string[] {
  const digests = filled(reader, 'honored', MAX_HONORED).map((item) => {
    if (!isCborBytes(item) || item.length !== DIGEST_BYTES)
      throw malformed('honored', `should contain byte strings of ${DIGEST_BYTES} bytes only`);
    return item;
  });
  requireRising('honored', digests);
  return Object.freeze(digests.map(toHex));
}

const NONE: readonly string[] = Object.freeze([]);

function revokedOf(reader: MapReader): readonly string[] {
  if (!reader.has('revoked')) return NONE;
  const ids = filled(reader, 'revoked', MAX_REVOKED_LICENSES).map((item) => {
    if (!isCborBytes(item) || !isUuidV7Bytes(item))
      throw malformed('revoked', 'should contain license ids only (the 16 bytes of a UUID of version 7)');
    return item;
  });
  requireRising('revoked', ids);
  return Object.freeze(ids.map(uuidFromBytes));
}

function lowestOf(reader: MapReader): ReadonlyMap<string, number> {
  const lowest = new Map<string, number>();
  if (!reader.has('lowest')) return lowest;
  const map = reader.value('lowest');
  if (!isCborMap(map)) throw malformed('lowest', 'should be a map');
  requireCount('lowest', map.size, MAX_LOWEST_COUNTERS);
  for (const [lineage, counter] of map) {
    if (typeof lineage !== 'string' || !isLineage(lineage))
      throw malformed('lowest', 'should have the texts of lineages as keys (iss/aud/sub or iss/aud/sub/dep)');
    if (typeof counter !== 'number' || counter < 1)
      throw malformed('lowest', `should have counters from 1 on, but that of ${cleanText(lineage)} is none`);
    lowest.set(lineage, counter);
  }
  return lowest;
}

function readPolicy(reader: MapReader, keyset: WritableKeyset): void {
  if (reader.has('composite')) {
    keyset.requireComposite = reader.boolean('composite');
    if (!keyset.requireComposite) throw malformed('composite', 'should be true or left out');
  }
  if (reader.has('ed25519_until')) keyset.ed25519Until = time(reader, 'ed25519_until');
  reader.end();
  if (!keyset.requireComposite && keyset.ed25519Until === undefined)
    throw malformed('policy', 'should be left out where it is empty');
}

function time(reader: MapReader, name: string): number {
  return reader.integer(name, 0, MAX_TIME);
}

function filled(reader: MapReader, name: string, max: number): readonly CborValue[] {
  const value = reader.value(name);
  if (!isCborArray(value)) throw malformed(name, value === undefined ? 'is missing' : 'should be an array');
  requireCount(name, value.length, max);
  return value;
}

function requireCount(name: string, count: number, max: number): void {
  if (count === 0) throw malformed(name, 'should be left out where it is empty');
  if (count > max) throw malformed(name, `should have at most ${max} items, but it has ${count}`);
}

const NOT_RISING = 'should be sorted by the bytes of its items, each once, but it is not';

function requireRising(name: string, items: readonly Uint8Array[]): void {
  for (const [i, item] of items.entries()) {
    const before = items[i - 1];
    if (before !== undefined && compareBytes(before, item) >= 0) throw malformed(name, NOT_RISING);
  }
}

const ERRORS: MapErrors = {
  member: malformed,
  unknown: () => new VtlicError('claims_unknown', 'the keyset has a member that this version does not know'),
  unreadable: (why, cause) =>
    new VtlicError('claims_malformed', `the payload is malformed: ${why}`, { ...cause?.place, cause }),
};

function malformed(field: string, what: string, cause?: unknown): VtlicError {
  return new VtlicError('claims_malformed', `the keyset is malformed: ${field} ${what}`, { field, cause });
}
