/** What every opened signing key must do, whatever keystore it is in. */
import { expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import type { SigningKey } from '../../../keys/private/signing-key.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { random } from './test-token.ts';

const PROVIDERS = [nodeProvider, nobleProvider] as const;

/** @param key given late, since keystores are made in `beforeAll` */
export function keyContract(
  key: () => SigningKey,
  custody: SigningKey['custody'],
  signedBy: SigningKey['signedBy'],
): void {
  it('says what it is', () => {
    expect(key().custody).toBe(custody);
    expect(key().signedBy).toBe(signedBy);
    expect(key().purpose).toBe('license');
    const { alg, bytes, kid } = key().publicKey;
    expect(importPublicKey(alg, bytes, { forSite: true }).kid).toBe(kid);
  });

  it('makes signatures that both providers accept, over messages of every size', async () => {
    for (const length of [0, 1, 127, 1024, 49_152]) {
      const message = random(length);
      const signature = await key().sign(message);
      expect(signature).toHaveLength(ALGORITHMS[key().publicKey.alg].signatureBytes);
      for (const provider of PROVIDERS) {
        expect(verifySignature(key().publicKey, message, signature, provider)).toBe(true);
        expect(
          verifySignature(key().publicKey, Uint8Array.of(...message.subarray(0, 10), 1), signature, provider),
        ).toBe(false);
      }
    }
  });

  it('signs many at once, each its own message', async () => {
    const messages = Array.from({ length: 40 }, (_, i) => utf8(`message ${i}`));
    const signatures = await Promise.all(messages.map((message) => key().sign(message)));
    messages.forEach((message, i) => {
      expect(verifySignature(key().publicKey, message, signatures[i] ?? new Uint8Array())).toBe(true);
    });
  });

  it('does not change with a message that is overwritten while it signs', async () => {
    const message = utf8('as it was');
    const signing = key().sign(message);
    message.fill(0);
    expect(verifySignature(key().publicKey, utf8('as it was'), await signing)).toBe(true);
  });
}

/** To be called last: closes the key. */
export function closedKeyContract(key: () => SigningKey): void {
  it('signs nothing once closed, and closes twice', async () => {
    await key().close();
    await key().close();
    await expect(key().sign(utf8('late'))).rejects.toMatchObject({ code: 'signing_failed' });
  });
}
