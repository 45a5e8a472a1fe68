/** What opening a token takes. */
import type { TokenProfile } from '../shared/profiles.ts';
import type { TokenDescription } from '../shared/token-description.ts';
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

export interface TokenOptions {
  readonly uri: Pkcs11Uri;
  /**
   * Called once the token is known, before its PIN is asked for or its pad is used; what it throws ends the opening.
   */
  readonly beforeLogin?: (token: TokenDescription) => void;
  /**
   * Not called for a token with its own pad, nor where the URI's `pin-source` names a file: the PIN is read from that.
   */
  readonly pin: PinProvider;
  readonly limits?: Partial<TokenLimits>;
  /** The serial that the officer typed, by which this one token's last try may be used. */
  readonly lastTrySerial?: string;
  /** Asks a person to type that serial where it was not given; undefined where nobody can be asked. */
  readonly typeSerial?: (token: TokenDescription) => Promise<string | undefined>;
  /** `--untested-token`: use a token whose profile was never run against the real thing. */
  readonly allowUntested?: boolean;
  /** Instead of the row that the token's own words lead to. */
  readonly profile?: TokenProfile;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly notify?: (sentence: string) => void;
  readonly moduleSaid?: (line: string) => void;
}
