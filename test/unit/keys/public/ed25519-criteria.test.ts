import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../formats/bytes.ts';
import {
  isCanonicalEncoding,
  isReducedScalar,
  isSmallOrder,
  meetsEd25519Criteria,
} from '../../../../keys/public/ed25519-criteria.ts';
import { torsionPoints } from '../../../../conformance/examples/torsion-points.ts';

const P = 2n ** 255n - 19n;
const L = Point.CURVE().n;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).toReversed();
}

describe('isSmallOrder', () => {
  it('knows exactly the eight points that 8 takes to the identity', () => {
    const points = torsionPoints();
    expect(new Set(points.map((point) => point.toHex())).size).toBe(8);
    for (const point of points) expect(isSmallOrder(point.toBytes())).toBe(true);
    for (const point of points) expect(isSmallOrder(point.add(Point.BASE).toBytes())).toBe(false);
  });
});

describe('isCanonicalEncoding', () => {
  it.each([0n, 1n, 2n, P - 2n, P - 1n])('takes y = %d without a sign', (y) =>
    expect(isCanonicalEncoding(littleEndian(y))).toBe(true),
  );
  it.each([P, P + 1n, P + 18n])('refuses y = %d, which is p or above', (y) =>
    expect(isCanonicalEncoding(littleEndian(y))).toBe(false),
  );
  it.each([P, P + 1n, P + 18n])('refuses y = %d with a sign', (y) =>
    expect(isCanonicalEncoding(littleEndian(y + 2n ** 255n))).toBe(false),
  );
  it.each([1n, P - 1n])('refuses a sign on y = %d, whose x is 0', (y) =>
    expect(isCanonicalEncoding(littleEndian(y + 2n ** 255n))).toBe(false),
  );
  it.each([0n, 2n, P - 2n, 0xecn, 0x0180n])('takes a sign on y = %d', (y) =>
    expect(isCanonicalEncoding(littleEndian(y + 2n ** 255n))).toBe(true),
  );
});

describe('isReducedScalar', () => {
  it.each([0n, 1n, L - 1n, 2n ** 252n])('takes %d', (s) => expect(isReducedScalar(littleEndian(s), 0)).toBe(true));
  it.each([L, L + 1n, 2n * L, 2n ** 253n, 2n ** 256n - 1n])('refuses %d', (s) =>
    expect(isReducedScalar(littleEndian(s), 0)).toBe(false),
  );
  it('reads from the offset', () => {
    const bytes = new Uint8Array(64).fill(0xff);
    bytes.set(littleEndian(L - 1n), 32);
    expect(isReducedScalar(bytes, 32), toHex(bytes)).toBe(true);
    expect(isReducedScalar(bytes, 0)).toBe(false);
  });
});

describe('meetsEd25519Criteria', () => {
  const key = Point.BASE.toBytes();
  const signature = (r: Uint8Array, s: bigint): Uint8Array => Uint8Array.of(...r, ...littleEndian(s));
  const good = signature(Point.BASE.multiplyUnsafe(5n).toBytes(), 5n);

  it('takes a canonical key with s < L', () => expect(meetsEd25519Criteria(key, good)).toBe(true));
  it('refuses other lengths', () => {
    for (const length of [0, 31, 33]) expect(meetsEd25519Criteria(new Uint8Array(length).fill(9), good)).toBe(false);
    for (const length of [0, 63, 65]) expect(meetsEd25519Criteria(key, new Uint8Array(length))).toBe(false);
  });
  it('refuses s = L', () => expect(meetsEd25519Criteria(key, signature(key, L))).toBe(false));
  // y = 3 is on the curve: its other spelling p + 3 is a key of large order, which no signature in a test can use.
  it.each([P, P + 1n, P + 3n])('refuses the key y = %d, which is not canonical', (y) =>
    expect(meetsEd25519Criteria(littleEndian(y), good)).toBe(false),
  );
  it('refuses a key and an R of small order', () => {
    for (const point of torsionPoints()) {
      expect(meetsEd25519Criteria(point.toBytes(), good)).toBe(false);
      expect(meetsEd25519Criteria(key, signature(point.toBytes(), 5n))).toBe(false);
    }
  });
});
