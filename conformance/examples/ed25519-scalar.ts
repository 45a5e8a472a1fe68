/** Numbers modulo the order of Ed25519's base point, for examples that no honest signer makes. */
import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { concatBytes, fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { torsionPoints } from './torsion-points.ts';

export const GROUP_ORDER: bigint = Point.CURVE().n;

export function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

/** 32 bytes, little-endian. */
export function scalarBytes(scalar: bigint): Uint8Array {
  return (fromHex(scalar.toString(16).padStart(64, '0')) ?? new Uint8Array()).toReversed();
}

const sha512 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha512').update(bytes).digest());

/** The number k of a signature, not yet modulo L (docs/format.md, section 6.4). */
export function challenge(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return littleEndian(sha512(concatBytes(r, publicKey, message)));
}

/** The secret scalar of a seed (RFC 8032 §5.1.5). */
export function secretScalar(seed: Uint8Array): bigint {
  const half = sha512(seed).subarray(0, 32);
  half[0] = (half[0] ?? 0) & 248;
  half[31] = ((half[31] ?? 0) & 127) | 64;
  return littleEndian(half);
}

/** A signature whose R is R = [r]B + T, and whose s fits that R: with T = 0 the equation is true. */
function craftedSignature(
  seed: string,
  publicKey: Uint8Array,
  message: Uint8Array,
  r: bigint,
  torsion: Point,
  spelledR?: Uint8Array,
): Uint8Array {
  const base = r === 0n ? Point.ZERO : Point.BASE.multiply(r);
  const rBytes = spelledR ?? base.add(torsion).toBytes();
  const k = challenge(rBytes, publicKey, message) % GROUP_ORDER;
  return concatBytes(rBytes, scalarBytes((r + k * secretScalar(utf8(seed))) % GROUP_ORDER));
}

/**
 * R is the neutral element, encoded `01 00 … 00`: the equation is true, and it is refused all the same.
 *
 * @param spelledR another spelling of it
 */
export function smallOrderSignature(
  seed: string,
  publicKey: Uint8Array,
  message: Uint8Array,
  spelledR?: Uint8Array,
): Uint8Array {
  return craftedSignature(seed, publicKey, message, 0n, Point.ZERO, spelledR);
}

/** R has a torsion part: a check that multiplies by the cofactor accepts it, the check of this format does not. */
export function torsionSignature(seed: string, publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  return craftedSignature(seed, publicKey, message, 0x7674_6c69n, torsionPoints()[1] ?? Point.ZERO);
}

/** The same signature with s + L. */
export function largeScalarSignature(signature: Uint8Array): Uint8Array {
  return concatBytes(signature.slice(0, 32), scalarBytes(littleEndian(signature.slice(32)) + GROUP_ORDER));
}
