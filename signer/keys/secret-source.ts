/** Where passphrases and PINs come from; the command line implements it. */
export interface SecretSource {
  /** True where a person will be asked: a new secret is then asked for twice. */
  readonly asks: (keystore: string) => boolean;
  /** The secret's bytes; the caller wipes them. */
  readonly take: (keystore: string, prompt: string) => Promise<Uint8Array>;
  /** `--last-try SERIAL`: the one token whose last try may be used. */
  readonly lastTrySerial?: string;
  /** The same, typed by a person who sees the prompt; undefined where there is no terminal. */
  readonly typeSerial?: (prompt: string) => Promise<string | undefined>;
  /** `--untested-token`: use a token of a family that nobody has run this toolkit against. */
  readonly allowUntested?: boolean;
}
