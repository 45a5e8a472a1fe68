import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from '../../../keys/public/composite.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';

const COMPOSITE = 'ed25519+ml-dsa-65';
const key = new SoftwareKey(
  COMPOSITE,
  'license',
  new Uint8Array(64).map((_, i) => i),
);
const otherKey = new SoftwareKey(
  COMPOSITE,
  'license',
  new Uint8Array(64).map((_, i) => 255 - i),
);
const text = fc.uint8Array({ maxLength: 300 });

/** Both providers' word, which must be one. */
function holds(message: Uint8Array, signature: Uint8Array, under = key.publicKey): boolean {
  const node = verifySignature(under, message, signature, nodeProvider);
  expect(verifySignature(under, message, signature, nobleProvider)).toBe(node);
  return node;
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const out = bytes.slice();
  out[at] = (out[at] ?? 0) ^ (1 << bit);
  return out;
}

describe('a composite signature', () => {
  it('is valid for its message, and for no other', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (message, other) => {
        const signature = await key.sign(message);
        expect(holds(message, signature)).toBe(true);
        expect(holds(other, signature)).toBe(Buffer.from(other).equals(Buffer.from(message)));
        expect(holds(message, signature, otherKey.publicKey)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused with exactly one component wrong', { timeout: 120_000 }, async () => {
    const message = new TextEncoder().encode('message');
    const { mldsa65, ed25519 } = splitCompositeSignature(await key.sign(message));
    fc.assert(
      fc.property(fc.boolean(), fc.nat(), fc.nat(7), (first, at, bit) => {
        const bent = first
          ? concatBytes(flipped(mldsa65, at % 3309, bit), ed25519)
          : concatBytes(mldsa65, flipped(ed25519, at % 64, bit));
        expect(holds(message, bent)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it(
    'is refused with one component from another message or another key, or with the components swapped',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(text, text, async (message, other) => {
          fc.pre(!Buffer.from(message).equals(Buffer.from(other)));
          const mine = splitCompositeSignature(await key.sign(message));
          const [elsewhere, foreign] = [
            splitCompositeSignature(await key.sign(other)),
            splitCompositeSignature(await otherKey.sign(message)),
          ];
          for (const component of [elsewhere, foreign]) {
            expect(holds(message, concatBytes(component.mldsa65, mine.ed25519))).toBe(false);
            expect(holds(message, concatBytes(mine.mldsa65, component.ed25519))).toBe(false);
          }
          expect(holds(message, concatBytes(mine.ed25519, mine.mldsa65))).toBe(false);
        }),
        { numRuns: 30 },
      );
    },
  );

  it('takes components of two signatures of one message by one key, which is what a signer of two tokens makes', async () => {
    const message = new TextEncoder().encode('message');
    const [one, two] = [
      splitCompositeSignature(await key.sign(message)),
      splitCompositeSignature(await key.sign(message)),
    ];
    expect(one.mldsa65).not.toEqual(two.mldsa65);
    expect(holds(message, concatBytes(one.mldsa65, two.ed25519))).toBe(true);
  });

  it("is refused where a component signs the message itself instead of M'", async () => {
    const message = new TextEncoder().encode('message');
    const mine = splitCompositeSignature(await key.sign(message));
    const plain = new SoftwareKey('ed25519', 'license', new Uint8Array(64).map((_, i) => i).slice(32));
    expect(plain.publicKey.bytes).toEqual(key.publicKey.ed25519);
    expect(holds(message, concatBytes(mine.mldsa65, await plain.sign(message)))).toBe(false);
    expect(holds(message, concatBytes(mine.mldsa65, await plain.sign(compositeMessage(message))))).toBe(true);
  });

  it('has no component that is valid by itself for the message', async () => {
    const message = new TextEncoder().encode('message');
    const { ed25519, mldsa65 } = splitCompositeSignature(await key.sign(message));
    const component = importPublicKey('ed25519', key.publicKey.ed25519);
    expect(holds(message, ed25519, component)).toBe(false);
    expect(holds(message, ed25519)).toBe(false);
    expect(holds(message, mldsa65)).toBe(false);
    for (const provider of [nodeProvider, nobleProvider]) {
      expect(provider.mldsa65Verify(key.publicKey.mldsa65 ?? new Uint8Array(), message, mldsa65, COMPOSITE_LABEL)).toBe(
        false,
      );
    }
  });
});
