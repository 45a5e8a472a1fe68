/** Proofs against the plain definitions of RFC 9162, at every size; and nothing but the very proof is taken for one. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completedBy, leafHash, rootOf } from '../../../../signer/ledger/tree/merkle.ts';
import {
  consistencyHolds,
  consistencyProof,
  inclusionHolds,
  inclusionProof,
} from '../../../../signer/ledger/tree/merkle-proof.ts';

const MOST = 70;
const leaves = Array.from({ length: MOST }, (_, i) => leafHash(Uint8Array.of(i)));
const nodes: Uint8Array[] = [];
const read = (position: number): Uint8Array => nodes[position] ?? new Uint8Array(0);
leaves.forEach((leaf, i) => nodes.push(...completedBy(i, leaf, read)));

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** RFC 9162 §2.1.1 over leaf hashes. */
function plainRoot(list: readonly Uint8Array[]): Uint8Array {
  const [first] = list;
  if (first === undefined) return sha256();
  if (list.length === 1) return first;
  const k = split(list.length);
  return sha256(Uint8Array.of(1), plainRoot(list.slice(0, k)), plainRoot(list.slice(k)));
}

function split(n: number): number {
  return 2 ** Math.ceil(Math.log2(n) - 1);
}

/** RFC 9162 §2.1.3.1, word for word. */
function plainPath(m: number, list: readonly Uint8Array[]): Uint8Array[] {
  if (list.length === 1) return [];
  const k = split(list.length);
  return m < k
    ? [...plainPath(m, list.slice(0, k)), plainRoot(list.slice(k))]
    : [...plainPath(m - k, list.slice(k)), plainRoot(list.slice(0, k))];
}

/** RFC 9162 §2.1.4.1, word for word. */
function plainConsistency(m: number, list: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === list.length) return whole ? [] : [plainRoot(list)];
  const k = split(list.length);
  return m <= k
    ? [...plainConsistency(m, list.slice(0, k), whole), plainRoot(list.slice(k))]
    : [...plainConsistency(m - k, list.slice(k), false), plainRoot(list.slice(0, k))];
}

const hex = (list: readonly Uint8Array[]): string[] => list.map((hash) => Buffer.from(hash).toString('hex'));
const root = (size: number): Uint8Array => rootOf(size, read);

describe('a proof read from the stored tree', () => {
  it('is that of the definition, for every leaf and every size', () => {
    for (let size = 1; size <= MOST; size++) {
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, read);
        expect(hex(proof)).toEqual(hex(plainPath(index, leaves.slice(0, size))));
        expect(inclusionHolds(leaves[index] ?? new Uint8Array(0), index, size, proof, root(size))).toBe(true);
      }
    }
  });

  it('a proof that the tree only grew is that of the definition, for every two sizes', () => {
    for (let to = 1; to <= MOST; to++) {
      for (let from = 1; from <= to; from++) {
        const proof = consistencyProof(from, to, read);
        expect(hex(proof)).toEqual(hex(plainConsistency(from, leaves.slice(0, to), true)));
        expect(consistencyHolds(from, to, root(from), root(to), proof)).toBe(true);
      }
      expect(consistencyHolds(0, to, root(0), root(to), consistencyProof(0, to, read))).toBe(true);
    }
  });

  it('reads O(log n) of the tree', () => {
    let reads = 0;
    const size = 2 ** 40 + 12_345;
    const counting = (position: number): Uint8Array => {
      reads++;
      return sha256(Buffer.from(String(position)));
    };
    for (const index of [0, 1, 2 ** 39, size - 1])
      expect(inclusionProof(index, size, counting).length).toBeLessThanOrEqual(41);
    expect(consistencyProof(2 ** 39 + 3, size, counting).length).toBeLessThanOrEqual(42);
    expect(reads).toBeLessThan(600);
  });
});

describe('anything else is not a proof', () => {
  const pairs = fc.integer({ min: 2, max: MOST }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));

  it('refuses a proof with a bit changed, a hash more or less, another leaf, index or root', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.nat(255), fc.nat(), ([size, index], pick, bit, other) => {
        const leaf = leaves[index] ?? new Uint8Array(0);
        const proof = inclusionProof(index, size, read);
        const holds = (changes: {
          leaf?: Uint8Array;
          index?: number;
          size?: number;
          proof?: readonly Uint8Array[];
          root?: Uint8Array;
        }): boolean =>
          inclusionHolds(
            changes.leaf ?? leaf,
            changes.index ?? index,
            changes.size ?? size,
            changes.proof ?? proof,
            changes.root ?? root(size),
          );
        expect(holds({ proof: flippedAt(proof, pick, bit) })).toBe(false);
        expect(holds({ proof: proof.slice(1) })).toBe(false);
        expect(holds({ proof: [...proof, leaf] })).toBe(false);
        expect(holds({ leaf: flipped(leaf, bit) })).toBe(false);
        expect(holds({ root: flipped(root(size), bit) })).toBe(false);
        const elsewhere = other % (size + 3);
        if (elsewhere !== index) expect(holds({ index: elsewhere })).toBe(false);
        expect(holds({ index: -1 })).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a proof of growth with a bit changed, a hash more or less, another size or root', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.nat(255), ([to, from], pick, bit) => {
        if (from === 0) return;
        const proof = consistencyProof(from, to, read);
        expect(consistencyHolds(from, to, root(from), root(to), flippedAt(proof, pick, bit))).toBe(false);
        expect(consistencyHolds(from, to, root(from), root(to), proof.slice(1))).toBe(false);
        expect(consistencyHolds(from, to, root(from), root(to), [...proof, root(1)])).toBe(false);
        expect(consistencyHolds(from, to, flipped(root(from), bit), root(to), proof)).toBe(false);
        expect(consistencyHolds(from, to, root(from), flipped(root(to), bit), proof)).toBe(false);
        expect(consistencyHolds(from, to, root(from), root(to), [])).toBe(false);
        expect(consistencyHolds(to, from, root(to), root(from), proof)).toBe(false);
        expect(consistencyHolds(0, to, root(from), root(to), [])).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function flippedAt(list: readonly Uint8Array[], pick: number, bit: number): readonly Uint8Array[] {
  return list.map((hash, i) => (i === pick % list.length ? flipped(hash, bit) : hash));
}

describe('equal sizes', () => {
  const [zeros, ones] = [new Uint8Array(32), new Uint8Array(32).fill(1)];

  it.each([
    ['the empty tree with the empty tree', 0, root(0), root(0), true],
    ['the empty tree with another root of the size 0', 0, root(0), zeros, false],
    ['another root of the size 0 with the empty tree', 0, zeros, root(0), false],
    ['two equal roots of the size 0 that are not that of the empty tree', 0, zeros, zeros, false],
    ['a tree with itself', 7, root(7), root(7), true],
    ['a tree with another root of its size', 7, root(7), ones, false],
  ])('are consistent only by their roots: %s', (_, size, from, to, expected) => {
    expect(consistencyHolds(size, size, from, to, [])).toBe(expected);
    expect(consistencyHolds(size, size, from, to, [ones])).toBe(false);
  });
});
