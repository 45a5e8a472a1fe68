import type { KeyPurpose } from '../public/key-purpose.ts';
import type { PublicKey } from '../public/public-key.ts';

/**
 * Where the private components are stored.
 *
 * - `hsm`: both in a token, and never outside it.
 * - `hsm-wrapped`: Ed25519 in a token; the ML-DSA seed encrypted under a key of that token.
 * - `split`: Ed25519 in one token, ML-DSA in another.
 * - `software`: an encrypted file; in this process' memory while the key is open.
 */
export type Custody = 'hsm' | 'hsm-wrapped' | 'split' | 'software';

/** Who made the signature, so that another implementation can judge it. */
export type SignatureMaker = 'node' | 'noble' | 'token';

/** An opened private key of any keystore. Everything above this interface is the same for files and tokens. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  readonly custody: Custody;
  readonly signedBy: SignatureMaker;

  /**
   * Signs the message as the key's algorithm says: Ed25519 (64 bytes), or the composite over the message (3373 bytes,
   * ML-DSA first; docs/format.md, "Algorithms and keys"). Not yet verified: the caller judges what comes back.
   *
   * @throws VtlicError `signing_failed` when no signature was made, `signing_unknown` when that cannot be known.
   */
  sign(message: Uint8Array): Promise<Uint8Array>;

  /** Wipes or logs out. Calling it again does nothing; `sign` after it throws `signing_failed`. */
  close(): Promise<void>;
}
