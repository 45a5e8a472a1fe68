import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completedBy, completeSubtrees, leafHash, rootOf, TreeBuilder } from '../../../../signer/ledger/tree/merkle.ts';

/** RFC 9162 §2.1.1, word for word: split at the largest power of two below n. */
function plainRoot(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return createHash('sha256').update(Uint8Array.of(0)).update(first).digest();
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return createHash('sha256')
    .update(Uint8Array.of(1))
    .update(plainRoot(leaves.slice(0, k)))
    .update(plainRoot(leaves.slice(k)))
    .digest();
}

describe('the stored tree', () => {
  it('has the root of the plain recursive definition, at every size it ever had', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 140 }), (leaves) => {
        const nodes: Uint8Array[] = [];
        const builder = new TreeBuilder();
        const read = (position: number): Uint8Array => {
          const node = nodes[position];
          if (node === undefined) throw new Error(`node ${position} is not stored`);
          return node;
        };
        leaves.forEach((leaf, i) => {
          const hash = leafHash(leaf);
          nodes.push(...completedBy(i, hash, read));
          builder.add(hash);
        });
        expect(nodes).toHaveLength(completeSubtrees(leaves.length));
        expect(Buffer.from(builder.root())).toEqual(plainRoot(leaves));
        for (let size = 0; size <= leaves.length; size++)
          expect(Buffer.from(rootOf(size, read))).toEqual(plainRoot(leaves.slice(0, size)));
      }),
      { numRuns: 60 },
    );
  });
});
