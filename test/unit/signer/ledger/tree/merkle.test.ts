import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../../formats/bytes.ts';
import {
  completedBy,
  completeSubtrees,
  EMPTY_ROOT,
  leafHash,
  nodePosition,
  rootOf,
  TreeBuilder,
} from '../../../../../signer/ledger/tree/merkle.ts';

/**
 * Inputs and roots as the Certificate Transparency project publishes them (google/certificate-transparency,
 * merkle_tree_test.cc, Apache-2.0).
 */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the tree', () => {
  it('has the hash of nothing as its root where it has no leaves', () => {
    expect(toHex(EMPTY_ROOT)).toBe(createHash('sha256').digest('hex'));
    expect(rootOf(0, () => new Uint8Array(0))).toBe(EMPTY_ROOT);
  });

  it('has the published roots, stored and built', () => {
    const nodes: Uint8Array[] = [];
    const builder = new TreeBuilder();
    const read = (position: number): Uint8Array => nodes[position] ?? new Uint8Array(0);
    LEAVES.forEach((hex, i) => {
      const leaf = leafHash(fromHex(hex) ?? new Uint8Array(0));
      const completed = completedBy(i, leaf, read);
      expect(builder.add(leaf)).toEqual(completed);
      nodes.push(...completed);
      expect(nodes).toHaveLength(completeSubtrees(i + 1));
      expect(toHex(rootOf(i + 1, read))).toBe(ROOTS[i]);
      expect(toHex(builder.root())).toBe(ROOTS[i]);
    });
    ROOTS.forEach((root, i) => expect(toHex(rootOf(i + 1, read))).toBe(root));
  });

  it('stores subtrees in the order in which they become complete', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((i) => nodePosition(0, i))).toEqual([0, 1, 3, 4, 7, 8, 10, 11]);
    expect([0, 1, 2, 3].map((i) => nodePosition(1, i))).toEqual([2, 5, 9, 12]);
    expect([nodePosition(2, 0), nodePosition(2, 1), nodePosition(3, 0)]).toEqual([6, 13, 14]);
    expect(nodePosition(0, 2 ** 40)).toBe(2 ** 41 - 1);
  });
});
