/**
 * What `site.json` says of a key. The kid is recomputed from the public key, and must be the one that is written there.
 */
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { Custody } from '../../keys/private/signing-key.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';

export interface KeyRecord {
  readonly name: string;
  readonly purpose: KeyPurpose;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKey;
  /** Name of the keystore that holds the private key. */
  readonly keystore: string;
  readonly custody: Custody;
  /** RFC 3339, UTC. */
  readonly made: string;
  /** Of a key in a token. */
  readonly object?: TokenObject;
}

/** How a key is found in its token, and what lies outside it. */
export interface TokenObject {
  /** CKA_LABEL */
  readonly label: string;
  /** CKA_ID, hex */
  readonly id: string;
  /** Custody `hsm-wrapped`: the ML-DSA seed, encrypted under a key of the token. Worth nothing without it. */
  readonly wrappedSeed?: Uint8Array;
  /** Custody `split`: the keystore of the ML-DSA component. */
  readonly mldsaKeystore?: string;
}
