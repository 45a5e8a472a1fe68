import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { KeyPurpose } from '../public/key-purpose.ts';
import { nobleProvider } from '../public/provider-noble.ts';
import { nodeProvider } from '../public/provider-node.ts';
import type { PublicKey } from '../public/public-key.ts';
import { verifySignature } from '../public/verify-signature.ts';

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

/** Begins with 76 ("v"); a Sig_structure begins with 84: no self-test signature is ever good for anything else. */
const SELF_TEST_TEXT: Uint8Array = utf8('vtlic key self-test, not a license\n');

/** The fixed text, then the caller's 32 random bytes. */
export function selfTestMessage(random32: Uint8Array): Uint8Array {
  if (random32.length !== 32)
    throw new VtlicError('internal', `a self-test takes 32 random bytes, not ${random32.length}`);
  return concatBytes(SELF_TEST_TEXT, random32);
}

/**
 * Makes one signature and has both providers judge it: after key generation and at each opening.
 *
 * @throws VtlicError `self_check_failed` when either refuses it; what `sign` throws passes through.
 */
export async function selfTest(key: SigningKey, random32: Uint8Array): Promise<void> {
  const message = selfTestMessage(random32);
  const signature = await key.sign(message);
  for (const provider of [nodeProvider, nobleProvider]) {
    if (verifySignature(key.publicKey, message, signature, provider)) continue;
    throw new VtlicError(
      'self_check_failed',
      `the key ${key.publicKey.kid} made a signature that ${provider.name} refuses under its own public key`,
      {
        hint: 'Do not use this key: check the token or restore the key file from its backup.',
      },
    );
  }
}
