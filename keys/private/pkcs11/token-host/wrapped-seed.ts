/**
 * `hsm-wrapped` custody inside the host: an ML-DSA seed that an AES-256 key of the token encrypts, and the signature
 * with it.
 *
 * Outside the token the seed is `"vtlic-wrapped-seed"` (18) || version 01 (1) || IV (12) || ciphertext (32) || tag
 * (16). The associated data is what comes before the IV, then the key's kid: a blob of another key, or of another
 * version, does not decrypt. In the clear the seed is only in this process, from its first use to the end of the run,
 * as a key of node:crypto.
 */
import { randomBytes, sign, type KeyObject } from 'node:crypto';
import { concatBytes, equalBytes, fromHex, utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { COMPOSITE_LABEL } from '../../../public/composite.ts';
import { kidOf } from '../../../public/public-key.ts';
import { mldsa65Component } from '../../software/private-key-objects.ts';
import { HostRefusal } from './host-errors.ts';
import { aesGcm, TAG_BYTES } from './mechanism.ts';
import type { ObjectHandle, Pkcs11Module, SessionHandle } from './module.ts';

const HEAD: Uint8Array = concatBytes(utf8('vtlic-wrapped-seed'), Uint8Array.of(1));
const SEED_BYTES = 32;
const IV_BYTES = 12;
const KID_BYTES = 32;

export interface WrappedSeed {
  readonly iv: Uint8Array;
  /** Ciphertext and tag, as CKM_AES_GCM gives and takes them: 48 bytes. */
  readonly sealed: Uint8Array;
}

export function encodeWrappedSeed(seed: WrappedSeed): Uint8Array {
  if (seed.iv.length !== IV_BYTES || seed.sealed.length !== SEED_BYTES + TAG_BYTES)
    throw new VtlicError('internal', 'a wrapped seed should have an IV of 12 bytes and 48 bytes sealed');
  return concatBytes(HEAD, seed.iv, seed.sealed);
}

/** @throws VtlicError `keyfile_corrupt` */
export function decodeWrappedSeed(bytes: Uint8Array): WrappedSeed {
  const length = HEAD.length + IV_BYTES + SEED_BYTES + TAG_BYTES;
  if (bytes.length !== length || !equalBytes(bytes.subarray(0, HEAD.length), HEAD)) {
    throw new VtlicError(
      'keyfile_corrupt',
      `a wrapped seed should have ${length} bytes that begin "vtlic-wrapped-seed" and version 1, ` +
        'but it is something else',
      { hint: 'restore it from its backup' },
    );
  }
  const iv = bytes.slice(HEAD.length, HEAD.length + IV_BYTES);
  return { iv, sealed: bytes.slice(HEAD.length + IV_BYTES) };
}

/** @param kid 64 hex digits */
export function wrappedSeedAssociatedData(kid: string): Uint8Array {
  const bytes = fromHex(kid);
  if (bytes?.length !== KID_BYTES) throw new VtlicError('internal', 'a kid should be 64 hex digits');
  return concatBytes(HEAD, bytes);
}

export interface OpenedSeed {
  readonly privateKey: KeyObject;
  /** 1952 bytes */
  readonly mldsa65: Uint8Array;
}

const COMPOSITE = 'ed25519+ml-dsa-65';

/** A fresh seed: the system's randomness XOR the token's, so that neither decides it by itself. */
export function makeWrappedSeed(
  module: Pkcs11Module,
  session: SessionHandle,
  wrappingKey: ObjectHandle,
  ed25519: Uint8Array,
): OpenedSeed & { readonly wrapped: Uint8Array } {
  const seed = randomBytes(SEED_BYTES);
  const other = module.random(session, SEED_BYTES);
  try {
    for (let i = 0; i < seed.length; i++) seed[i] = (seed[i] ?? 0) ^ (other[i] ?? 0);
    const { privateKey, publicBytes } = mldsa65Component(seed);
    const iv = randomBytes(IV_BYTES);
    const associatedData = wrappedSeedAssociatedData(kidOf(COMPOSITE, concatBytes(publicBytes, ed25519)));
    const sealed = module.encrypt(session, wrappingKey, aesGcm(iv, associatedData), seed, SEED_BYTES + TAG_BYTES);
    return { privateKey, mldsa65: publicBytes, wrapped: encodeWrappedSeed({ iv, sealed }) };
  } finally {
    seed.fill(0);
    other.fill(0);
  }
}

/** @throws HostRefusal `keyfile_corrupt` where what was decrypted does not have the length of a seed */
export function openWrappedSeed(
  module: Pkcs11Module,
  session: SessionHandle,
  wrappingKey: ObjectHandle,
  wrapped: Uint8Array,
  kid: string,
): OpenedSeed {
  const { iv, sealed } = decodeWrappedSeed(wrapped);
  // SoftHSM wants room for the tag in the output too.
  const seed = module.decrypt(session, wrappingKey, aesGcm(iv, wrappedSeedAssociatedData(kid)), sealed, sealed.length);
  try {
    if (seed.length !== SEED_BYTES)
      throw new HostRefusal('keyfile_corrupt', 'what the token decrypted is not a seed of 32 bytes');
    const { privateKey, publicBytes } = mldsa65Component(seed);
    return { privateKey, mldsa65: publicBytes };
  } finally {
    seed.fill(0);
  }
}

/** ML-DSA-65, hedged, with the composite's label as context: 3309 bytes. */
export function signWithSeed(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return Uint8Array.from(sign(null, message, { key: privateKey, context: COMPOSITE_LABEL }));
}
