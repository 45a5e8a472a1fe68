import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../../formats/bytes.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../../keys/public/composite.ts';
import { externalMu } from '../../../keys/private/pkcs11/external-mu.ts';
import { MLDSA65_SPKI_PREFIX } from '../../../keys/public/spki-prefix.ts';

describe('mu computed outside the token (FIPS 204)', () => {
  it('a signature over mu verifies as one over message and context, in another implementation', () => {
    const { publicKey, secretKey } = ml_dsa65.keygen(randomBytes(32));
    for (const [message, context] of [
      [compositeMessage(randomBytes(40)), COMPOSITE_LABEL],
      [new Uint8Array(), new Uint8Array()],
      [randomBytes(1000), randomBytes(255)],
    ] as const) {
      const signature = ml_dsa65.internal.sign(externalMu(publicKey, message, context), secretKey, { externalMu: true });
      const key = createPublicKey({ key: Buffer.from(concatBytes(MLDSA65_SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' });
      expect(verify(null, message, { key, context }, signature)).toBe(true);
      expect(verify(null, message, { key, context: Uint8Array.of(1, ...context).subarray(0, 255) }, signature)).toBe(false);
    }
  });

  it('refuses a context of 256 bytes', () => {
    const { publicKey } = generateKeyPairSync('ml-dsa-65');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-1952);
    expect(() => externalMu(raw, new Uint8Array(), new Uint8Array(256))).toThrow('at most 255');
    expect(toHex(externalMu(raw, new Uint8Array(), new Uint8Array(255)))).toHaveLength(128);
  });
});
