/**
 * The IETF composite signature of ML-DSA-65 with Ed25519 (draft-ietf-lamps-pq-composite-sigs, `MLDSA65-Ed25519-SHA512`;
 * the same construction in draft-ietf-jose-pq-composite-sigs), with an empty application context.
 */
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { defaultProvider } from './provider-default.ts';
import { MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_SIGNATURE_BYTES, type Provider } from './provider.ts';

const PREFIX: Uint8Array = utf8('CompositeAlgorithmSignatures2025');

/** 30 bytes: part of M', and the context of the ML-DSA signature. Not to be written to. */
export const COMPOSITE_LABEL: Uint8Array = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');

/** Prefix, label and the length of the empty context: what every M' begins with. */
const HEAD: Uint8Array = concatBytes(PREFIX, COMPOSITE_LABEL, Uint8Array.of(0));

/**
 * M' = prefix (32) || label (30) || 00 || SHA-512(message) (64): the 127 bytes that both components sign, ML-DSA-65
 * with `COMPOSITE_LABEL` as its context, Ed25519 without one.
 */
export function compositeMessage(message: Uint8Array, provider: Provider = defaultProvider): Uint8Array {
  return concatBytes(HEAD, provider.sha512(message));
}

export interface CompositeComponents {
  readonly mldsa65: Uint8Array;
  readonly ed25519: Uint8Array;
}

/** A public key of 1984 bytes as 1952 and 32, ML-DSA first. The components are copies. */
export function splitCompositeKey(bytes: Uint8Array): CompositeComponents {
  return { mldsa65: bytes.slice(0, MLDSA65_PUBLIC_KEY_BYTES), ed25519: bytes.slice(MLDSA65_PUBLIC_KEY_BYTES) };
}

/** A signature of 3373 bytes as 3309 and 64, ML-DSA first. The components are views. */
export function splitCompositeSignature(bytes: Uint8Array): CompositeComponents {
  return { mldsa65: bytes.subarray(0, MLDSA65_SIGNATURE_BYTES), ed25519: bytes.subarray(MLDSA65_SIGNATURE_BYTES) };
}
