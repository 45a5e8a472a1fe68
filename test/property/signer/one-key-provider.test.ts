import { Point } from '@noble/ed25519';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../../formats/bytes.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { nobleForOneKey } from '../../../signer/issue/one-key-provider.ts';
import { torsionPoints } from '../../unit/keys/public/torsion-points.ts';

const L = Point.CURVE().n;
const TORSION = torsionPoints();

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).toReversed();
}

function point(scalar: bigint, torsion: number): Point {
  return Point.BASE.multiplyUnsafe(scalar).add(TORSION[torsion] ?? Point.ZERO);
}

const scalar = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: L - 1n }) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 2n, 15n, 16n, L - 1n) },
);
const torsion = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) });
const message = fc.uint8Array({ maxLength: 20 });

/** s so that [s]B = R + [k]A, where the torsion parts allow it; then bent. */
const signature = fc.record({
  r: scalar,
  torsionR: torsion,
  orders: fc.constantFrom(0n, 0n, 0n, 1n),
  flip: fc.option(fc.nat(511), { freq: 4, nil: undefined }),
  message,
});

describe('the provider of one key', () => {
  it('says of every crafted signature what noble and node:crypto say', () => {
    let held = 0;
    fc.assert(
      fc.property(scalar, torsion, fc.array(signature, { minLength: 1, maxLength: 6 }), (a, torsionA, signatures) => {
        const key = point(a, torsionA).toBytes();
        const one = nobleForOneKey(key);
        for (const { r, torsionR, orders, flip, message: text } of signatures) {
          const encodedR = point(r, torsionR).toBytes();
          const k =
            BigInt(
              `0x${toHex(Uint8Array.from(createHash('sha512').update(encodedR).update(key).update(text).digest()).toReversed())}`,
            ) % L;
          const bytes = concatBytes(encodedR, littleEndian(((r + k * a) % L) + orders * L));
          if (flip !== undefined) bytes[flip >> 3] = (bytes[flip >> 3] ?? 0) ^ (1 << (flip & 7));
          const verdict = one.ed25519Verify(key, text, bytes);
          expect(verdict).toBe(nobleProvider.ed25519Verify(key, text, bytes));
          expect(verdict).toBe(nodeProvider.ed25519Verify(key, text, bytes));
          if (verdict) held++;
        }
      }),
      // One honest signature comes first, so that at least one verdict is a yes.
      {
        numRuns: 60,
        examples: [[5n, 0, [{ r: 9n, torsionR: 0, orders: 0n, flip: undefined, message: new Uint8Array(0) }]]],
      },
    );
    expect(held).toBeGreaterThan(0);
  });

  it('another key goes the general way, and bytes that are no point are no key', () => {
    const key = point(5n, 0).toBytes();
    const other = point(7n, 0).toBytes();
    const one = nobleForOneKey(key);
    const encodedR = point(9n, 0).toBytes();
    const k =
      BigInt(`0x${toHex(Uint8Array.from(createHash('sha512').update(encodedR).update(other).digest()).toReversed())}`) %
      L;
    const good = concatBytes(encodedR, littleEndian((9n + k * 7n) % L));
    expect(one.ed25519Verify(other, new Uint8Array(0), good)).toBe(true);
    expect(one.ed25519Verify(key, new Uint8Array(0), good)).toBe(false);
    expect(nobleForOneKey(new Uint8Array(32).fill(0xff))).toBe(nobleProvider);
  });
});
