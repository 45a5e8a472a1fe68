/**
 * Makes the mechanisms with their parameters, in the few shapes that are safe to pass to the binding, and computes the
 * mu of ML-DSA for a token that signs a mu and takes no context.
 */
import { createHash } from 'node:crypto';
import { VtlicError } from '../../../../formats/error.ts';
import { CKH_HEDGE_PREFERRED, CKM_AES_GCM } from '../shared/constants.ts';
import type { BindingMechanism } from './native-binding.ts';

/** The binding's names of parameter layouts (`pkcs11js`, common.h). */
const LAYOUT_DES_CBC_ENCRYPT_DATA = 20;
const LAYOUT_GCM = 25;

const CK_ULONG_BYTES = 8;
/** The tag of AES-GCM. */
export const TAG_BYTES = 16;

export function plainMechanism(mechanism: number): BindingMechanism {
  return { mechanism };
}

/**
 * CK_SIGN_ADDITIONAL_CONTEXT {hedgeVariant, pContext, ulContextLen}. The binding does not know it, but its
 * CK_DES_CBC_ENCRYPT_DATA_PARAMS {iv[8], pData, length} is the same 24 bytes where CK_ULONG has 8 bytes, little-endian.
 */
export function signWithContext(mechanism: number, context: Uint8Array): BindingMechanism {
  const hedge = Buffer.alloc(CK_ULONG_BYTES);
  hedge.writeBigUInt64LE(BigInt(CKH_HEDGE_PREFERRED));
  return { mechanism, parameter: { type: LAYOUT_DES_CBC_ENCRYPT_DATA, iv: hedge, data: Buffer.from(context) } };
}

/** CK_GCM_PARAMS with a 96-bit IV and a 128-bit tag. */
export function aesGcm(iv: Uint8Array, associatedData: Uint8Array): BindingMechanism {
  return {
    mechanism: CKM_AES_GCM,
    parameter: {
      type: LAYOUT_GCM,
      iv: Buffer.from(iv),
      ivBits: iv.length * 8,
      aad: Buffer.from(associatedData),
      tagBits: TAG_BYTES * 8,
    },
  };
}

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
    throw new VtlicError('internal', `an ML-DSA context has at most 255 bytes, not ${context.length}`);
  const tr = createHash('shake256', { outputLength: MU_BYTES }).update(publicKey).digest();
  const mu = createHash('shake256', { outputLength: MU_BYTES })
    .update(tr)
    .update(Uint8Array.of(PURE, context.length))
    .update(context)
    .update(message);
  return Uint8Array.from(mu.digest());
}
