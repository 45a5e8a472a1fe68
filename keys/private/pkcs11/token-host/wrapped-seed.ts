/**
 * The ML-DSA seed of `hsm-wrapped` custody, as it lies outside the token: encrypted under an AES-256 key of the token.
 *
 * `"vtlic-wrapped-seed"` (18) || version 01 (1) || IV (12) || ciphertext (32) || tag (16). The associated data is what comes
 * before the IV, then the key's kid: a blob of another key, or of another version, does not decrypt.
 */
import { concatBytes, equalBytes, fromHex, utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';

const HEAD: Uint8Array = concatBytes(utf8('vtlic-wrapped-seed'), Uint8Array.of(1));
export const SEED_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
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
      `a wrapped seed should have ${length} bytes that begin "vtlic-wrapped-seed" and version 1, but something else came`,
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
