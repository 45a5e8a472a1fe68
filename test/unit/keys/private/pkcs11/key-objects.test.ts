import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../../formats/bytes.ts';
import { ed25519FromToken, mldsa65FromToken } from '../../../../../keys/private/pkcs11/token-host/key-objects.ts';

/** DER by hand, for keys that node:crypto wrote: length octets as in X.690 §8.1.3. */
const head = (tag: number, length: number): Uint8Array =>
  length < 128 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x82, length >> 8, length & 255);

describe.each([
  ['ed25519', 32, ed25519FromToken],
  ['ml-dsa-65', 1952, mldsa65FromToken],
] as const)('public keys of %s as tokens give them', (type, length, fromToken) => {
  const spki = Uint8Array.from(
    type === 'ed25519'
      ? generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' })
      : generateKeyPairSync('ml-dsa-65').publicKey.export({ format: 'der', type: 'spki' }),
  );
  const raw = spki.slice(-length);
  const forms: readonly (readonly [string, Uint8Array])[] = [
    ['raw', raw],
    ['OCTET STRING', concatBytes(head(4, length), raw)],
    ['BIT STRING', concatBytes(head(3, length + 1), Uint8Array.of(0), raw)],
    ['SPKI', spki],
  ];

  it.each(forms)('%s', (_, bytes) => {
    expect(fromToken(bytes)).toEqual(raw);
  });

  it.each(forms)('%s with a byte too few or too many is nothing', (_, bytes) => {
    expect(fromToken(bytes.subarray(0, -1))).toBeUndefined();
    expect(fromToken(concatBytes(bytes, Uint8Array.of(0)))).toBeUndefined();
  });

  it('a prefix of something else is nothing', () => {
    const wrong = Uint8Array.from(spki);
    wrong[8] = (wrong[8] ?? 0) ^ 1;
    expect(fromToken(wrong)).toBeUndefined();
    expect(fromToken(concatBytes(head(5, length), raw))).toBeUndefined();
    expect(fromToken(new Uint8Array())).toBeUndefined();
  });
});
