import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import { nobleProvider, otherProvider } from '../../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { verifySignature } from '../../../../keys/public/verify-signature.ts';
import { hex } from './read-data.ts';

const providers = [nodeProvider, nobleProvider];

describe.each(providers)('the provider $name', (provider) => {
  it('hashes as FIPS 180-4 says', () => {
    const abc = Buffer.from('abc');
    expect(provider.sha256(abc)).toHaveLength(32);
    expect(Buffer.from(provider.sha256(abc)).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(Buffer.from(provider.sha512(abc)).toString('hex')).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
  });

  it.each([
    [0, 64],
    [31, 64],
    [33, 64],
    [32, 0],
    [32, 63],
    [32, 65],
  ])('says false to an Ed25519 key of %d bytes with a signature of %d', (key, signature) => {
    expect(provider.ed25519Verify(randomBytes(key), new Uint8Array(), new Uint8Array(signature))).toBe(false);
  });

  it.each([
    [0, 3309],
    [1951, 3309],
    [1953, 3309],
    [1952, 0],
    [1952, 3308],
    [1952, 3310],
  ])('says false to an ML-DSA key of %d bytes with a signature of %d', (key, signature) => {
    expect(
      provider.mldsa65Verify(randomBytes(key), new Uint8Array(), new Uint8Array(signature), new Uint8Array()),
    ).toBe(false);
  });

  it('says false to an ML-DSA key and signature of noise', () => {
    for (const fill of [0x00, 0xff]) {
      expect(
        provider.mldsa65Verify(
          new Uint8Array(1952).fill(fill),
          new Uint8Array(1),
          new Uint8Array(3309).fill(fill),
          new Uint8Array(),
        ),
      ).toBe(false);
    }
    expect(provider.mldsa65Verify(randomBytes(1952), new Uint8Array(1), randomBytes(3309), new Uint8Array())).toBe(
      false,
    );
  });

  it('judges the bytes as they are now, not as they were at the first use', async () => {
    const signer = new SoftwareKey('ed25519', 'license', hex('01'.repeat(32)));
    const other = new SoftwareKey('ed25519', 'license', hex('02'.repeat(32)));
    const message = Buffer.from('message');
    const bytes = Uint8Array.from(signer.publicKey.bytes);
    expect(provider.ed25519Verify(bytes, message, await signer.sign(message))).toBe(true);
    bytes.set(other.publicKey.bytes);
    expect(provider.ed25519Verify(bytes, message, await signer.sign(message))).toBe(false);
    expect(provider.ed25519Verify(bytes, message, await other.sign(message))).toBe(true);
  });
});

describe('verifySignature', () => {
  it.each([
    ['ed25519', 64],
    ['ed25519+ml-dsa-65', 3373],
  ] as const)('wants exactly the length of a signature for %s', async (alg, length) => {
    const key = new SoftwareKey(alg, 'license', randomBytes(alg === 'ed25519' ? 32 : 64));
    const message = Buffer.from('message');
    const signature = await key.sign(message);
    expect(signature).toHaveLength(length);
    for (const provider of providers) {
      expect(verifySignature(key.publicKey, message, signature, provider)).toBe(true);
      expect(verifySignature(key.publicKey, message, signature.slice(0, -1), provider)).toBe(false);
      expect(verifySignature(key.publicKey, message, signature.slice(1), provider)).toBe(false);
      expect(verifySignature(key.publicKey, message, Uint8Array.of(...signature, 0), provider)).toBe(false);
      expect(verifySignature(key.publicKey, message, new Uint8Array(), provider)).toBe(false);
    }
  });
});

describe('otherProvider', () => {
  it('is never the one that signed', () => {
    expect(otherProvider('node').name).toBe('noble');
    expect(otherProvider('noble').name).toBe('node');
    expect(otherProvider('token').name).toBe('node');
  });
});
