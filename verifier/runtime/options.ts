/** What a product gives to its runtime, checked: the options, and the environment. */
import { VtlicError } from '../../formats/error.ts';
import { checkContext } from '../context.ts';
import type { Chain } from '../keyset/index.ts';
import type { Trust } from '../trust.ts';
import { COMMIT_SECONDS, type CommitHooks, type TimedHooks } from './commit.ts';
import { checkFreeTier, type Entitlements, type FreeTier } from './entitlements.ts';
import { readSettings, type CompiledIn, type Environment } from './environment.ts';
import type { ProductFacts } from './judge.ts';
import { KeyRing } from './key-ring.ts';
import { licenseSource, type LicenseSource } from './license-source.ts';
import type { Clocks } from './state-keeper.ts';
import { fileStore } from './stores/file-store.ts';
import type { StateStore } from './stores/store.ts';

export interface LicenseOptions extends CommitHooks {
  /** `process.env`. */
  readonly environment: Environment;
  /** The ids that a license must be by, and for. */
  readonly issuer: string;
  readonly product: string;
  /** What is built in: a chain of keysets (`builtInChain`), or keys that never change (`makeTrust`). */
  readonly keys: Trust | Chain;
  /** What the product gives without a license in force. */
  readonly freeTier: FreeTier;
  /** The date of the build, compiled in, in seconds since 1970. A security backport keeps that of its release line. */
  readonly buildDate?: number;
  readonly deployment?: string;
  /** Fingerprints of this host. */
  readonly hosts?: readonly string[];
  /** The product's own grace, in seconds, for a license without one. Default 0. */
  readonly defaultGrace?: number;
  readonly compiledIn?: CompiledIn;
  /** Default: whether NODE_ENV is `production`. */
  readonly production?: boolean;
  /** Further places for the state, beside the file of LICENSE_STATE_PATH: the product's database. */
  readonly stores?: readonly StateStore[];
  /** `kept`: a license that cannot be used is replaced by the one accepted last, where the document says so. */
  readonly fallback?: 'kept';
  /** For tests: other clocks than those of the host. */
  readonly clocks?: Clocks;
}

export interface RuntimeParts {
  readonly product: ProductFacts;
  readonly keys: KeyRing;
  readonly production: boolean;
  readonly freeTier: Entitlements;
  readonly source: LicenseSource;
  readonly stores: readonly StateStore[];
  readonly clocks: Clocks;
  readonly fallback: 'kept' | undefined;
  readonly hooks: TimedHooks;
}

/**
 * What the options and the environment say, checked; undefined in the mode `saas`.
 *
 * @throws VtlicError `configuration_invalid` for a variable that is wrong, `usage` for an option that is
 */
export function runtimeParts(options: LicenseOptions): RuntimeParts | undefined {
  const compiledIn = options.compiledIn ?? {};
  const freeTier = checkFreeTier(options.freeTier);
  const settings = readSettings(options.environment, compiledIn, options.production);
  if (settings.mode === 'saas') return undefined;
  const { statePath, keysetPath, production, license } = settings;
  const { issuer, product, deployment, hosts, buildDate, defaultGrace = 0, commitSeconds = COMMIT_SECONDS } = options;
  const { beforeCommit, afterCommit } = options;
  if (!Number.isFinite(commitSeconds) || commitSeconds <= 0)
    throw new VtlicError('usage', `commitSeconds should be a number of seconds above 0, but it is ${commitSeconds}`);
  const facts: ProductFacts = {
    issuer,
    product,
    defaultGrace,
    ...(deployment === undefined ? {} : { deployment }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(buildDate === undefined ? {} : { buildDate }),
  };
  checkContext({ ...facts, now: 0 });
  return {
    product: facts,
    keys: new KeyRing({
      builtIn: options.keys,
      environment: options.environment,
      keysetPath,
      requireComposite: compiledIn.requireComposite === true,
    }),
    production,
    freeTier,
    source: licenseSource(license),
    stores: [...(statePath === undefined ? [] : [fileStore(statePath)]), ...(options.stores ?? [])],
    clocks: options.clocks ?? HOST_CLOCKS,
    fallback: options.fallback,
    hooks: { beforeCommit, afterCommit, commitSeconds },
  };
}

const HOST_CLOCKS: Clocks = {
  clock: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
};
