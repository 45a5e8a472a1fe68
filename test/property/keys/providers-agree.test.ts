import { Point } from '@noble/ed25519';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../../formats/bytes.ts';
import { mldsa65Component } from '../../../keys/private/software/private-key-objects.ts';
import { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../../keys/public/composite.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { torsionPoints } from '../../../conformance/examples/torsion-points.ts';

/**
 * Signatures made by hand from the scalar up, so that every part may be bent: torsion in A or R, s + L, encodings that
 * are not canonical. Whatever comes out, both providers must say the same.
 */
const L = Point.CURVE().n;
const P = 2n ** 255n - 19n;
const TORSION = torsionPoints();

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).toReversed();
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

/**
 * Another spelling of the same point, where there is one: y + p fits into 255 bits for y < 19 alone; or the sign
 * flipped.
 */
function respell(encoding: Uint8Array, how: 'as is' | 'y plus p' | 'sign flipped'): Uint8Array {
  if (how === 'as is') return encoding;
  const out = encoding.slice();
  if (how === 'sign flipped') {
    out[31] = (out[31] ?? 0) ^ 0x80;
    return out;
  }
  const sign = fromLittleEndian(out) >> 255n;
  const y = fromLittleEndian(out) & (2n ** 255n - 1n);
  return y + P < 2n ** 255n ? littleEndian(y + P + (sign << 255n)) : out;
}

interface Crafted {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const scalar = fc.bigInt({ min: 0n, max: L - 1n });
const smallScalar = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 2n, L - 1n) },
);
const spelling = fc.constantFrom(
  'as is' as const,
  'as is' as const,
  'as is' as const,
  'y plus p' as const,
  'sign flipped' as const,
);

const crafted: fc.Arbitrary<Crafted> = fc
  .record({
    a: smallScalar,
    r: smallScalar,
    torsionA: fc.nat(7),
    torsionR: fc.nat(7),
    spellA: spelling,
    spellR: spelling,
    addedOrders: fc.constantFrom(0n, 0n, 0n, 1n, 2n, 15n),
    compensate: fc.boolean(),
    message: fc.uint8Array({ maxLength: 80 }),
  })
  .map(({ a, r, torsionA, torsionR, spellA, spellR, addedOrders, compensate, message }) => {
    const pointA = Point.BASE.multiplyUnsafe(a).add(TORSION[torsionA] ?? Point.ZERO);
    const publicKey = respell(pointA.toBytes(), spellA);
    let rBytes = respell(
      Point.BASE.multiplyUnsafe(r)
        .add(TORSION[torsionR] ?? Point.ZERO)
        .toBytes(),
      spellR,
    );
    let k = challenge(rBytes, publicKey, message);
    if (compensate) {
      // Look for an R whose torsion cancels the one in [k]A: then the cofactorless equation holds with a mixed-order
      // key.
      for (const torsion of TORSION) {
        const candidate = Point.BASE.multiplyUnsafe(r).add(torsion).toBytes();
        k = challenge(candidate, publicKey, message);
        const cancels = torsion.equals((TORSION[torsionA] ?? Point.ZERO).multiplyUnsafe(k % 8n).negate());
        rBytes = candidate;
        if (cancels) break;
      }
    }
    const s = ((r + k * a) % L) + addedOrders * L;
    return { publicKey, message, signature: concatBytes(rBytes, littleEndian(s % 2n ** 256n)) };
  });

function challenge(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(createHash('sha512').update(r).update(publicKey).update(message).digest()) % L;
}

const mutation = fc.record({
  part: fc.constantFrom('publicKey' as const, 'message' as const, 'signature' as const),
  at: fc.nat(),
  bit: fc.nat(7),
});

function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const out = bytes.slice();
  const place = at % Math.max(1, out.length);
  if (place < out.length) out[place] = (out[place] ?? 0) ^ (1 << bit);
  return out;
}

describe('both providers say the same of Ed25519', () => {
  it('both providers agree over crafted Ed25519 keys and signatures', { timeout: 240_000 }, () => {
    const said = { true: 0, false: 0 };
    fc.assert(
      fc.property(crafted, ({ publicKey, message, signature }) => {
        const node = nodeProvider.ed25519Verify(publicKey, message, signature);
        said[`${node}`]++;
        expect(nobleProvider.ed25519Verify(publicKey, message, signature)).toBe(node);
      }),
      { numRuns: 1500 },
    );
    // Else the crafting has gone wrong and the property says nothing.
    expect(said.true).toBeGreaterThan(100);
    expect(said.false).toBeGreaterThan(100);
  });

  it('both providers agree over crafted Ed25519 keys and signatures with a bit changed', { timeout: 240_000 }, () => {
    fc.assert(
      fc.property(crafted, mutation, (whole, { part, at, bit }) => {
        const bent = (name: keyof Crafted): Uint8Array => (name === part ? flip(whole[name], at, bit) : whole[name]);
        const [publicKey, message, signature] = [bent('publicKey'), bent('message'), bent('signature')];
        expect(nobleProvider.ed25519Verify(publicKey, message, signature)).toBe(
          nodeProvider.ed25519Verify(publicKey, message, signature),
        );
      }),
      { numRuns: 800 },
    );
  });

  it(
    'both providers agree over noise, with points and scalars of Ed25519 at their bounds',
    { timeout: 240_000 },
    () => {
      const bound = fc.constantFrom(
        ...[0n, 1n, 2n, L - 1n, L, L + 1n, P - 2n, P - 1n, P, P + 1n, P + 18n, 2n ** 255n - 1n].flatMap((value) => [
          littleEndian(value),
          littleEndian((value + 2n ** 255n) % 2n ** 256n),
        ]),
        ...TORSION.map((point) => point.toBytes()),
        Point.BASE.toBytes(),
      );
      const word = fc.oneof(bound, bound, fc.uint8Array({ minLength: 32, maxLength: 32 }));
      fc.assert(
        fc.property(word, word, word, fc.uint8Array({ maxLength: 8 }), (publicKey, r, s, message) => {
          const signature = concatBytes(r, s);
          expect(nobleProvider.ed25519Verify(publicKey, message, signature)).toBe(
            nodeProvider.ed25519Verify(publicKey, message, signature),
          );
        }),
        { numRuns: 1500 },
      );
    },
  );
});

describe('both providers say the same of ML-DSA-65', () => {
  it(
    'both providers agree over mutated signatures, keys, messages and contexts of ML-DSA-65',
    { timeout: 240_000 },
    async () => {
      const key = new SoftwareKey('ed25519+ml-dsa-65', 'license', new Uint8Array(64).fill(7));
      const { publicBytes } = mldsa65Component(new Uint8Array(32).fill(7));
      expect(key.publicKey.mldsa65).toEqual(publicBytes);
      const context = COMPOSITE_LABEL;
      const message = compositeMessage(new TextEncoder().encode('message'));
      const signature = (await key.sign(new TextEncoder().encode('message'))).slice(0, 3309);
      expect(nodeProvider.mldsa65Verify(publicBytes, message, signature, context)).toBe(true);
      const part = fc.constantFrom(
        'publicKey' as const,
        'message' as const,
        'signature' as const,
        'hints' as const,
        'context' as const,
      );
      fc.assert(
        fc.property(part, fc.nat(), fc.nat(7), (changed, at, bit) => {
          const hints = 3309 - 61;
          const bent = {
            publicKey: changed === 'publicKey' ? flip(publicBytes, at, bit) : publicBytes,
            message: changed === 'message' ? flip(message, at, bit) : message,
            signature:
              changed === 'signature'
                ? flip(signature, at, bit)
                : changed === 'hints'
                  ? flip(signature, hints + (at % 61), bit)
                  : signature,
            context: changed === 'context' ? flip(context, at, bit) : context,
          };
          const node = nodeProvider.mldsa65Verify(bent.publicKey, bent.message, bent.signature, bent.context);
          expect(nobleProvider.mldsa65Verify(bent.publicKey, bent.message, bent.signature, bent.context)).toBe(node);
          expect(node).toBe(false);
        }),
        { numRuns: 500 },
      );
    },
  );
});
