/**
 * Keysets: new keys and policy for a product without a new build (docs/keysets.md).
 *
 * ```ts
 * const builtIn = builtInChain(CHAIN, { issuer: 'example-vendor' });
 * const { chain, notices } = chooseKeyset({ builtIn, state: [bytesInState], file: bytesAtKeysetPath });
 * const trust = trustFromOverride(process.env, trustOfChain(chain), readFileSync);
 * const verdict = verify(license, trust, context);
 * ```
 */
export { armoredBlocks, type ArmoredBlock } from '../../formats/keyset/blocks.ts';
export type { IssuingKey, IssuingPurpose, Keyset } from '../../formats/keyset/keyset.ts';
export {
  builtInChain,
  extendChain,
  type BuiltInOptions,
  type ExtendOptions,
  type Extension,
  type KeysetRefused,
} from './acceptance.ts';
export { chainFile, type Chain, type ChainVersion } from './chain.ts';
export {
  chooseKeyset,
  isKeysetExpired,
  revokedKids,
  trustOfChain,
  type ChainTrustOptions,
  type ChosenKeyset,
  type KeysetNotice,
  type KeysetSource,
  type KeysetSources,
} from './choose.ts';
export { KEYSET_REASONS, type KeysetLayer, type KeysetReason, type KeysetReasonFacts } from './reasons.ts';
