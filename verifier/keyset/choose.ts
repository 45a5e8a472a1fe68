/** Which keyset counts, and the trust that `verify()` takes from it (docs/keysets.md). */
import type { Provider } from '../../keys/public/provider.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import { makeTrust, type Trust, type TrustedKey } from '../index.ts';
import { extendChain, type KeysetRefused } from './acceptance.ts';
import { knownKeysOf, type Chain } from './chain.ts';

export type KeysetSource = 'built-in' | 'state' | 'file';

export interface KeysetSources {
  /** From `builtInChain`. */
  readonly builtIn: Chain;
  /** The copies of the chain in the state's stores, none or several, as bytes. Each is judged from the built-in one. */
  readonly state?: readonly Uint8Array[];
  /** The content of `LICENSE_KEYSET_PATH`. */
  readonly file?: Uint8Array;
  /** The arithmetic; absent: the platform's own. */
  readonly provider?: Provider;
}

/** What an operator should know. Never fatal: the chain counts all the same. */
export interface KeysetNotice extends KeysetRefused {
  readonly source: Exclude<KeysetSource, 'built-in'>;
}

export interface ChosenKeyset {
  readonly chain: Chain;
  /** Where its newest version comes from; of several sources with the same version, the first of the list above. */
  readonly source: KeysetSource;
  /** In the order of the sources. `keyset_conflict` among them is an event to raise, the others are warnings. */
  readonly notices: readonly KeysetNotice[];
}

/**
 * The chain in state is judged from the built-in one. The file counts only as a continuation of the newest of those
 * two: a file cannot change a version that state knows, so somebody who breaks the roots of an old version cannot move
 * an install to another chain. An older or unusable copy is ignored with a notice.
 */
export function chooseKeyset({ builtIn, state = [], file, provider }: KeysetSources): ChosenKeyset {
  const options = provider === undefined ? {} : { provider };
  const notices: KeysetNotice[] = [];
  let chain = builtIn;
  let source: KeysetSource = 'built-in';
  const take = (bytes: Uint8Array, from: KeysetNotice['source']): void => {
    const { chain: extended, refused, newestInFile } = extendChain(chain, bytes, options);
    if (extended !== chain) source = from;
    chain = extended;
    if (refused !== undefined) notices.push(Object.freeze({ ...refused, source: from }));
    else if (from === 'file' && newestInFile !== undefined && newestInFile < chain.newest.version)
      notices.push(older(newestInFile, chain));
  };
  for (const copy of state) take(copy, 'state');
  if (file !== undefined) take(file, 'file');
  return Object.freeze({ chain, source, notices: Object.freeze(notices) });
}

function older(newestInFile: number, chain: Chain): KeysetNotice {
  return Object.freeze({
    reason: 'keyset_older',
    detail: `its newest version is ${newestInFile}, and version ${chain.newest.version} is in force`,
    block: 0,
    version: newestInFile,
    place: Object.freeze({}),
    source: 'file',
  });
}

/** Whether the newest keyset is past its expiry, which only warns. @param now the effective time in seconds */
export function isKeysetExpired({ newest }: Chain, now: number): boolean {
  return newest.expires !== undefined && now >= newest.expires;
}

export interface ChainTrustOptions {
  /** Compiled in, in addition to what the keyset requires. */
  readonly requireComposite?: boolean;
}

/**
 * The trust of the newest keyset, for `verify()`: its issuing keys with purpose, status, scope and honored payloads,
 * and its policy. Roots are in it as keys of the purpose `root`, also those that left, so that neither a license nor an
 * override can use one of them, or a component of one. `trustFromOverride(env, trust, readFile)` puts the environment's
 * keys in the place of the issuing keys.
 */
export function trustOfChain(chain: Chain, options: ChainTrustOptions = {}): Trust {
  const { newest } = chain;
  const known = knownKeysOf(chain);
  const keys: TrustedKey[] = [];
  const current = new Set(newest.roots.map(({ alg, publicBytes }) => kidOf(alg, publicBytes)));
  for (const [kid, { key, purpose }] of known)
    if (purpose === 'root') keys.push({ key, purpose, status: current.has(kid) ? 'active' : 'retired' });
  for (const { alg, publicBytes, purpose, status, products, tiers, honored } of newest.keys) {
    const key = known.get(kidOf(alg, publicBytes))?.key;
    if (key === undefined) continue;
    keys.push({
      key,
      purpose,
      status,
      ...(products === undefined ? {} : { products }),
      ...(tiers === undefined ? {} : { tiers }),
      ...(honored === undefined ? {} : { honored }),
    });
  }
  return makeTrust({
    keys,
    requireComposite: newest.requireComposite || options.requireComposite === true,
    ...(newest.ed25519Until === undefined ? {} : { ed25519Until: newest.ed25519Until }),
    revokedLicenses: newest.revokedLicenses,
    lowestCounters: newest.lowestCounters,
  });
}

/** The kids of revoked keys: what state has recorded under them does not count any more. */
export function revokedKids({ newest }: Chain): ReadonlySet<string> {
  const revoked = newest.keys.filter(({ status }) => status === 'revoked');
  return new Set(revoked.map(({ alg, publicBytes }) => kidOf(alg, publicBytes)));
}
