/** A published chain with keys of each kind, for the tests of what product teams take from it. */
import { chainOf, issuingKey, keysetBlock, type KeysetValues } from '../../conformance/examples/keysets.ts';

const ROOTS = ['root a', 'root b', 'root c'];
const FIRST: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };

const SECOND: KeysetValues = {
  ...FIRST,
  version: 7,
  keys: [
    issuingKey('issuing 1', { status: 'retired' }),
    issuingKey('issuing 2', { status: 'revoked' }),
    issuingKey('composite 1', { products: ['vaultdesk', 'vaultdrop'], tiers: ['pro'] }),
    issuingKey('composite 2', { status: 'pre-published' }),
  ],
};

export const FIRST_BLOCK: Uint8Array = keysetBlock(FIRST, ROOTS);
const SECOND_BLOCK = keysetBlock(SECOND, ROOTS);
export const FORGED_BLOCK: Uint8Array = keysetBlock(SECOND, ['root a', 'stranger']);
export const PRODUCT_CHAIN: Uint8Array = chainOf(FIRST_BLOCK, SECOND_BLOCK);
