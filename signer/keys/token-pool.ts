/**
 * The tokens of one run: each opened on first need, with one login, and closed at the run's end. The signing key, its
 * claim, the ledger's key and the anchor share them.
 */
import { cleanText } from '../../formats/clean-text.ts';
import {
  describeToken,
  lastTryName,
  moduleFile,
  type OpenedToken,
  openToken,
  resolveModule,
  type Token,
} from '../../keys/private/pkcs11/client/index.ts';
import type { TokenDescription } from '../../keys/private/pkcs11/shared/token-description.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import type { TokenKeystore } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';

/** Where passphrases and PINs come from; the command line implements it. */
export interface SecretSource {
  /** True where a person will be asked: a new secret is then asked for twice. */
  readonly asks: (keystore: string) => boolean;
  /**
   * The secret's bytes; the caller wipes them.
   *
   * @param exactly asks again if the person pressed a key that is not a character: for a PIN, since tokens count its
   *   tries
   */
  readonly take: (keystore: string, prompt: string, exactly?: boolean) => Promise<Uint8Array>;
  /** `--last-try SERIAL`: the one token whose last try may be used. */
  readonly lastTrySerial?: string;
  /** The same, typed by a person who sees the prompt; undefined where there is no terminal. */
  readonly typeSerial?: (prompt: string) => Promise<string | undefined>;
  /** `--untested-token`: use a token of a family that this toolkit was never run against. */
  readonly allowUntested?: boolean;
}

export class TokenPool {
  readonly #runtime: Runtime;
  /** By the keystore's name. A login that failed stays here too: it is not tried again in this run. */
  readonly #opened = new Map<string, Promise<Token>>();
  readonly #tokens = new Set<Token>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * @param reason for the person who is asked for the PIN, where the command's name does not say it
   * @param check called before the PIN is asked for; not called for a token that is open already
   */
  open(
    store: TokenKeystore,
    secrets: SecretSource,
    reason?: string,
    check?: (opened: OpenedToken) => void,
  ): Promise<Token> {
    const existing = this.#opened.get(store.name);
    if (existing !== undefined) return existing;
    const opening = this.#open(store, secrets, reason, check);
    this.#opened.set(store.name, opening);
    return opening;
  }

  has(store: TokenKeystore): boolean {
    return this.#opened.has(store.name);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.values());
    for (const token of this.#tokens) await token.close();
  }

  async #open(
    store: TokenKeystore,
    secrets: SecretSource,
    reason: string | undefined,
    check: ((opened: OpenedToken) => void) | undefined,
  ): Promise<Token> {
    const uri = parsePkcs11Uri(store.uri);
    const modulePath = resolveModule(uri);
    let same: Token | undefined;
    try {
      const token = await openToken(
        {
          uri,
          beforeLogin: (opened) => {
            check?.(opened);
            same = this.#sameToken(modulePath, opened.token);
            // Two keystores may name one token, which is logged in already.
            if (same !== undefined) throw new AlreadyOpen();
          },
          pin: (description) => secrets.take(store.name, promptFor(store, description, reason), true),
          ...(secrets.lastTrySerial === undefined ? {} : { lastTrySerial: secrets.lastTrySerial }),
          typeSerial: async (description) =>
            secrets.typeSerial?.(
              `${describeToken(description)} has one try of its user PIN left, and a wrong PIN locks it. To use this ` +
                `try, type ${lastTryWords(description)}. If you type anything else, no PIN is sent: `,
            ),
          ...(store.environment === undefined ? {} : { declared: store.environment }),
          ...(this.#runtime.tokenLimits === undefined ? {} : { limits: this.#runtime.tokenLimits }),
          allowUntested: secrets.allowUntested ?? false,
          notify: (sentence) => {
            this.#runtime.tell(`${store.name}: ${sentence}`);
          },
          moduleSaid: (line) => {
            this.#runtime.tell(`${store.name}: the module says: ${line}`);
          },
        },
        this.#runtime.random,
      );
      this.#tokens.add(token);
      return token;
    } catch (error) {
      if (error instanceof AlreadyOpen && same !== undefined) return same;
      throw error;
    }
  }

  #sameToken(modulePath: string, { serial, label, slotDescription }: TokenDescription): Token | undefined {
    return [...this.#tokens].find(
      ({ opened }) =>
        moduleFile(opened.modulePath) === moduleFile(modulePath) &&
        opened.token.serial === serial &&
        opened.token.label === label &&
        (serial !== '' || opened.token.slotDescription === slotDescription),
    );
  }
}

function promptFor(store: TokenKeystore, token: TokenDescription, reason: string | undefined): string {
  const suffix = reason === undefined ? '' : `, ${reason}`;
  const which = token.serial === '' ? describeToken(token) : `${cleanText(token.label, 64)} (serial ${token.serial})`;
  return `PIN of token ${cleanText(which, 200)}, keystore ${store.name}${suffix}: `;
}

function lastTryWords(token: TokenDescription): string {
  return token.serial === '' ? `${lastTryName(token)} (label and slot of this token)` : 'the serial of this token';
}

class AlreadyOpen extends Error {
  override readonly name = 'AlreadyOpen';
}
