/**
 * Seeds to node:crypto's private keys. A KeyObject keeps its secret in OpenSSL's memory, which cleanses it when freed.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { fromHex } from '../../../formats/bytes.ts';
import { ED25519_SPKI_PREFIX, MLDSA65_SPKI_PREFIX } from '../../public/provider.ts';

/** PKCS#8 of RFC 8410 §7 up to the 32 bytes of the seed. */
const ED25519_PKCS8_PREFIX: Uint8Array = fromHex('302e020100300506032b657004220420') ?? new Uint8Array();

/** PKCS#8 of RFC 9881 §6, the form with only the seed, up to its 32 bytes. */
const MLDSA65_PKCS8_PREFIX: Uint8Array = fromHex('3034020100300b060960864801650304031204228020') ?? new Uint8Array();

export interface PrivateComponent {
  readonly privateKey: KeyObject;
  /** Computed from the seed: 32 bytes, or 1952. */
  readonly publicBytes: Uint8Array;
}

/** @param seed 32 bytes; the caller wipes them. */
export function ed25519Component(seed: Uint8Array): PrivateComponent {
  return componentOf(seed, ED25519_PKCS8_PREFIX, ED25519_SPKI_PREFIX);
}

/** @param seed 32 bytes (FIPS 204's ξ); the caller wipes them. */
export function mldsa65Component(seed: Uint8Array): PrivateComponent {
  return componentOf(seed, MLDSA65_PKCS8_PREFIX, MLDSA65_SPKI_PREFIX);
}

function componentOf(seed: Uint8Array, pkcs8Prefix: Uint8Array, spkiPrefix: Uint8Array): PrivateComponent {
  const der = Buffer.alloc(pkcs8Prefix.length + seed.length);
  try {
    der.set(pkcs8Prefix);
    der.set(seed, pkcs8Prefix.length);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    return { privateKey, publicBytes: Uint8Array.from(spki.subarray(spkiPrefix.length)) };
  } finally {
    der.fill(0);
  }
}
