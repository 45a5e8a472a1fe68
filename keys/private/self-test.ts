import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { nobleProvider } from '../public/provider-noble.ts';
import { nodeProvider } from '../public/provider-node.ts';
import { verifySignature } from '../public/verify-signature.ts';
import type { SigningKey } from './signing-key.ts';

/** Begins with 76 ("v"); a Sig_structure begins with 84: no self-test signature is ever good for anything else. */
const SELF_TEST_TEXT: Uint8Array = utf8('vtlic key self-test, not a license\n');

/** The fixed text, then the caller's 32 random bytes. */
export function selfTestMessage(random32: Uint8Array): Uint8Array {
  if (random32.length !== 32)
    throw new VtlicError('internal', `a self-test takes 32 random bytes, but ${random32.length} came`);
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
