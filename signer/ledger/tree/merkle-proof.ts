/**
 * Proofs over the tree of RFC 9162 §2.1, read from its stored subtrees in O(log n), and their checks.
 *
 * The tree is seen as RFC 9162 splits it: at the largest power of two below its size.
 */
import { equalBytes } from '../../../formats/bytes.ts';
import { EMPTY_ROOT, nodeHash, nodePosition, type ReadNode } from './merkle.ts';

/** The largest power of two below `n`, for n ≥ 2. */
function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** Root over the leaves from `start` on, where `start` is a multiple of the power of two that `size` fits in. */
function subtreeRoot(start: number, size: number, read: ReadNode): Uint8Array {
  let root: Uint8Array | undefined;
  let level = 0;
  let end = start + size;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      const width = 2 ** level;
      end -= width;
      const subtree = read(nodePosition(level, end / width));
      root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    level++;
  }
  return root ?? EMPTY_ROOT;
}

/** RFC 9162 §2.1.3.1, for index < size. At most 53 hashes. */
export function inclusionProof(index: number, size: number, read: ReadNode): readonly Uint8Array[] {
  const path: Uint8Array[] = [];
  let start = 0;
  let width = size;
  while (width > 1) {
    const k = splitOf(width);
    if (index < start + k) {
      path.push(subtreeRoot(start + k, width - k, read));
      width = k;
    } else {
      path.push(subtreeRoot(start, k, read));
      start += k;
      width -= k;
    }
  }
  return path.reverse();
}

/** RFC 9162 §2.1.4.1, for from ≤ to. Empty for from = 0 and from = to. */
export function consistencyProof(from: number, to: number, read: ReadNode): readonly Uint8Array[] {
  if (from === 0 || from === to) return [];
  const path: Uint8Array[] = [];
  let start = 0;
  let width = to;
  let whole = true;
  while (from !== start + width) {
    const k = splitOf(width);
    if (from <= start + k) {
      path.push(subtreeRoot(start + k, width - k, read));
      width = k;
    } else {
      path.push(subtreeRoot(start, k, read));
      start += k;
      width -= k;
      whole = false;
    }
  }
  if (!whole) path.push(subtreeRoot(start, width, read));
  return path.reverse();
}

/** RFC 9162 §2.1.3.2. */
export function inclusionHolds(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index < 0 || index >= size) return false;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const node of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(node, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = nodeHash(hash, node);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equalBytes(hash, root);
}

/**
 * RFC 9162 §2.1.4.2. Equal sizes have equal roots and no hashes between them, the size 0 included; an empty tree has
 * one root, and every tree begins with it.
 */
export function consistencyHolds(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (from < 0 || from > to) return false;
  if (from === to && !equalBytes(fromRoot, toRoot)) return false;
  if (from === 0) return proof.length === 0 && equalBytes(fromRoot, EMPTY_ROOT);
  if (from === to) return proof.length === 0;
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let fn = from - 1;
  let sn = to - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let fr = first;
  let sr = first;
  for (const node of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr);
      sr = nodeHash(node, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = nodeHash(sr, node);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equalBytes(fr, fromRoot) && equalBytes(sr, toRoot);
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n)) && 2 ** Math.log2(n) === n;
}
