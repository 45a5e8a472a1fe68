import { nodeHash, EMPTY_ROOT } from './merkle.ts';

/** The tree of RFC 9162 §2.1 built leaf by leaf in O(log n) memory, to hold a stored one against. */
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
