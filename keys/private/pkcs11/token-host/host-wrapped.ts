/**
 * `hsm-wrapped` custody inside the host: a seed that an AES key of the token encrypts, and the ML-DSA signature with it.
 *
 * The seed is in the clear in this process alone, from its first use to the end of the run, as a key of node:crypto.
 */
import { randomBytes, sign, type KeyObject } from 'node:crypto';
import { concatBytes } from '../../../../formats/bytes.ts';
import { COMPOSITE_LABEL } from '../../../public/composite.ts';
import { kidOf } from '../../../public/public-key.ts';
import { mldsa65Half } from '../../software/private-key-objects.ts';
import { aesGcm } from './mechanism.ts';
import type { ObjectHandle, Pkcs11Module, SessionHandle } from './module.ts';
import {
  decodeWrappedSeed,
  encodeWrappedSeed,
  IV_BYTES,
  SEED_BYTES,
  TAG_BYTES,
  wrappedSeedAssociatedData,
} from './wrapped-seed.ts';

export interface OpenedSeed {
  readonly privateKey: KeyObject;
  /** 1952 bytes */
  readonly mldsa65: Uint8Array;
}

const COMPOSITE = 'ed25519+ml-dsa-65';

/** A fresh seed: the system's randomness XOR the token's, so that neither alone decides it. */
export async function makeWrappedSeed(
  module: Pkcs11Module,
  session: SessionHandle,
  wrappingKey: ObjectHandle,
  ed25519: Uint8Array,
): Promise<OpenedSeed & { readonly wrapped: Uint8Array }> {
  const seed = randomBytes(SEED_BYTES);
  const other = module.random(session, SEED_BYTES);
  try {
    for (let i = 0; i < seed.length; i++) seed[i] = (seed[i] ?? 0) ^ (other[i] ?? 0);
    const { privateKey, publicBytes } = mldsa65Half(seed);
    const iv = randomBytes(IV_BYTES);
    const associatedData = wrappedSeedAssociatedData(kidOf(COMPOSITE, concatBytes(publicBytes, ed25519)));
    const sealed = await module.encrypt(session, wrappingKey, aesGcm(iv, associatedData), seed, SEED_BYTES + TAG_BYTES);
    return { privateKey, mldsa65: publicBytes, wrapped: encodeWrappedSeed({ iv, sealed }) };
  } finally {
    seed.fill(0);
    other.fill(0);
  }
}

/** @returns undefined where what was decrypted has not the length of a seed */
export async function openWrappedSeed(
  module: Pkcs11Module,
  session: SessionHandle,
  wrappingKey: ObjectHandle,
  wrapped: Uint8Array,
  kid: string,
): Promise<OpenedSeed | undefined> {
  const { iv, sealed } = decodeWrappedSeed(wrapped);
  // SoftHSM wants room for the tag in the output too.
  const seed = await module.decrypt(
    session,
    wrappingKey,
    aesGcm(iv, wrappedSeedAssociatedData(kid)),
    sealed,
    sealed.length,
  );
  try {
    if (seed.length !== SEED_BYTES) return undefined;
    const { privateKey, publicBytes } = mldsa65Half(seed);
    return { privateKey, mldsa65: publicBytes };
  } finally {
    seed.fill(0);
  }
}

/** ML-DSA-65, hedged, with the composite's label as context: 3309 bytes. */
export function signWithSeed(privateKey: KeyObject, message: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    sign(null, message, { key: privateKey, context: COMPOSITE_LABEL }, (error, signature) => {
      if (error === null) resolve(Uint8Array.from(signature));
      else reject(error);
    });
  });
}
