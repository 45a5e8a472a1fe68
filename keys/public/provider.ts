/** `default` chooses between the two others for each algorithm (`provider-default.ts`). */
export type ProviderName = 'node' | 'noble' | 'default';

/** What a provider computes. */
export type ProviderAlgorithm = 'sha256' | 'sha512' | 'ed25519' | 'mldsa65';

/**
 * The arithmetic, behind one small interface. Which provider runs must never change a verdict: each applies
 * `meetsEd25519Criteria` first and computes the cofactorless check, and wrong lengths are false, never a throw.
 */
export interface Provider {
  readonly name: ProviderName;
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** 64 bytes. */
  sha512(bytes: Uint8Array): Uint8Array;
  /** RFC 8032 §5.1.7, pure Ed25519, [s]B - [k]A = R. Key 32 bytes, signature 64. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** FIPS 204 ML-DSA.Verify (algorithm 3) for ML-DSA-65. Key 1952 bytes, signature 3309, context at most 255. */
  mldsa65Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean;
}

export const ED25519_PUBLIC_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;
export const MLDSA65_PUBLIC_KEY_BYTES = 1952;
export const MLDSA65_SIGNATURE_BYTES = 3309;
