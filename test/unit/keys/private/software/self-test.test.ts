import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeProtected, sigStructure, TYP } from '../../../../../formats/cose-sign1.ts';
import { selfTest, selfTestMessage, type SigningKey } from '../../../../../keys/private/signing-key.ts';
import { SoftwareKey } from '../../../../../keys/private/software/software-key.ts';

const ALGORITHMS = ['ed25519', 'ed25519+ml-dsa-65'] as const;
const newKey = (alg: (typeof ALGORITHMS)[number]): SoftwareKey =>
  new SoftwareKey(alg, 'license', randomBytes(alg === 'ed25519' ? 32 : 64));

/** The key with another way to sign. */
function signingBy(key: SoftwareKey, sign: (message: Uint8Array) => Promise<Uint8Array>): SigningKey {
  return {
    publicKey: key.publicKey,
    purpose: key.purpose,
    custody: key.custody,
    signedBy: key.signedBy,
    sign,
    close: () => key.close(),
  };
}

describe('selfTestMessage', () => {
  it('begins with a text of its own, so that it is never a Sig_structure', () => {
    const message = selfTestMessage(new Uint8Array(32).fill(1));
    expect(Buffer.from(message).toString('latin1')).toBe(`vtlic key self-test, not a license\n${'\u0001'.repeat(32)}`);
    expect(sigStructure(encodeProtected('ed25519', '0'.repeat(64), TYP.license), new Uint8Array())[0]).not.toBe(
      message[0],
    );
  });

  it.each([0, 31, 33])('wants 32 random bytes, not %d', (length) =>
    expect(() => selfTestMessage(new Uint8Array(length))).toThrow('32 random bytes'),
  );
});

describe.each(ALGORITHMS)('selfTest of %s', (alg) => {
  it('passes a good key', async () => {
    await expect(selfTest(newKey(alg), randomBytes(32))).resolves.toBeUndefined();
  });

  it('refuses a key that signs with another one, over another message, or with only one component', async () => {
    const key = newKey(alg);
    const other = newKey(alg);
    const bad: readonly ((message: Uint8Array) => Promise<Uint8Array>)[] = [
      (message) => other.sign(message),
      (message) => key.sign(message.slice(1)),
      async (message) => (await key.sign(message)).slice(0, -64),
      async (message) => (await key.sign(message)).fill(0, -64),
      async (message) => (await key.sign(message)).fill(0, 0, -64),
      () => Promise.resolve(new Uint8Array()),
    ];
    for (const [i, sign] of bad.entries()) {
      if (alg === 'ed25519' && i === 4) continue;
      await expect(selfTest(signingBy(key, sign), randomBytes(32))).rejects.toMatchObject({
        code: 'self_check_failed',
      });
    }
  });

  it('lets through what signing throws', async () => {
    const key = newKey(alg);
    await key.close();
    await expect(selfTest(key, randomBytes(32))).rejects.toMatchObject({ code: 'signing_failed' });
  });
});
