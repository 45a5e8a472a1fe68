/**
 * What a provider of the signature algorithms (Ed25519 of RFC 8032, ML-DSA-65 of FIPS 204) computes, how long its keys
 * and signatures are, and the error of a provider that fails.
 */
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';

/** `default` chooses between the two others for each algorithm (`provider-default.ts`). */
export type ProviderName = 'node' | 'noble' | 'default';

/** What a provider computes. */
export type ProviderAlgorithm = 'sha256' | 'sha512' | 'ed25519' | 'mldsa65';

/**
 * Computes hashes and verifies signatures. The choice of the provider must never change a verdict: each provider
 * applies `meetsEd25519Criteria` first, computes the cofactorless check, and returns false for a wrong length instead
 * of throwing.
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

/** The DER of a SubjectPublicKeyInfo before the 32 bytes of the key: OID 1.3.101.112 (RFC 8410). */
export const ED25519_SPKI_PREFIX: Uint8Array = fromHex('302a300506032b6570032100') ?? new Uint8Array();

/** The DER of a SubjectPublicKeyInfo before the 1952 bytes of the key: OID 2.16.840.1.101.3.4.3.18 (RFC 9881). */
export const MLDSA65_SPKI_PREFIX: Uint8Array =
  fromHex('308207b2300b0609608648016503040312038207a100') ?? new Uint8Array();

/**
 * The error of a provider that cannot compute. It says nothing about the file that was judged, so no caller may turn it
 * into a verdict or report the file as damaged.
 *
 * @param message names the runtime and the algorithm
 */
export function cryptoUnavailable(message: string, cause?: unknown): VtlicError {
  return new VtlicError('crypto_unavailable', message, {
    hint: 'the file may be good: run the same command with another version of the runtime (Node.js 24 LTS)',
    cause,
  });
}

/** Also true of such an error from a worker thread, which arrives with its properties but without its class. */
export function isCryptoUnavailable(error: unknown): error is Error & { readonly code: 'crypto_unavailable' } {
  return error instanceof Error && 'code' in error && error.code === 'crypto_unavailable';
}
