/** The mu of ML-DSA, computed outside a token that signs a mu and knows no context (FIPS 204). */
import { createHash } from 'node:crypto';
import { VtlicError } from '../../../../formats/error.ts';

const MU_BYTES = 64;
const PURE = 0;

/**
 * mu = SHAKE256(SHAKE256(pk, 64) || 00 || len(context) || context || message, 64): FIPS 204 algorithm 2 line 10 and
 * algorithm 7 line 6, for pure ML-DSA.
 *
 * @param publicKey 1952 bytes for ML-DSA-65
 * @param context at most 255 bytes
 */
export function externalMu(publicKey: Uint8Array, message: Uint8Array, context: Uint8Array): Uint8Array {
  if (context.length > 255)
    throw new VtlicError('internal', `an ML-DSA context has at most 255 bytes, but ${context.length} came`);
  const tr = createHash('shake256', { outputLength: MU_BYTES }).update(publicKey).digest();
  const mu = createHash('shake256', { outputLength: MU_BYTES })
    .update(tr)
    .update(Uint8Array.of(PURE, context.length))
    .update(context)
    .update(message);
  return Uint8Array.from(mu.digest());
}
