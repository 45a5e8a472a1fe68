/** Every rule of docs/keysets.md K1, one fault at a time. */
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import { isCborMap, type CborValue } from '../../../formats/cbor/value.ts';
import { encodeCoseKey } from '../../../formats/cose-key.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import { encodeKeyset } from '../../../formats/keyset/encode-keyset.ts';
import * as bounds from '../../../formats/keyset/keyset.ts';
import type { IssuingKey, Keyset } from '../../../formats/keyset/keyset.ts';
import { coseKeyOf, issuingKey, keysetOf, testKey } from '../../../conformance/examples/keysets.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const ROOTS = ['root a', 'root b'];
const full = keysetOf({
  version: 2,
  roots: ROOTS,
  threshold: 2,
  expires: 1_900_000_000,
  keys: [issuingKey('issuing', { status: 'revoked', honored: ['ab'.repeat(32)], tiers: ['pro'], products: ['p'] })],
  requireComposite: true,
  ed25519Until: 1_900_000_000,
  revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
  lowestCounters: new Map([['v/p/c', 1]]),
});
const payload = encodeKeyset(full);

function mapOf(bytes: Uint8Array): Map<CborValue, CborValue> {
  const value = decodeCbor(bytes);
  if (!isCborMap(value)) throw new Error('this is not a map');
  return new Map(value);
}

/** The payload with one member changed; undefined leaves it out. */
function withMember(name: string, value: CborValue | undefined): Uint8Array {
  const map = mapOf(payload);
  if (value === undefined) map.delete(name);
  else map.set(name, value);
  return encodeCbor(map);
}

/** The payload with one member of its issuing key changed. */
function withKeyMember(name: string, value: CborValue | undefined): Uint8Array {
  const keys = mapOf(payload).get('keys');
  const first = Array.isArray(keys) ? (keys[0] as ReadonlyMap<CborValue, CborValue>) : new Map<CborValue, CborValue>();
  const key = new Map(first);
  if (value === undefined) key.delete(name);
  else key.set(name, value);
  return withMember('keys', [key]);
}

const rootKeys = ROOTS.map((name) => {
  const { alg, publicBytes } = coseKeyOf(testKey(name));
  return encodeCoseKey(alg, publicBytes);
}).sort((a, b) => Buffer.compare(a, b));
const digests = (count: number, bytes = 32): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Uint8Array.of(...new Uint8Array(bytes - 3), i >> 16, i >> 8, i));
const id = fromHex('0193817a6c0070008000000000000001') ?? new Uint8Array();
/** Encodings of keys, rising. Nothing here asks whether they are points of the curve. */
const encodedKeys = (count: number): Uint8Array[] => digests(count).map((bytes) => encodeCoseKey('ed25519', bytes));
const encodedIssuingKeys = (count: number): CborValue[] =>
  encodedKeys(count).map(
    (key) =>
      new Map<CborValue, CborValue>([
        ['key', key],
        ['status', 'active'],
        ['purpose', 'license'],
      ]),
  );
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${1000 + i}`);
const MAX_TIME = 253_402_300_799;

describe('the payload of a keyset', () => {
  it('is read as it was written, and frozen', () => {
    const keyset = decodeKeyset(payload);
    const inOrder = full.roots.toSorted((a, b) => Buffer.compare(a.publicBytes, b.publicBytes));
    expect(keyset).toStrictEqual({ ...full, roots: inOrder });
    const parts = [keyset, keyset.roots, ...keyset.roots, keyset.keys, ...keyset.keys, keyset.revokedLicenses];
    const { products, tiers, honored } = keyset.keys[0] ?? {};
    expect([...parts, products, tiers, honored].map((part) => Object.isFrozen(part))).not.toContain(false);
  });

  it('has no policy, lists and dates but those that are written', () => {
    const least = keysetOf({ version: 1, roots: ['root a'] });
    expect(decodeKeyset(encodeKeyset(least))).toStrictEqual(least);
  });

  it.each<[Record<string, CborValue>, Partial<Keyset>]>([
    [{ composite: true }, { requireComposite: true }],
    [{ ed25519_until: 0 }, { ed25519Until: 0 }],
    [
      { composite: true, ed25519_until: MAX_TIME },
      { requireComposite: true, ed25519Until: MAX_TIME },
    ],
  ])('has the policy %j and no other one', (policy, expected) => {
    const bytes = withMember('policy', new Map(Object.entries(policy)));
    const { requireComposite, ed25519Until } = decodeKeyset(bytes);
    expect({ requireComposite, ed25519Until }).toEqual({
      requireComposite: false,
      ed25519Until: undefined,
      ...expected,
    });
  });

  const empty = 'should be left out where it is empty';
  const notRising = 'should be sorted by the bytes of its items, each once, but it is not';
  const noKey =
    'should contain COSE_Keys of public keys, but one is refused: this is not a COSE_Key of an Ed25519 or ' +
    'composite public key: exactly kty, crv, x (Ed25519) or kty, alg, pub (composite), deterministically encoded';
  const noLicenseId = 'should contain license ids only (the 16 bytes of a UUID of version 7)';
  const noLineage = 'should have the texts of lineages as keys (iss/aud/sub or iss/aud/sub/dep)';

  it.each<[name: string, value: CborValue | undefined, what: string, field?: string]>([
    ['iss', 'an issuer', 'should be an id'],
    ['version', '1', 'should be an integer, but it is a text'],
    ['version', 0, 'should be between 1 and 9007199254740991, but it is 0'],
    ['made', -1, 'should be between 0 and 253402300799, but it is -1'],
    ['expires', 1_796_083_200, 'should be later than made'],
    ['roots', undefined, 'is missing'],
    ['roots', 'roots', 'should be an array'],
    ['roots', [], empty],
    ['roots', encodedKeys(17), 'should have at most 16 items, but it has 17'],
    ['roots', [1], 'should contain byte strings only'],
    ['roots', rootKeys.toReversed(), notRising],
    ['roots', [rootKeys[0] ?? 0, rootKeys[0] ?? 0], notRising],
    ['roots', [new Uint8Array(40)], noKey],
    ['threshold', 17, 'should be between 1 and 16, but it is 17'],
    ['threshold', 3, 'should be at most the number of roots (2), but it is 3'],
    ['keys', undefined, 'should be an array, but it is nothing'],
    ['keys', encodedIssuingKeys(129), 'should have at most 128 items, but it has 129'],
    ['keys', encodedIssuingKeys(2).toReversed(), notRising],
    ['keys', [...encodedIssuingKeys(1), ...encodedIssuingKeys(1)], notRising],
    ['policy', new Map(), empty],
    ['policy', new Map([['composite', false]]), 'should be true or left out', 'composite'],
    ['revoked', [], empty],
    ['revoked', [1], noLicenseId],
    ['revoked', ['x'.repeat(16)], noLicenseId],
    ['revoked', [[...id]], noLicenseId],
    ['revoked', [id, id], notRising],
    ['lowest', [], 'should be a map'],
    ['lowest', new Map(), empty],
    ['lowest', new Map([['v/p', 1]]), noLineage],
    ['lowest', new Map([[1, 1]]), noLineage],
    ['lowest', new Map([['v/p/c', 0]]), 'should have counters from 1 on, but that of v/p/c is none'],
  ])('says what is wrong with %s %j', (name, value, what, field = name) => {
    const { code, message, place } = thrown(() => decodeKeyset(withMember(name, value)));
    expect({ code, message, place }).toEqual({
      code: 'claims_malformed',
      message: `the keyset is malformed: ${field} ${what}`,
      place: { field },
    });
  });

  it.each<[name: string, value: CborValue | undefined, what: string, field?: string]>([
    ['key', undefined, 'should be a byte string, but it is nothing'],
    ['key', new Uint8Array(40), noKey, 'keys.key'],
    ['purpose', 'root', 'should be one of license, license-key, but it is "root"'],
    ['status', 'lost', 'should be one of pre-published, active, retired, revoked, but it is "lost"'],
    ['status', 'active', 'should be left out where the status of the key is active', 'honored'],
    ['products', [], empty],
    ['products', [1], 'should contain ids only'],
    ['products', [['p']], 'should contain ids only'],
    ['products', ['a', 'c', 'b'], notRising],
    ['tiers', ['a', 'a'], notRising],
    ['tiers', ids(65), 'should have at most 64 items, but it has 65'],
    ['from', -1, 'should be between 0 and 253402300799, but it is -1'],
    ['honored', ['x'.repeat(32)], 'should contain byte strings of 32 bytes only'],
    ['honored', digests(2, 31), 'should contain byte strings of 32 bytes only'],
    ['honored', digests(2).toReversed(), notRising],
  ])('says what is wrong with %s %j in a key', (name, value, what, field = name) => {
    const { code, message, place } = thrown(() => decodeKeyset(withKeyMember(name, value)));
    expect({ code, message, place }).toEqual({
      code: 'claims_malformed',
      message: `the keyset is malformed: ${field} ${what}`,
      place: { field },
    });
  });

  it.each([
    ['iss', undefined],
    ['made', MAX_TIME + 1],
    ['made', undefined],
    ['expires', 0],
    ['roots', encodedKeys(bounds.MAX_ROOTS + 1)],
    ['threshold', 0],
    ['threshold', undefined],
    ['keys', [1]],
    ['keys', encodedIssuingKeys(bounds.MAX_ISSUING_KEYS + 1)],
    ['policy', new Map([['ed25519_until', -1]])],
    ['revoked', [new Uint8Array(16)]],
    ['revoked', digests(bounds.MAX_REVOKED_LICENSES + 1)],
    // Other types of as many characters or members.
    ['iss', 1],
    ['keys', 'keys'],
    ['policy', 1],
    ['policy', new Map([['composite', 1]])],
    ['revoked', [id.subarray(1)]],
    ['revoked', 'x'],
    ['lowest', new Map([['v/p/c', '1']])],
    ['lowest', new Map([['v/p/c', -1]])],
    ['expires', '1900000000'],
    ['expires', MAX_TIME + 1],
  ] as readonly (readonly [string, CborValue | undefined])[])('is malformed with %s %j', (name, value) => {
    expect(thrown(() => decodeKeyset(withMember(name, value)))).toMatchObject({ code: 'claims_malformed' });
  });

  it.each([
    ['purpose', undefined],
    ['status', 'stolen'],
    ['products', ['b', 'a']],
    ['products', ['a', 'a']],
    ['tiers', ['an id']],
    ['until', MAX_TIME + 1],
    ['honored', []],
    ['honored', digests(1, 31)],
    ['honored', digests(bounds.MAX_HONORED + 1)],
    ['honored', 'x'],
    ['key', 'x'.repeat(40)],
    ['products', 'p'],
    ['products', ids(bounds.MAX_SCOPE_ITEMS + 1)],
    ['from', '1'],
    ['until', '1'],
  ] as readonly (readonly [string, CborValue | undefined])[])('is malformed with %s %j in a key', (name, value) => {
    expect(thrown(() => decodeKeyset(withKeyMember(name, value)))).toMatchObject({ code: 'claims_malformed' });
  });

  it('takes each bound itself', () => {
    expect(decodeKeyset(withMember('roots', encodedKeys(bounds.MAX_ROOTS))).roots).toHaveLength(bounds.MAX_ROOTS);
    const keys = encodedIssuingKeys(bounds.MAX_ISSUING_KEYS);
    expect(decodeKeyset(withMember('keys', keys)).keys).toHaveLength(bounds.MAX_ISSUING_KEYS);
    expect(decodeKeyset(withKeyMember('honored', digests(bounds.MAX_HONORED))).keys[0]?.honored).toHaveLength(
      bounds.MAX_HONORED,
    );
    const scope = ids(bounds.MAX_SCOPE_ITEMS);
    expect(decodeKeyset(withKeyMember('products', scope)).keys[0]?.products).toEqual(scope);
    expect(decodeKeyset(withKeyMember('tiers', scope)).keys[0]?.tiers).toEqual(scope);
  });

  it('takes the least and the greatest times, versions, thresholds and counters', () => {
    const lowest = (counts: number): CborValue => new Map([['v/p/c', counts]]);
    expect([...decodeKeyset(withMember('lowest', lowest(1))).lowestCounters]).toEqual([['v/p/c', 1]]);
    expect(decodeKeyset(withMember('expires', 1_796_083_201)).expires).toBe(1_796_083_201);
    expect(decodeKeyset(withMember('expires', MAX_TIME)).expires).toBe(MAX_TIME);
    expect(decodeKeyset(withMember('made', 0)).made).toBe(0);
    expect(decodeKeyset(withMember('threshold', 1)).threshold).toBe(1);
    expect(decodeKeyset(withMember('policy', new Map([['ed25519_until', 0]]))).ed25519Until).toBe(0);
    expect(decodeKeyset(withMember('version', Number.MAX_SAFE_INTEGER)).version).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodeKeyset(withMember('made', 1_899_999_999)).made).toBe(1_899_999_999);
  });

  it('wants a key to begin before it ends', () => {
    const write = (dates: Partial<IssuingKey>): IssuingKey | undefined =>
      decodeKeyset(encodeKeyset({ ...full, keys: [issuingKey('issuing', dates)] })).keys[0];
    for (const dates of [{ from: 1, until: 2 }, { from: 0 }, { until: 0 }])
      expect(write(dates)).toStrictEqual(issuingKey('issuing', dates));
    expect(thrown(() => write({ from: 2, until: 2 })).message).toBe(
      'the keyset is malformed: from should be earlier than until',
    );
  });

  it.each([
    withMember('new', 1),
    withKeyMember('new', 1),
    withMember(
      'policy',
      new Map<CborValue, CborValue>([
        ['composite', true],
        ['new', 1],
      ]),
    ),
  ])('a payload with a member that nobody knows is not understood (%#)', (bytes) => {
    expect(inWords(thrown(() => decodeKeyset(bytes)))).toBe(
      'claims_unknown: the keyset has a member that this version does not know',
    );
  });

  it.each([new Uint8Array(), Uint8Array.of(0x80), concatBytes(payload, Uint8Array.of(0))])(
    'is malformed where it is not one map (%#)',
    (bytes) => {
      expect(thrown(() => decodeKeyset(bytes))).toMatchObject({ code: 'claims_malformed' });
    },
  );
});
