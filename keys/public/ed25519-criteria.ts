/**
 * What is judged about an Ed25519 key and signature before any arithmetic: the same bytes are refused whichever
 * provider does the arithmetic, and whichever version of it (docs/format.md, "Ed25519 criteria").
 */
import { Point } from '@noble/ed25519';
import { equalBytes, fromHex } from '../../formats/bytes.ts';

/** The canonical encodings of the eight points whose order divides the cofactor 8. */
const SMALL_ORDER_ENCODINGS: readonly Uint8Array[] = [
  '0100000000000000000000000000000000000000000000000000000000000000', // order 1: (0, 1)
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // order 2: (0, -1)
  '0000000000000000000000000000000000000000000000000000000000000000', // order 4: (√-1, 0)
  '0000000000000000000000000000000000000000000000000000000000000080', // order 4
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', // order 8
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85', // order 8
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', // order 8
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa', // order 8
].map(bytesOfHex);

/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, little-endian. */
const GROUP_ORDER: Uint8Array = bytesOfHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

function bytesOfHex(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array();
}

/** Whether these 32 bytes are the encoding of a point of order 1, 2, 4 or 8. */
export function isSmallOrder(encoding: Uint8Array): boolean {
  for (const small of SMALL_ORDER_ENCODINGS) if (equalBytes(encoding, small)) return true;
  return false;
}

/**
 * Whether 32 bytes spell a point in its one canonical way (RFC 8032 §5.1.3): y below the field prime p = 2^255 - 19,
 * and no sign on the two points whose x is 0. That the point lies on the curve is judged elsewhere.
 */
export function isCanonicalEncoding(encoding: Uint8Array): boolean {
  const first = encoding[0] ?? 0;
  const last = encoding[31] ?? 0;
  if ((last & 0x7f) === 0x7f && allEqual(encoding, 0xff)) {
    // y is 2^255 - 256 + first, and p ends in ed: y = p - 1 is (0, -1).
    if (first >= 0xed) return false;
    if (first === 0xec) return last === 0x7f;
  }
  // y = 1 is (0, 1).
  return !(first === 1 && last === 0x80 && allEqual(encoding, 0));
}

/** The bytes between the first and the last of 32. */
function allEqual(encoding: Uint8Array, value: number): boolean {
  for (let i = 1; i < 31; i++) if (encoding[i] !== value) return false;
  return true;
}

/** Whether the 32 little-endian bytes from `offset` on are below L: s of RFC 8032 §5.1.7. */
export function isReducedScalar(bytes: Uint8Array, offset: number): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (bytes[offset + i] ?? 0) - (GROUP_ORDER[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * All that a provider asks before it computes [s]B - [k]A: lengths 32 and 64, a canonical key that is not of small
 * order, s < L, and an R that is not of small order. The equation itself refuses an R that is not canonical.
 */
export function meetsEd25519Criteria(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === 32 &&
    signature.length === 64 &&
    isReducedScalar(signature, 32) &&
    isCanonicalEncoding(publicKey) &&
    !isSmallOrder(publicKey) &&
    !isSmallOrder(signature.subarray(0, 32))
  );
}

/**
 * The kind of point that the 32 bytes of a public key encode. `mixed-order` has a torsion part beside its prime-order
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
