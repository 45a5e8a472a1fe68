import { describe, expect, it } from 'vitest';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { isCborMap } from '../../../formats/cbor/value.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import { encodeKeyset } from '../../../formats/keyset/encode-keyset.ts';
import type { Keyset } from '../../../formats/keyset/keyset.ts';
import { issuingKey, keysetOf } from '../../../conformance/examples/keysets.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const LISTS = {
  products: ['a', 'b', 'c'],
  tiers: ['free', 'pro'],
  honored: ['01'.repeat(32), '02'.repeat(32), 'ab'.repeat(32)],
};
const IDS = ['0193817a-6c00-7000-8000-000000000001', '0193817a-6c00-7000-8000-000000000002'];

const full: Keyset = keysetOf({
  version: 2,
  roots: ['root a', 'root b', 'root c'],
  threshold: 2,
  expires: 1_900_000_000,
  keys: [
    issuingKey('issuing', { status: 'revoked', ...LISTS }),
    issuingKey('another', { purpose: 'license-key', status: 'retired', from: 1, until: 2 }),
  ],
  requireComposite: true,
  ed25519Until: 1_900_000_000,
  revokedLicenses: IDS,
  lowestCounters: new Map([
    ['v/p/c', 1],
    ['v/p/c/d', 2],
  ]),
});

describe('encodeKeyset', () => {
  it('writes what a verifier reads', () => {
    const read = decodeKeyset(encodeKeyset(full));
    expect({ ...read, roots: new Set(read.roots), keys: new Set(read.keys) }).toStrictEqual({
      ...full,
      roots: new Set(full.roots),
      keys: new Set(full.keys),
    });
    expect(encodeKeyset(read)).toEqual(encodeKeyset(full));
  });

  it('sorts roots, keys and lists, and leaves what it got as it was', () => {
    const reversed = {
      ...full,
      roots: full.roots.toReversed(),
      keys: full.keys.toReversed().map((key) => ({
        ...key,
        ...(key.products === undefined ? {} : { products: key.products.toReversed() }),
        ...(key.tiers === undefined ? {} : { tiers: key.tiers.toReversed() }),
        ...(key.honored === undefined ? {} : { honored: key.honored.toReversed() }),
      })),
      revokedLicenses: full.revokedLicenses.toReversed(),
      lowestCounters: new Map([...full.lowestCounters].toReversed()),
    };
    const before = structuredClone(reversed);
    expect(encodeKeyset(reversed)).toEqual(encodeKeyset(full));
    expect(reversed).toEqual(before);
  });

  it('leaves out what is empty', () => {
    const membersOf = (keyset: Keyset): readonly unknown[] => {
      const map = decodeCbor(encodeKeyset(keyset));
      if (!isCborMap(map)) throw new Error('this is not a map');
      return [...map.keys()];
    };
    const least = keysetOf({ version: 1, roots: ['root a'] });
    expect(membersOf(least)).toEqual(['iss', 'keys', 'made', 'roots', 'version', 'threshold']);
    expect(membersOf({ ...least, revokedLicenses: IDS.slice(1) })).toContain('revoked');
    expect(membersOf({ ...least, ed25519Until: 0 })).toContain('policy');
    expect(membersOf({ ...least, requireComposite: true })).toContain('policy');
    expect(membersOf({ ...least, lowestCounters: new Map([['v/p/c', 1]]) })).toContain('lowest');
  });

  it.each<[Partial<Keyset>, string]>([
    [{ revokedLicenses: [...IDS, 'no id'] }, 'internal: a revoked license id of a keyset has another spelling'],
    [
      { keys: [issuingKey('issuing', { status: 'revoked', honored: ['no digest'] })] },
      'internal: a digest of a keyset has another spelling',
    ],
    [
      { threshold: 4 },
      'claims_malformed: the keyset is malformed: threshold should be at most the number of roots (3), but it is 4',
    ],
    [{ roots: [] }, 'claims_malformed: the keyset is malformed: roots should be left out where it is empty'],
  ])('refuses what a verifier would refuse, and what no payload contains: %j', (change, error) => {
    expect(inWords(thrown(() => encodeKeyset({ ...full, ...change })))).toBe(error);
  });
});
