/** What opening a token takes, and what is known of it before the login. */
import { CKM_AES_GCM } from '../shared/constants.ts';
import type { Environment } from './host-environment.ts';
import type { ModuleEnvironment } from '../shared/module-environment.ts';
import type { TokenProfile } from '../shared/profiles.ts';
import type { MechanismDescription, ModuleDescription, TokenDescription } from '../shared/token-description.ts';
import type { Pkcs11Uri } from '../uri/uri.ts';

/** Asked once a run, after the flags allowed it. The bytes become the keystore's, which wipes them. */
export type PinProvider = (token: TokenDescription) => Promise<Uint8Array>;

/** Milliseconds from the start of a call; a call past its limit ends the token host. */
export interface TokenLimits {
  readonly sign: number;
  readonly keyGeneration: number;
  /** A login may wait for a person at the token's own pad. */
  readonly login: number;
  readonly other: number;
}

export const DEFAULT_LIMITS: TokenLimits = Object.freeze({
  sign: 30_000,
  keyGeneration: 120_000,
  login: 120_000,
  other: 30_000,
});

/** What the first opening of the token showed; each later opening must show the same. */
export interface OpenedToken {
  readonly modulePath: string;
  readonly module: ModuleDescription;
  readonly token: TokenDescription;
  readonly profile: TokenProfile;
  /** The mechanisms that this toolkit uses and the token lists. */
  readonly mechanisms: readonly MechanismDescription[];
}

export interface TokenOptions {
  readonly uri: Pkcs11Uri;
  /**
   * Called once the token is known, before its PIN is asked for or its pad is used; what it throws ends the opening.
   */
  readonly beforeLogin?: (opened: OpenedToken) => void;
  /**
   * Not called for a token with its own pad, nor where the URI's `pin-source` names a file: the PIN is read from that.
   */
  readonly pin: PinProvider;
  readonly limits?: Partial<TokenLimits>;
  /** What the officer typed, by which this one token's last try may be used: `lastTryName` of `pin-policy.ts`. */
  readonly lastTrySerial?: string;
  /** Asks a person to type that where it was not given; undefined where nobody can be asked. */
  readonly typeSerial?: (token: TokenDescription) => Promise<string | undefined>;
  /** `--untested-token`: use a token whose profile was never run against the real thing. */
  readonly allowUntested?: boolean;
  /** Instead of the row that the token's own words lead to. */
  readonly profile?: TokenProfile;
  readonly environment?: Environment;
  /** What the keystore declares: further variables that its module needs. */
  readonly declared?: ModuleEnvironment;
  readonly notify?: (sentence: string) => void;
  readonly moduleSaid?: (line: string) => void;
}

export function limitsOf(options: Pick<TokenOptions, 'limits'>): TokenLimits {
  return { ...DEFAULT_LIMITS, ...options.limits };
}

/** The mechanisms that a token of this row is asked about, and no others. */
export function mechanismsUsed({ ed25519, mldsa65, wrapping }: TokenProfile): readonly number[] {
  return [
    ...[ed25519, mldsa65].flatMap((row) => (row === undefined ? [] : [row.keyPairGen, row.sign])),
    ...(wrapping === 'none' ? [] : [CKM_AES_GCM]),
  ];
}
