import { describe, expect, it } from 'vitest';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import { nobleProvider } from '../../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { hex, readData } from './read-data.ts';

interface Vector {
  readonly name: string;
  readonly secretKey: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const vectors = readData<readonly Vector[]>('rfc8032/ed25519.json');

describe('RFC 8032 §7.1', () => {
  it('has all five vectors', () => {
    expect(vectors.map(({ name }) => name)).toEqual(['TEST 1', 'TEST 2', 'TEST 3', 'TEST 1024', 'TEST SHA(abc)']);
  });

  describe.each([nodeProvider, nobleProvider])('$name', (provider) => {
    it.each(vectors)('$name is valid, and not valid with one bit changed', ({ publicKey, message, signature }) => {
      const key = hex(publicKey);
      const text = hex(message);
      expect(provider.ed25519Verify(key, text, hex(signature))).toBe(true);
      for (const at of [0, 31, 32, 63]) {
        const altered = hex(signature);
        altered[at] = (altered[at] ?? 0) ^ 1;
        expect(provider.ed25519Verify(key, text, altered)).toBe(false);
      }
      expect(provider.ed25519Verify(key, Uint8Array.of(...text, 0), hex(signature))).toBe(false);
    });
  });

  it.each(vectors)(
    '$name is what a software key of its seed signs',
    async ({ secretKey, publicKey, message, signature }) => {
      const key = new SoftwareKey('ed25519', 'license', hex(secretKey));
      expect(key.publicKey.bytes).toEqual(hex(publicKey));
      expect(await key.sign(hex(message))).toEqual(hex(signature));
    },
  );
});
