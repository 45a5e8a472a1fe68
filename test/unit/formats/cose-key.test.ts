import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { ALGORITHMS, algorithmOfWire, isAlgorithm, type Algorithm } from '../../../formats/cose-algorithm.ts';
import { decodeCoseKey, decodePrivateCoseKey, encodeCoseKey, encodePrivateCoseKey } from '../../../formats/cose-key.ts';
import { thrown } from '../../support/thrown.ts';

const ALGS: readonly Algorithm[] = ['ed25519', 'ed25519+ml-dsa-65'];

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const publicOf = (alg: Algorithm): Uint8Array => filled(ALGORITHMS[alg].publicKeyBytes, 0xab);
const privateOf = (alg: Algorithm): Uint8Array => filled(ALGORITHMS[alg].privateKeyBytes, 0xcd);

describe('algorithms', () => {
  it('are exactly two', () => {
    expect(Object.keys(ALGORITHMS)).toEqual(ALGS);
    expect(ALGS.every(isAlgorithm)).toBe(true);
    expect(['Ed25519', 'ml-dsa-65', '', 'toString'].some(isAlgorithm)).toBe(false);
    for (const alg of ALGS) expect(algorithmOfWire(ALGORITHMS[alg].wire)).toBe(alg);
    for (const wire of [-8, -49, -55, -58, 'ed25519', 'Ed25519+ML-DSA-65', true, utf8('ed25519+ml-dsa-65')])
      expect(algorithmOfWire(wire)).toBeUndefined();
  });
});

describe('COSE_Key', () => {
  it('has exactly the bytes that the thumbprint is made of', () => {
    expect(toHex(encodeCoseKey('ed25519', publicOf('ed25519')))).toBe(
      `a3010120062158 20${'ab'.repeat(32)}`.replace(' ', ''),
    );
    expect(toHex(encodeCoseKey('ed25519+ml-dsa-65', publicOf('ed25519+ml-dsa-65')))).toBe(
      `a301070371${toHex(utf8('ed25519+ml-dsa-65'))}205907c0${'ab'.repeat(1984)}`,
    );
  });

  it.each<[Algorithm, [CborValue, CborValue][]]>([
    [
      'ed25519',
      [
        [1, 1],
        [-1, 6],
        [-2, publicOf('ed25519')],
      ],
    ],
    [
      'ed25519+ml-dsa-65',
      [
        [1, 7],
        [3, 'ed25519+ml-dsa-65'],
        [-1, publicOf('ed25519+ml-dsa-65')],
      ],
    ],
  ])('is the deterministic encoding of its members: %s', (alg, members) => {
    expect(encodeCoseKey(alg, publicOf(alg))).toEqual(encodeCbor(new Map(members)));
    const secret: [CborValue, CborValue] = [alg === 'ed25519' ? -4 : -2, privateOf(alg)];
    const encoded = encodePrivateCoseKey(alg, publicOf(alg), privateOf(alg));
    expect(encoded).toEqual(encodeCbor(new Map([...members, secret])));
    expect(decodeCbor(encoded)).toEqual(new Map([...members, secret]));
  });

  it.each(ALGS)('goes there and back: %s', (alg) => {
    expect(decodeCoseKey(encodeCoseKey(alg, publicOf(alg)))).toEqual({ alg, publicBytes: publicOf(alg) });
    const encoded = Buffer.from(encodePrivateCoseKey(alg, publicOf(alg), privateOf(alg)));
    const read = decodePrivateCoseKey(encoded);
    encoded.fill(0);
    expect(read).toEqual({ alg, publicBytes: publicOf(alg), privateBytes: privateOf(alg) });
    expect(Object.isFrozen(read)).toBe(true);
  });

  it.each(ALGS)('refuses keys of another length: %s', (alg) => {
    for (const change of [-1, 1]) {
      const wrongPublic = filled(ALGORITHMS[alg].publicKeyBytes + change, 1);
      const wrongPrivate = filled(ALGORITHMS[alg].privateKeyBytes + change, 1);
      expect(thrown(() => encodeCoseKey(alg, wrongPublic)).code).toBe('key_invalid');
      expect(thrown(() => encodePrivateCoseKey(alg, wrongPublic, privateOf(alg))).code).toBe('key_invalid');
      expect(thrown(() => encodePrivateCoseKey(alg, publicOf(alg), wrongPrivate)).message).toContain(
        `${ALGORITHMS[alg].privateKeyBytes} bytes`,
      );
    }
  });

  it.each(ALGS)('refuses every other encoding: %s', (alg) => {
    const publicForm = encodeCoseKey(alg, publicOf(alg));
    const privateForm = encodePrivateCoseKey(alg, publicOf(alg), privateOf(alg));
    const fixed = publicForm.length - ALGORITHMS[alg].publicKeyBytes;
    for (let i = 0; i < fixed; i++) {
      expect(thrown(() => decodeCoseKey(publicForm.with(i, publicForm[i] === 0 ? 1 : 0))).code).toBe('key_invalid');
      expect(thrown(() => decodePrivateCoseKey(privateForm.with(i, privateForm[i] === 0 ? 1 : 0))).code).toBe(
        'key_invalid',
      );
    }
    const gap = privateForm.length - ALGORITHMS[alg].privateKeyBytes - 3;
    for (let i = gap; i < gap + 3; i++)
      expect(thrown(() => decodePrivateCoseKey(privateForm.with(i, 0))).code).toBe('key_invalid');
    for (const form of [publicForm, privateForm]) {
      for (const wrong of [form.slice(0, -1), Uint8Array.of(...form, 0), form.slice(1)]) {
        expect(thrown(() => decodeCoseKey(wrong)).code).toBe('key_invalid');
        expect(thrown(() => decodePrivateCoseKey(wrong)).code).toBe('key_invalid');
      }
    }
  });

  it.each(ALGS)('tells a private key from a public one, and says no byte of it: %s', (alg) => {
    const secret = filled(ALGORITHMS[alg].privateKeyBytes, 0x5a);
    const fault = thrown(() => decodeCoseKey(encodePrivateCoseKey(alg, publicOf(alg), secret)));
    expect(fault.message).toContain('private');
    expect(JSON.stringify([fault.message, fault.hint, fault.place])).not.toMatch(/5a5a|WlpaW|ZZZZ/);
    expect(thrown(() => decodePrivateCoseKey(encodeCoseKey(alg, publicOf(alg)))).code).toBe('key_invalid');
  });
});
