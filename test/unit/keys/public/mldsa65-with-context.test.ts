import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { verifyWithContext } from '../../../../keys/public/mldsa65-with-context.ts';

const { publicKey, privateKey } = generateKeyPairSync('ml-dsa-65');
const message = utf8('a message');
const signed = (context: Uint8Array): Uint8Array => sign(null, message, { key: privateKey, context });

describe('ML-DSA-65 with a context', () => {
  // Three times: the first signature that holds decides which form is used from then on.
  it.each([1, 2, 3])('holds with the context it was made with, and with no other (%i)', () => {
    for (const context of [utf8('one context'), utf8('another'), new Uint8Array(0), new Uint8Array(255).fill(7)]) {
      const signature = signed(context);
      expect(verifyWithContext(publicKey, message, signature, context)).toBe(true);
      for (const other of [utf8('one contexT'), utf8('one'), new Uint8Array(0), Uint8Array.of(0)]) {
        if (Buffer.compare(other, context) !== 0)
          expect(verifyWithContext(publicKey, message, signature, other)).toBe(false);
      }
      expect(verifyWithContext(publicKey, utf8('b message'), signature, context)).toBe(false);
    }
  });

  it('a context that was longer the time before leaves nothing behind', () => {
    expect(verifyWithContext(publicKey, message, signed(utf8('long context')), utf8('long context'))).toBe(true);
    expect(verifyWithContext(publicKey, message, signed(utf8('long')), utf8('long'))).toBe(true);
    expect(verifyWithContext(publicKey, message, signed(utf8('long')), new Uint8Array(0))).toBe(false);
  });

  // The module as it is before the first signature that holds: what it finds out then is kept.
  async function fresh(): Promise<typeof verifyWithContext> {
    vi.resetModules();
    return (await import('../../../../keys/public/mldsa65-with-context.ts')).verifyWithContext;
  }

  it.each([
    ['takes no property', (key: object) => Object.freeze(key)],
    ['forgets a context', (key: object) => Object.defineProperty(key, 'context', { get: () => undefined, set() {} })],
  ])('is verified in the documented form by a Node whose key %s', async (_, bend) => {
    const odd = createPublicKey(publicKey.export({ format: 'pem', type: 'spki' }));
    bend(odd);
    const verifying = await fresh();
    for (const context of [new Uint8Array(0), utf8('a context')]) {
      expect(verifying(odd, message, signed(context), context)).toBe(true);
      expect(verifying(odd, message, signed(context), utf8('another'))).toBe(false);
      expect(verifying(odd, message, signed(new Uint8Array(0)), utf8('another'))).toBe(false);
    }
  });
});
