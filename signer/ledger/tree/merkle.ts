/**
 * The Merkle tree of RFC 9162 §2.1, kept as its complete subtrees.
 *
 * A complete subtree never changes. They are stored in the order in which they become complete: leaf 0, leaf 1, their
 * parent, leaf 2, … so an append writes at the end, and both append and root read O(log n) of them.
 */
import { sha256 } from '../entries/chain.ts';

/** The root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** Filled anew by each call: a whole check makes three such hashes for each license. */
let scratch: Uint8Array = new Uint8Array(1024);

export function leafHash(data: Uint8Array): Uint8Array {
  if (scratch.length <= data.length) scratch = new Uint8Array(2 * data.length);
  scratch[0] = LEAF_PREFIX;
  scratch.set(data, 1);
  return sha256(scratch.subarray(0, 1 + data.length));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  scratch[0] = NODE_PREFIX;
  scratch.set(left, 1);
  scratch.set(right, 1 + left.length);
  return sha256(scratch.subarray(0, 1 + left.length + right.length));
}

/** How many complete subtrees, leaves included, a tree of `size` leaves has. */
export function completeSubtrees(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest;
  return count;
}

/** Position of the subtree over the leaves index·2^level … (index+1)·2^level - 1. */
export function nodePosition(level: number, index: number): number {
  return completeSubtrees((index + 1) * 2 ** level - 1) + level;
}

/** Reads a stored subtree by its position. */
export type ReadNode = (position: number) => Uint8Array;

/**
 * The subtrees that become complete when a leaf is added to a tree of `size` leaves, the leaf first;
 * they belong at `completeSubtrees(size)` and the positions after it.
 */
export function completedBy(size: number, leaf: Uint8Array, read: ReadNode): readonly Uint8Array[] {
  const completed = [leaf];
  let hash = leaf;
  let level = 0;
  for (let index = size; index % 2 === 1; index = (index - 1) / 2) {
    hash = nodeHash(read(nodePosition(level, index - 1)), hash);
    completed.push(hash);
    level++;
  }
  return completed;
}

/** The root over the first `size` leaves: the complete subtrees of its binary digits, joined from the right. */
export function rootOf(size: number, read: ReadNode): Uint8Array {
  let root: Uint8Array | undefined;
  let level = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      const subtree = read(nodePosition(level, rest - 1));
      root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    level++;
  }
  return root ?? EMPTY_ROOT;
}

/** The tree of RFC 9162 §2.1 built leaf by leaf in O(log n) memory, to compare a stored tree with. */
export class TreeBuilder {
  /** The complete subtrees that cover all leaves, the largest first. */
  readonly #subtrees: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the subtrees that become complete, the leaf first. */
  add(leaf: Uint8Array): readonly Uint8Array[] {
    const completed = [leaf];
    let hash = leaf;
    for (let index = this.#size; index % 2 === 1; index = (index - 1) / 2) {
      const left = this.#subtrees.pop();
      if (left === undefined) break;
      hash = nodeHash(left, hash);
      completed.push(hash);
    }
    this.#subtrees.push(hash);
    this.#size++;
    return completed;
  }

  root(): Uint8Array {
    const smallest = this.#subtrees.at(-1);
    return smallest === undefined
      ? EMPTY_ROOT
      : this.#subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), smallest);
  }
}
