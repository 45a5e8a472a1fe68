import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { indexOfTrust, makeTrust } from '../../../verifier/trust.ts';
import { compositeKey, ed25519Key, componentKey, strangeKey, trusted } from './sample.ts';

const REVOKED = '0193817a-6c00-7000-8000-000000000001';

describe('makeTrust', () => {
  it('freezes copies of what it was given', () => {
    const revoked = new Set([REVOKED]);
    const products = ['b', 'a'];
    const trust = makeTrust({ keys: [trusted(ed25519Key, { products })], revokedLicenses: revoked });
    revoked.add('b');
    products.push('c');
    expect([...trust.revokedLicenses]).toEqual([REVOKED]);
    expect(trust.keys[0]?.products).toEqual(['a', 'b']);
    expect([trust, trust.keys, trust.keys[0], trust.keys[0]?.products].every((value) => Object.isFrozen(value))).toBe(
      true,
    );
    expect(trust).toMatchObject({ requireComposite: false });
    expect('ed25519Until' in trust).toBe(false);
  });

  it('takes two entries with one kid as one key', () => {
    const again = { ...trusted(ed25519Key), key: importPublicKey('ed25519', ed25519Key.publicKey.bytes) };
    expect(
      makeTrust({ keys: [trusted(ed25519Key), again, trusted(compositeKey), trusted(compositeKey)] }).keys,
    ).toHaveLength(2);
  });

  it.each([{ purpose: 'root' }, { status: 'revoked' }, { products: ['a'] }, { tiers: ['a'] }] as const)(
    'refuses one kid with another %j',
    (change) => {
      expect(() => makeTrust({ keys: [trusted(ed25519Key), trusted(ed25519Key, change)] })).toThrow(
        expect.objectContaining({ code: 'configuration_invalid' }) as Error,
      );
    },
  );

  it('refuses a component that two different keys share, whatever their purposes', () => {
    const { publicKey } = compositeKey;
    const sameMldsa65 = importPublicKey(
      publicKey.alg,
      concatBytes(publicKey.mldsa65 ?? new Uint8Array(), strangeKey.publicKey.bytes),
    );
    for (const other of [componentKey.publicKey, sameMldsa65]) {
      for (const purpose of ['license', 'root'] as const) {
        expect(() => makeTrust({ keys: [trusted(compositeKey), { key: other, purpose, status: 'revoked' }] })).toThrow(
          'share a component',
        );
      }
    }
  });

  it.each([-1, 1.5, Number.NaN, 253_402_300_800, Date.now() * 1000])('refuses ed25519Until %d', (ed25519Until) => {
    expect(() => makeTrust({ keys: [], ed25519Until })).toThrow('ed25519Until');
  });

  it('refuses spellings that would match nothing, and so revoke nothing without a word', () => {
    for (const id of ['x', REVOKED.toUpperCase(), REVOKED.replaceAll('-', ''), ''])
      expect(() => makeTrust({ keys: [], revokedLicenses: [id] })).toThrow('revoked license');
    for (const lineage of ['', 'a', 'a/b', 'a/b/c/', 'a/b/c/d/e', 'a//c', 'a b/c/d'])
      expect(() => makeTrust({ keys: [], lowestCounters: [[lineage, 1]] })).toThrow('lineage');
  });

  it('refuses a purpose or a status that there is none, and a trust value that it did not make', () => {
    const lax = (change: object): void => {
      makeTrust({ keys: [{ ...trusted(ed25519Key), ...change }] });
    };
    for (const purpose of ['', 'License', 'licence', 'anything'])
      expect(() => {
        lax({ purpose });
      }).toThrow('the purpose of the key');
    for (const status of ['', 'Active', 'valid', 'REVOKED'])
      expect(() => {
        lax({ status });
      }).toThrow('the status of the key');
    expect(() => indexOfTrust({ ...makeTrust({ keys: [] }) })).toThrow('not made by makeTrust');
  });

  it.each([`0${'ab'.repeat(32)}`, `${'ab'.repeat(32)}0`, 'AB'.repeat(32), 'ab'.repeat(31), ''])(
    'refuses the honored payload "%s", which no license could have',
    (digest) => {
      expect(() => makeTrust({ keys: [trusted(ed25519Key, { status: 'revoked', honored: [digest] })] })).toThrow(
        '64 lower-case hex digits',
      );
    },
  );

  it('refuses an honored payload of a key that is not revoked, and takes an empty list', () => {
    for (const status of ['pre-published', 'active', 'retired'] as const) {
      expect(makeTrust({ keys: [trusted(ed25519Key, { status, honored: [] })] }).keys).toHaveLength(1);
      expect(() => makeTrust({ keys: [trusted(ed25519Key, { status, honored: ['ab'.repeat(32)] })] })).toThrow(
        'which only a revoked key may have',
      );
    }
  });

  it('compares scopes as sets', () => {
    expect(
      makeTrust({
        keys: [trusted(ed25519Key, { products: ['a', 'b'] }), trusted(ed25519Key, { products: ['b', 'a', 'a'] })],
      }).keys,
    ).toHaveLength(1);
  });

  it.each([
    [{ products: ['a', 'b'] }, { products: ['a', 'c'] }],
    [{ products: ['a'] }, { products: ['a', 'b'] }],
    [{ products: ['a'] }, {}],
    [{ tiers: ['a'] }, { tiers: ['b'] }],
    [
      { status: 'revoked', honored: ['ab'.repeat(32)] },
      { status: 'revoked', honored: ['cd'.repeat(32)] },
    ],
    [{ status: 'revoked', honored: ['ab'.repeat(32)] }, { status: 'revoked' }],
    [{ honored: [] }, {}],
  ] as const)('refuses one kid with %j and with %j', (one, other) => {
    expect(() => makeTrust({ keys: [trusted(ed25519Key, one), trusted(ed25519Key, other)] })).toThrow(
      expect.objectContaining({ code: 'configuration_invalid' }) as Error,
    );
  });

  it.each([
    [{ tiers: ['a', 'b'] }, { tiers: ['b', 'a', 'a'] }],
    [
      { status: 'revoked', honored: ['ab'.repeat(32), 'cd'.repeat(32)] },
      { status: 'revoked', honored: ['cd'.repeat(32), 'ab'.repeat(32)] },
    ],
  ] as const)('takes %j and %j as the same', (one, other) => {
    expect(makeTrust({ keys: [trusted(ed25519Key, one), trusted(ed25519Key, other)] }).keys).toHaveLength(1);
  });

  it('refuses a lowest counter out of bounds', () => {
    for (const counter of [-1, 0.5, 2 ** 53])
      expect(() => makeTrust({ keys: [], lowestCounters: [['a/b/c', counter]] })).toThrow('lowest counter');
  });

  it('refuses products and tiers that are no ids, which no license could have', () => {
    for (const scope of [{ products: [''] }, { products: ['a', 'b c'] }, { tiers: ['pro\n'] }, { tiers: ['-pro'] }])
      expect(() => makeTrust({ keys: [trusted(ed25519Key, scope)] })).toThrow('should be ids');
  });

  it.each([
    ['no point of the curve', { bytes: Uint8Array.of(2, ...new Uint8Array(31)) }],
    ['a point of small order', { bytes: new Uint8Array(32) }],
    ['a byte too few', { bytes: new Uint8Array(31) }],
    ['the bytes of another algorithm', { alg: 'ed25519+ml-dsa-65' as const }],
    ['an algorithm that there is none', { alg: 'Ed25519' as 'ed25519' }],
    ['an algorithm by the name of an inherited member', { alg: 'toString' as 'ed25519' }],
  ])('refuses a key put together by hand as its configuration: %s', (_, change) => {
    const key = { ...ed25519Key.publicKey, ...change };
    expect(() => makeTrust({ keys: [{ key, purpose: 'license', status: 'active' }] })).toThrow(
      expect.objectContaining({ code: 'configuration_invalid' }) as Error,
    );
  });

  it('refuses a key whose kid was not computed', () => {
    const forged = { ...strangeKey.publicKey, kid: ed25519Key.publicKey.kid };
    expect(() => makeTrust({ keys: [{ key: forged, purpose: 'license', status: 'active' }] })).toThrow(
      'importPublicKey',
    );
  });
});
