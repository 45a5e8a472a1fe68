/**
 * Ed25519 keys of mixed order, and signatures by them. No honest generator makes such a key, and a verifier takes it
 * (docs/format.md, sections 6.4 and 12.2).
 */
import { Point } from '@noble/ed25519';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { challenge, GROUP_ORDER, scalarBytes, secretScalar } from './ed25519-scalar.ts';
import { torsionPoints } from './torsion-points.ts';

export interface MixedOrderKey {
  /** 32 characters of ASCII. */
  readonly seed: string;
  /** The torsion part T, as its place in `torsionPoints()`: 1, 3, 5 and 7 have the order 8, 2 and 6 the order 4. */
  readonly torsion: number;
  /** A = [a]B + T, 32 bytes. */
  readonly publicKey: Uint8Array;
}

const torsionAt = (place: number): Point => torsionPoints()[place] ?? Point.ZERO;

export function mixedOrderKey(seed: string, torsion: number): MixedOrderKey {
  const prime = Point.BASE.multiply(secretScalar(utf8(seed)) % GROUP_ORDER);
  return { seed, torsion, publicKey: prime.add(torsionAt(torsion)).toBytes() };
}

interface Signed {
  readonly signature: Uint8Array;
  /** R + [k]T has no torsion part, so that the equation of criterion 6 is true, and not only with the cofactor. */
  readonly isExact: boolean;
  /** Whether it would also be exact with a k that is not reduced modulo L. */
  readonly isExactUnreduced: boolean;
}

/** R = [r]B + a torsion point, and s = r + ka. */
function signedWith({ seed, torsion, publicKey }: MixedOrderKey, message: Uint8Array, r: bigint, ofR: number): Signed {
  const base = r === 0n ? Point.ZERO : Point.BASE.multiply(r);
  const rBytes = base.add(torsionAt(ofR)).toBytes();
  const unreduced = challenge(rBytes, publicKey, message);
  const k = unreduced % GROUP_ORDER;
  const isExactWith = (factor: bigint): boolean => (factor * BigInt(torsion) + BigInt(ofR)) % 8n === 0n;
  return {
    signature: concatBytes(rBytes, scalarBytes((r + k * secretScalar(utf8(seed))) % GROUP_ORDER)),
    isExact: isExactWith(k),
    isExactUnreduced: isExactWith(unreduced),
  };
}

/**
 * A signature whose equation is true, although R has this torsion part. With a k that is not reduced modulo L the
 * equation would be false.
 *
 * @param ofR the torsion part of R, as its place in `torsionPoints()`; 0: none
 */
export function exactSignature(key: MixedOrderKey, message: Uint8Array, ofR = 0): Uint8Array {
  for (let r = 1n; ; r++) {
    const { signature, isExact, isExactUnreduced } = signedWith(key, message, r, ofR);
    if (isExact && !isExactUnreduced) return signature;
  }
}

/** A signature whose equation is true only if both sides are multiplied by the cofactor. R has no torsion part. */
export function cofactoredSignature(key: MixedOrderKey, message: Uint8Array): Uint8Array {
  for (let r = 1n; ; r++) {
    const { signature, isExact } = signedWith(key, message, r, 0);
    if (!isExact) return signature;
  }
}

/**
 * A signature whose R is a point of small order and whose equation is true; undefined where this message has none.
 *
 * @param ofR the point, as its place in `torsionPoints()`
 */
export function smallRSignature(key: MixedOrderKey, message: Uint8Array, ofR: number): Uint8Array | undefined {
  const { signature, isExact } = signedWith(key, message, 0n, ofR);
  return isExact ? signature : undefined;
}
