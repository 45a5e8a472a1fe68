import { Point } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concatBytes, equalBytes, toHex } from '../../formats/bytes.ts';
import { decodePoint, meetsEd25519Criteria } from './ed25519-criteria.ts';
import { nodeProvider } from './provider-node.ts';
import { MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_SIGNATURE_BYTES, type Provider } from './provider.ts';

const GROUP_ORDER: bigint = Point.CURVE().n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

/**
 * noble's own `verify` multiplies by the cofactor and so accepts an R with a torsion part, in both of its modes;
 * OpenSSL, Go and dalek do not. Hence the equation is written out here on noble's points.
 */
function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!meetsEd25519Criteria(publicKey, signature)) return false;
  const a = decodePoint(publicKey);
  if (a === undefined) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const k = littleEndian(sha512(concatBytes(r, publicKey, message))) % GROUP_ORDER;
  const expected = Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k));
  return equalBytes(expected.toBytes(), r);
}

/**
 * Pure JavaScript: for what the runtime cannot compute, and as the second opinion beside node:crypto. Nothing here is
 * secret.
 */
export const nobleProvider: Provider = Object.freeze<Provider>({
  name: 'noble',
  sha256: (bytes) => sha256(bytes),
  sha512: (bytes) => sha512(bytes),
  ed25519Verify,
  mldsa65Verify: (publicKey, message, signature, context) =>
    publicKey.length === MLDSA65_PUBLIC_KEY_BYTES &&
    signature.length === MLDSA65_SIGNATURE_BYTES &&
    ml_dsa65.verify(signature, message, publicKey, { context }),
});

/**
 * The provider that judges what `maker` signed: never the maker itself. A token's signature is judged by node:crypto.
 */
export function otherProvider(maker: 'node' | 'noble' | 'token'): Provider {
  return maker === 'node' ? nobleProvider : nodeProvider;
}
