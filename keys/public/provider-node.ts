import { concatBytes, equalBytes } from '../../formats/bytes.ts';
import { meetsEd25519Criteria } from './ed25519-criteria.ts';
import { probedProvider } from './probed-provider.ts';
import {
  ED25519_SPKI_PREFIX,
  MLDSA65_PUBLIC_KEY_BYTES,
  MLDSA65_SIGNATURE_BYTES,
  MLDSA65_SPKI_PREFIX,
  type Provider,
} from './provider.ts';
import { findNodeCrypto, runtimeName, type NodeCrypto } from './runtime.ts';

interface KnownKey {
  readonly bytes: Uint8Array;
  readonly keyObject: object;
}

/**
 * The provider by this `node:crypto`, as it is: it may throw, and a runtime without contexts gives wrong answers. Only
 * a probed one may judge a license (`probed-provider.ts`).
 */
export function nodeProviderOf(crypto: NodeCrypto): Provider {
  /**
   * Making a KeyObject costs about as much as a verification. The map keeps one as long as the caller's array exists.
   */
  const known = new WeakMap<Uint8Array, KnownKey>();

  function keyObjectOf(publicKey: Uint8Array, prefix: Uint8Array): object {
    const held = known.get(publicKey);
    // Compares the bytes, since the caller may have written to the array after its first use.
    if (held !== undefined && equalBytes(held.bytes, publicKey)) return held.keyObject;
    const key = concatBytes(prefix, publicKey);
    const keyObject = crypto.createPublicKey({ key, format: 'der', type: 'spki' });
    known.set(publicKey, { bytes: publicKey.slice(), keyObject });
    return keyObject;
  }

  /** Asks for a text of one character a byte: Node makes one in a third of the time that it takes for a buffer. */
  function digest(algorithm: 'sha256' | 'sha512', length: number, bytes: Uint8Array): Uint8Array {
    const text = crypto.hash(algorithm, bytes, 'binary');
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = text.charCodeAt(i);
    return out;
  }

  return Object.freeze<Provider>({
    name: 'node',
    sha256: (bytes) => digest('sha256', 32, bytes),
    sha512: (bytes) => digest('sha512', 64, bytes),
    ed25519Verify: (publicKey, message, signature) =>
      meetsEd25519Criteria(publicKey, signature) &&
      crypto.verify(null, message, keyObjectOf(publicKey, ED25519_SPKI_PREFIX), signature),
    mldsa65Verify: (publicKey, message, signature, context) =>
      publicKey.length === MLDSA65_PUBLIC_KEY_BYTES &&
      signature.length === MLDSA65_SIGNATURE_BYTES &&
      crypto.verify(null, message, { key: keyObjectOf(publicKey, MLDSA65_SPKI_PREFIX), context }, signature),
  });
}

const crypto = findNodeCrypto();

/**
 * node:crypto, that is OpenSSL 3.5: seven times faster than JavaScript and more. For the signer, which needs two
 * providers that know nothing of each other: where node:crypto does not compute rightly it throws
 * `crypto_unavailable`, and never asks noble instead.
 */
export const nodeProvider: Provider = probedProvider(
  'node',
  crypto === undefined ? undefined : nodeProviderOf(crypto),
  runtimeName(),
).provider;
