/** Every rule of docs/keysets.md K1 and K2, one fault at a time. */
import { describe, expect, it } from 'vitest';
import { armor } from '../../../formats/armor.ts';
import { concatBytes, fromHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import { isCborMap, type CborValue } from '../../../formats/cbor/value.ts';
import {
  decodeCoseSign,
  encodeBodyProtected,
  encodeCoseSign,
  encodeSignerProtected,
  MAX_SIGNERS,
  signerStructure,
} from '../../../formats/cose-sign.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { encodeCoseKey } from '../../../formats/cose-key.ts';
import { armoredBlocks, openKeysetBlock } from '../../../formats/keyset/blocks.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import { encodeKeyset } from '../../../formats/keyset/encode-keyset.ts';
import * as bounds from '../../../formats/keyset/keyset.ts';
import { coseKeyOf, issuingKey, keysetOf, testKey } from '../../../conformance/examples/keysets.ts';
import { thrown } from '../../support/thrown.ts';

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
const MAX_TIME = 253_402_300_799;

describe('the payload of a keyset', () => {
  it('is read as it was written', () => {
    expect(decodeKeyset(payload)).toMatchObject({
      iss: 'example-vendor',
      version: 2,
      threshold: 2,
      requireComposite: true,
      ed25519Until: 1_900_000_000,
      revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
      keys: [{ status: 'revoked', honored: ['ab'.repeat(32)], tiers: ['pro'], products: ['p'] }],
    });
  });

  it.each([
    ['iss', 'an issuer'],
    ['iss', undefined],
    ['version', 0],
    ['version', '1'],
    ['made', -1],
    ['made', MAX_TIME + 1],
    ['made', undefined],
    ['expires', 0],
    ['roots', []],
    ['roots', rootKeys.toReversed()],
    ['roots', [rootKeys[0], rootKeys[0]]],
    ['roots', [new Uint8Array(40)]],
    ['roots', [1]],
    ['roots', encodedKeys(bounds.MAX_ROOTS + 1)],
    ['threshold', 0],
    ['threshold', 3],
    ['threshold', undefined],
    ['keys', undefined],
    ['keys', [1]],
    ['keys', encodedIssuingKeys(bounds.MAX_ISSUING_KEYS + 1)],
    ['policy', new Map()],
    ['policy', new Map([['composite', false]])],
    ['policy', new Map([['ed25519_until', -1]])],
    ['revoked', []],
    ['revoked', [new Uint8Array(16)]],
    ['revoked', [id, id]],
    ['revoked', digests(bounds.MAX_REVOKED_LICENSES + 1)],
    ['lowest', new Map()],
    ['lowest', new Map([['v/p', 1]])],
    ['lowest', new Map([['v/p/c', 0]])],
    ['lowest', []],
    // Other types of as many characters or members.
    ['iss', 1],
    ['roots', 'roots'],
    ['roots', undefined],
    ['keys', 'keys'],
    ['policy', 1],
    ['policy', new Map([['composite', 1]])],
    ['revoked', ['x'.repeat(16)]],
    ['revoked', [id.subarray(1)]],
    ['revoked', 'x'],
    ['lowest', new Map([['v/p/c', '1']])],
    ['lowest', new Map([[1, 1]])],
    ['lowest', new Map([['v/p/c', -1]])],
    ['expires', '1900000000'],
    ['expires', MAX_TIME + 1],
    ['expires', 1_796_083_200], // as made: it would never be in force
  ] as readonly (readonly [string, CborValue | undefined])[])('is malformed with %s %j', (name, value) => {
    expect(thrown(() => decodeKeyset(withMember(name, value)))).toMatchObject({ code: 'claims_malformed' });
  });

  it.each([
    ['key', undefined],
    ['key', new Uint8Array(40)],
    ['purpose', 'root'],
    ['purpose', undefined],
    ['status', 'stolen'],
    ['status', 'active'], // with honored payloads
    ['products', []],
    ['products', ['b', 'a']],
    ['products', ['a', 'a']],
    ['tiers', ['an id']],
    ['tiers', Array.from({ length: bounds.MAX_SCOPE_ITEMS + 1 }, (_, i) => `t${1000 + i}`)],
    ['from', -1],
    ['until', MAX_TIME + 1],
    ['honored', []],
    ['honored', digests(2).toReversed()],
    ['honored', digests(1, 31)],
    ['honored', digests(bounds.MAX_HONORED + 1)],
    ['honored', ['x'.repeat(32)]],
    ['honored', 'x'],
    ['key', 'x'.repeat(40)],
    ['products', [1]],
    ['products', 'p'],
    ['products', Array.from({ length: bounds.MAX_SCOPE_ITEMS + 1 }, (_, i) => `p${1000 + i}`)],
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
    const ids = Array.from({ length: bounds.MAX_SCOPE_ITEMS }, (_, i) => `p${1000 + i}`);
    expect(decodeKeyset(withKeyMember('products', ids)).keys[0]?.products).toEqual(ids);
    expect(decodeKeyset(withKeyMember('tiers', ids)).keys[0]?.tiers).toEqual(ids);
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
    const of = (from: number, until: number): unknown => issuingKey('issuing', { from, until });
    expect(of(1, 2)).toBeDefined();
    const write = (from: number, until: number): Uint8Array =>
      encodeKeyset({ ...full, keys: [issuingKey('issuing', { from, until })] });
    expect(write(1, 2).length).toBeGreaterThan(0);
    expect(thrown(() => write(2, 2))).toMatchObject({ code: 'claims_malformed' });
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
    expect(thrown(() => decodeKeyset(bytes))).toMatchObject({ code: 'claims_unknown' });
  });

  it.each([new Uint8Array(), Uint8Array.of(0x80), concatBytes(payload, Uint8Array.of(0))])(
    'is malformed where it is not one map (%#)',
    (bytes) => {
      expect(thrown(() => decodeKeyset(bytes))).toMatchObject({ code: 'claims_malformed' });
    },
  );
});

describe('a COSE_Sign', () => {
  const body = encodeBodyProtected(TYP.keyset);
  const empty = new Map<CborValue, CborValue>();
  const header = (name: string): Uint8Array => encodeSignerProtected('ed25519', testKey(name).publicKey.kid);
  const signer = (name: string): CborValue[] => [header(name), empty, new Uint8Array(64)];
  const [low, high] = [...ROOTS].sort((a, b) => testKey(a).publicKey.kid.localeCompare(testKey(b).publicKey.kid));
  const signers = [signer(low ?? ''), signer(high ?? '')];
  const good: CborValue[] = [body, empty, payload, signers];
  const bad = (at: number, value: CborValue): CborValue[] => good.map((item, i) => (i === at ? value : item));
  const headerOf = (entries: readonly (readonly [CborValue, CborValue])[]): CborValue[] => [
    [encodeCbor(new Map(entries)), empty, new Uint8Array(64)],
  ];
  const kid = new Uint8Array(32);
  const manySigners = (count: number): CborValue[] =>
    digests(count).map(
      (bytes) =>
        headerOf([
          [1, -19],
          [4, bytes],
        ])[0] ?? [],
    );

  it('is read with its signers, and written again to the same bytes', () => {
    const bytes = encodeTagged(98, good);
    const cose = decodeCoseSign(bytes, TYP.keyset);
    expect(cose.signers.map(({ alg }) => alg)).toEqual(['ed25519', 'ed25519']);
    expect(encodeCoseSign({ ...cose, signers: cose.signers.toReversed() })).toEqual(bytes);
  });

  it.each([
    ['cose_malformed', encodeTagged(18, good)],
    ['cose_malformed', encodeCbor(good)],
    ['cose_malformed', encodeTagged(98, 1)],
    ['cose_malformed', encodeTagged(98, good.slice(0, 3))],
    ['cose_malformed', encodeTagged(98, bad(0, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(0, new Uint8Array()))],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor([])))],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor(new Map<CborValue, CborValue>([[16, 1]]))))],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          0,
          encodeCbor(
            new Map<CborValue, CborValue>([
              [1, -19],
              [16, TYP.keyset],
            ]),
          ),
        ),
      ),
    ],
    ['cose_malformed', encodeTagged(98, bad(1, new Map([[4, kid]])))],
    ['cose_malformed', encodeTagged(98, bad(2, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, empty))],
    ['cose_malformed', encodeTagged(98, bad(3, []))],
    ['cose_malformed', encodeTagged(98, bad(3, manySigners(MAX_SIGNERS + 1)))],
    ['cose_malformed', encodeTagged(98, bad(3, [1]))],
    ['cose_malformed', encodeTagged(98, bad(3, [signer('root a').slice(0, 2)]))],
    ['cose_malformed', encodeTagged(98, bad(3, [['text', empty, kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[new Uint8Array(), empty, kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), new Map([[4, kid]]), kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), empty, 'text']]))],
    ['cose_malformed', encodeTagged(98, bad(3, headerOf([[1, -19]])))],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, kid],
            [4, kid],
          ]),
        ),
      ),
    ],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, -19],
            [4, 'kid'],
          ]),
        ),
      ),
    ],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, -19],
            [4, kid.subarray(1)],
          ]),
        ),
      ),
    ],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, -19],
            [4, kid],
            [16, TYP.keyset],
          ]),
        ),
      ),
    ],
    ['cose_malformed', encodeTagged(98, bad(3, signers.toReversed()))],
    ['cose_malformed', encodeTagged(98, bad(3, [signers[0] ?? [], signers[0] ?? []]))],
    ['cose_malformed', encodeTagged(98, [...good, 1])],
    ['cose_malformed', encodeTagged(98, bad(1, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, [[...signer('root a'), 1]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), 'text', kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[encodeCbor([1, 2]), empty, kid]]))],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, -19],
            [5, kid],
          ]),
        ),
      ),
    ],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [2, -19],
            [4, kid],
          ]),
        ),
      ),
    ],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, true],
            [4, kid],
          ]),
        ),
      ),
    ],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor(new Map<CborValue, CborValue>([[15, TYP.keyset]]))))],
    [
      'alg_unknown',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, 'EdDSA'],
            [4, kid],
          ]),
        ),
      ),
    ],
    // The types come before the algorithms, and those before the order.
    ['typ_wrong', encodeTagged(98, [encodeBodyProtected(TYP.license), empty, payload, signers.toReversed()])],
    ['cbor_malformed', encodeTagged(98, bad(0, Uint8Array.of(0xff)))],
    ['cbor_malformed', encodeTagged(98, bad(3, [[Uint8Array.of(0xff), empty, kid]]))],
    ['cbor_not_deterministic', encodeTagged(98, bad(3, [[Uint8Array.of(0x18, 0x01), empty, kid]]))],
    ['typ_wrong', encodeTagged(98, bad(0, encodeBodyProtected(TYP.license)))],
    [
      'alg_unknown',
      encodeTagged(
        98,
        bad(
          3,
          headerOf([
            [1, -8],
            [4, kid],
          ]),
        ),
      ),
    ],
  ] as const)('is %s (%#)', (code, bytes) => {
    expect(thrown(() => decodeCoseSign(bytes, TYP.keyset))).toMatchObject({ code });
  });

  it('has its fields, its kids, and no more', () => {
    const cose = decodeCoseSign(encodeTagged(98, good), TYP.keyset);
    expect(cose.protectedBytes).toEqual(body);
    expect(cose.payload).toEqual(payload);
    expect(cose.signers.map(({ kid: id, signature }) => [id, signature.length])).toEqual([
      [testKey(low ?? '').publicKey.kid, 64],
      [testKey(high ?? '').publicKey.kid, 64],
    ]);
    expect([cose, cose.signers, ...cose.signers].every((value) => Object.isFrozen(value))).toBe(true);
    expect(thrown(() => encodeSignerProtected('ed25519', 'ab'.repeat(31)))).toMatchObject({ code: 'internal' });
    expect(thrown(() => encodeSignerProtected('ed25519', 'x'.repeat(64)))).toMatchObject({ code: 'internal' });
  });

  it('may have 64 signers', () => {
    expect(decodeCoseSign(encodeTagged(98, bad(3, manySigners(MAX_SIGNERS))), TYP.keyset).signers).toHaveLength(64);
  });

  it('gives the offset of a fault in the header of a signer within the whole', () => {
    const bytes = encodeTagged(98, bad(3, [[Uint8Array.of(0x18, 0x01), empty, kid]]));
    // Behind it: the head of the signature (2 bytes), 32 bytes, the empty map, and the header's other byte.
    expect(thrown(() => decodeCoseSign(bytes, TYP.keyset))).toMatchObject({
      place: { offset: bytes.length - 32 - 2 - 1 - 2 },
    });
  });

  it('is signed over the structure of RFC 9052', () => {
    expect(signerStructure(Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4))).toEqual(
      concatBytes(
        Uint8Array.of(0x85, 0x69),
        Buffer.from('Signature'),
        Uint8Array.of(0x41, 1, 0x42, 2, 3, 0x40, 0x41, 4),
      ),
    );
  });
});

describe('a text of several blocks', () => {
  it('is divided at its END lines, whatever the labels', () => {
    const text = concatBytes(armor('VTLIC', payload), armor('VTLIC KEYSET', payload), armor('VTLIC', payload));
    const found = [...armoredBlocks(text)].map(({ label, line }) => [label, line]);
    expect(found.map(([label]) => label)).toEqual(['VTLIC', 'VTLIC KEYSET', 'VTLIC']);
    expect(found[0]?.[1]).toBe(1);
  });

  it('gives each block its place', () => {
    const block = armor('VTLIC KEYSET', payload);
    const lines = new TextDecoder().decode(block).split('\n').length - 1;
    const ended = block.subarray(0, block.length - 1);
    const text = concatBytes(utf8('\r\n\t '), block, ended, utf8(' '), block, utf8('\n\nx'));
    const found = [...armoredBlocks(text)].map(({ line, offset, onNewLine }) => [line, offset, onNewLine]);
    // A block begins behind the END line of the one before, and a line end is part of the next block.
    const behind = (count: number): number => 4 + count * block.length - 1;
    expect(found).toEqual([
      [1, 0, true],
      [1 + lines, behind(1), true],
      [1 + 2 * lines, behind(2), false],
      [3 * lines, behind(3), true],
    ]);
  });

  it.each(['', ' \r\n\t\n'])('is one block, which is refused, where it is blank (%j)', (text) => {
    const [first, ...others] = [...armoredBlocks(utf8(text))];
    if (first === undefined) throw new Error('there is no block');
    expect(others).toEqual([]);
    expect(thrown(() => openKeysetBlock(first))).toMatchObject({ code: 'armor_malformed' });
  });

  it('is too large with more than 4,096 blocks', () => {
    const block = armor('VTLIC KEYSET', Uint8Array.of(1));
    const text = (count: number): Uint8Array => concatBytes(...Array.from({ length: count }, () => block));
    expect([...armoredBlocks(text(bounds.MAX_CHAIN_BLOCKS))]).toHaveLength(bounds.MAX_CHAIN_BLOCKS);
    expect(thrown(() => [...armoredBlocks(text(bounds.MAX_CHAIN_BLOCKS + 1))])).toMatchObject({ code: 'too_large' });
  });
});
