import { Point } from '@noble/ed25519';

/**
 * What a public key's 32 bytes are, beyond their spelling. `mixed-order` has a torsion part beside its prime-order
 * part.
 */
export type PointKind = 'not-on-curve' | 'mixed-order' | 'prime-order';

/**
 * Decodes 32 bytes as RFC 8032 §5.1.3 says; undefined where they are no point of the curve.
 * Bytes that are not canonical are no point either.
 */
export function decodePoint(encoding: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(encoding);
  } catch {
    return undefined;
  }
}

/** Multiplies by the group order: some milliseconds, so for import into a site and publication only. */
export function kindOfPoint(encoding: Uint8Array): PointKind {
  const point = decodePoint(encoding);
  if (point === undefined) return 'not-on-curve';
  return point.isTorsionFree() ? 'prime-order' : 'mixed-order';
}
