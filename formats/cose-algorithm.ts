/** The two algorithms of format version 1, and the numbers that belong to them. */
import type { CborValue } from './cbor/index.ts';

export type Algorithm = 'ed25519' | 'ed25519+ml-dsa-65';

export interface AlgorithmFacts {
  /** COSE `alg`: -19 (RFC 9864), and for the composite a text of this format's own, for ever in version 1. */
  readonly wire: -19 | 'ed25519+ml-dsa-65';
  /** The composite is the ML-DSA key (1952), then the Ed25519 key (32). */
  readonly publicKeyBytes: number;
  /** Seeds: for the composite the ML-DSA seed (32), then the Ed25519 seed (32). */
  readonly privateKeyBytes: number;
  /** The composite is the ML-DSA signature (3309), then the Ed25519 signature (64). */
  readonly signatureBytes: number;
}

export const ALGORITHMS: Readonly<Record<Algorithm, AlgorithmFacts>> = Object.freeze({
  ed25519: Object.freeze({ wire: -19, publicKeyBytes: 32, privateKeyBytes: 32, signatureBytes: 64 }),
  'ed25519+ml-dsa-65': Object.freeze({
    wire: 'ed25519+ml-dsa-65',
    publicKeyBytes: 1984,
    privateKeyBytes: 64,
    signatureBytes: 3373,
  }),
});

export function isAlgorithm(text: string): text is Algorithm {
  return text === 'ed25519' || text === 'ed25519+ml-dsa-65';
}

/** The algorithm of a COSE `alg` value; undefined for every other value, whatever its type. */
export function algorithmOfWire(wire: CborValue): Algorithm | undefined {
  if (wire === -19) return 'ed25519';
  return wire === 'ed25519+ml-dsa-65' ? 'ed25519+ml-dsa-65' : undefined;
}
