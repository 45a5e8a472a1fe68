import { Point } from '@noble/ed25519';

/**
 * The eight points of the torsion subgroup: the multiples of a point of order 8. Multiplying any point by the prime
 * order removes its part in the prime-order subgroup; the first result that has order 8 is taken.
 */
export function torsionPoints(): readonly Point[] {
  for (let y = 2; y < 64; y++) {
    const encoding = new Uint8Array(32);
    encoding[0] = y;
    const candidate = decode(encoding);
    if (candidate === undefined) continue;
    const torsion = timesGroupOrder(candidate);
    const multiples = [Point.ZERO];
    for (let i = 1; i < 8; i++) multiples.push((multiples[i - 1] ?? Point.ZERO).add(torsion));
    if (new Set(multiples.map((point) => point.toHex())).size === 8) return multiples;
  }
  throw new Error('no point of order 8 was found');
}

/** [L]P, which noble's scalar bounds do not allow in one step. */
function timesGroupOrder(point: Point): Point {
  return point.multiplyUnsafe(Point.CURVE().n - 1n).add(point);
}

function decode(encoding: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(encoding);
  } catch {
    return undefined;
  }
}
