/** A trusted chain of keysets, as a value, and its bytes. `acceptance.ts` has the rules by which it grows. */
import { armor } from '../../formats/armor.ts';
import { concatBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_CHAIN_BLOCKS, MAX_CHAIN_BYTES, type IssuingPurpose, type Keyset } from '../../formats/keyset/keyset.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';

/** One version of a trusted chain. */
export interface ChainVersion {
  readonly version: number;
  /** SHA-256 of the payload, 64 lower-case hex digits. */
  readonly payloadDigest: string;
  /** Its block: armored, with LF line ends. Not to be written to. */
  readonly block: Uint8Array;
  /**
   * It changed neither roots, threshold nor policy of the version before it in this chain. A chain may leave it out
   * unless it is the newest.
   */
  readonly mayBeLeftOut: boolean;
}

/** A chain that is trusted. Frozen; only `builtInChain` and `extendChain` make one. */
export interface Chain {
  /** The vendor: iss of every version. */
  readonly issuer: string;
  /** The newest version: the keyset that counts. */
  readonly newest: Keyset;
  /** Ascending; the last one is `newest`. */
  readonly versions: readonly ChainVersion[];
  /**
   * Only composite roots count for later versions. True once a version requires composite or sets `ed25519_until`, or
   * the product requires composite; it never becomes false again.
   */
  readonly compositeRootsOnly: boolean;
}

/** A key that some version of a chain has or had. */
export interface KnownKey {
  readonly key: PublicKey;
  /** It never changes. */
  readonly purpose: 'root' | IssuingPurpose;
}

/** By kid. */
export type KnownKeys = ReadonlyMap<string, KnownKey>;

const knownKeys = new WeakMap<Chain, KnownKeys>();

export function makeChain(chain: Chain, known: KnownKeys): Chain {
  const made = Object.freeze({ ...chain, versions: Object.freeze([...chain.versions]) });
  knownKeys.set(made, known);
  return made;
}

/**
 * Every key that a version of the chain has or had, including roots that were removed.
 *
 * @throws VtlicError `usage` for a value that `builtInChain` or `extendChain` did not make
 */
export function knownKeysOf(chain: Chain): KnownKeys {
  const known = knownKeys.get(chain);
  if (known === undefined) throw new VtlicError('usage', 'the chain was not made by builtInChain() or extendChain()');
  return known;
}

/** The whole chain as a file: what a runtime keeps in its state, and what `extendChain` reads again. */
export function chainFile(chain: Chain): Uint8Array {
  return concatBytes(...chain.versions.map(({ block }) => block));
}

export function armoredBlock(cose: Uint8Array): Uint8Array {
  return armor('VTLIC KEYSET', cose);
}

/**
 * Leaves out the oldest versions that may be left out until the chain fits its bounds, so that a state that sees every
 * version for years never stops taking new ones. Undefined where the others do not fit either.
 */
export function fitting(versions: readonly ChainVersion[]): readonly ChainVersion[] | undefined {
  let bytes = versions.reduce((sum, { block }) => sum + block.length, 0);
  let count = versions.length;
  if (bytes <= MAX_CHAIN_BYTES && count <= MAX_CHAIN_BLOCKS) return versions;
  const kept = versions.filter(({ block, mayBeLeftOut }, i) => {
    const fits = bytes <= MAX_CHAIN_BYTES && count <= MAX_CHAIN_BLOCKS;
    if (fits || !mayBeLeftOut || i === versions.length - 1) return true;
    bytes -= block.length;
    count--;
    return false;
  });
  return bytes <= MAX_CHAIN_BYTES && count <= MAX_CHAIN_BLOCKS ? kept : undefined;
}
