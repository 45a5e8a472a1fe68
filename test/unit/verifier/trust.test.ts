import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { makeTrust } from '../../../verifier/trust.ts';
import { compositeKey, ed25519Key, halfKey, strangeKey, trusted } from './sample.ts';

describe('makeTrust', () => {
  it('freezes copies of what it was given', () => {
    const revoked = new Set(['a']);
    const products = ['b', 'a'];
    const trust = makeTrust({ keys: [trusted(ed25519Key, { products })], revokedLicenses: revoked });
    revoked.add('b');
    products.push('c');
    expect([...trust.revokedLicenses]).toEqual(['a']);
    expect(trust.keys[0]?.products).toEqual(['a', 'b']);
    expect([trust, trust.keys, trust.keys[0], trust.keys[0]?.products].every((value) => Object.isFrozen(value))).toBe(true);
    expect(trust).toMatchObject({ requireComposite: false });
    expect('ed25519Until' in trust).toBe(false);
  });

  it('takes two entries with one kid as one key', () => {
    const again = { ...trusted(ed25519Key), key: importPublicKey('ed25519', ed25519Key.publicKey.bytes) };
    expect(makeTrust({ keys: [trusted(ed25519Key), again, trusted(compositeKey), trusted(compositeKey)] }).keys).toHaveLength(2);
  });

  it.each([{ job: 'root' }, { status: 'revoked' }, { products: ['a'] }, { tiers: ['a'] }] as const)('refuses one kid with another %j', (change) => {
    expect(() => makeTrust({ keys: [trusted(ed25519Key), trusted(ed25519Key, change)] })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }) as Error);
  });

  it('refuses a half that stands in two different keys, whatever their jobs', () => {
    const { publicKey } = compositeKey;
    const sameMldsa65 = importPublicKey(publicKey.alg, concatBytes(publicKey.mldsa65 ?? new Uint8Array(), strangeKey.publicKey.bytes));
    for (const other of [halfKey.publicKey, sameMldsa65]) {
      for (const job of ['license', 'root'] as const) {
        expect(() => makeTrust({ keys: [trusted(compositeKey), { key: other, job, status: 'revoked' }] })).toThrow('share a half');
      }
    }
  });

  it.each([-1, 1.5, Number.NaN, 253_402_300_800, Date.now() * 1000])('refuses ed25519Until %d', (ed25519Until) => {
    expect(() => makeTrust({ keys: [], ed25519Until })).toThrow('ed25519Until');
  });

  it('refuses a lowest counter out of bounds', () => {
    for (const counter of [-1, 0.5, 2 ** 53]) expect(() => makeTrust({ keys: [], lowestCounters: [['a/b/c', counter]] })).toThrow('lowest counter');
  });

  it('refuses a key whose kid was not computed', () => {
    const forged = { ...strangeKey.publicKey, kid: ed25519Key.publicKey.kid };
    expect(() => makeTrust({ keys: [{ key: forged, job: 'license', status: 'active' }] })).toThrow('importPublicKey');
  });
});
