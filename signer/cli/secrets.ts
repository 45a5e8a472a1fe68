/**
 * Passphrases and PINs: from the terminal without echo, or from a file or descriptor named by `--secret`.
 *
 * Never from the command line itself or the environment, where other processes could read them.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, MAX_SECRET_BYTES, readSecretLine, SECRET_SECONDS } from '../../files/index.ts';
import type { Terminal } from './terminal.ts';

type Source = { readonly kind: 'fd'; readonly fd: number } | { readonly kind: 'file'; readonly path: string };

/** `NAME=fd:N` or `NAME=file:PATH`; NAME is that of the keystore in site.json. */
export function parseSecretOption(text: string): { readonly name: string; readonly source: Source } {
  const match = /^([A-Za-z0-9][A-Za-z0-9._:-]*)=(?:fd:(\d{1,4})|file:(.+))$/s.exec(text);
  // The text is not repeated in the message: somebody may have put the secret itself there.
  if (match?.[1] === undefined)
    throw new VtlicError('usage', '--secret takes NAME=fd:N or NAME=file:PATH, where NAME is a keystore of this site', {
      hint: 'put the secret in a file that only you can read, and give its path',
    });
  if (match[2] !== undefined) {
    const fd = Number(match[2]);
    if (fd === 1 || fd === 2)
      throw new VtlicError('usage', '--secret cannot read from standard output or standard error');
    return { name: match[1], source: { kind: 'fd', fd } };
  }
  return { name: match[1], source: { kind: 'file', path: match[3] ?? '' } };
}

/** Where each secret comes from, by the name of its keystore. */
export function parseSecretOptions(options: readonly string[]): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>();
  for (const option of options) {
    const { name, source } = parseSecretOption(option);
    if (sources.has(name)) throw new VtlicError('usage', `--secret is given twice for keystore ${name}`);
    sources.set(name, source);
  }
  return sources;
}

async function readSource(name: string, source: Source): Promise<Uint8Array> {
  const file = source.kind === 'file' ? source.path : `fd:${source.fd}`;
  const fault = (what: string, hint?: string): VtlicError =>
    new VtlicError('configuration_invalid', what, { file, ...(hint === undefined ? {} : { hint }) });
  try {
    const line = await readSecretLine(source.kind === 'file' ? source.path : source.fd, { pipes: true });
    if (line.ok) return line.bytes;
    switch (line.fault) {
      case 'not a file':
        throw fault(
          `the secret of keystore ${name} is in neither a file nor a pipe`,
          'name a file that only you can read',
        );
      case 'open to others':
        throw fault(
          `the secret file of keystore ${name} can be read or changed by other users`,
          `run: chmod 600 ${cleanText(file)}`,
        );
      case 'too long':
        throw fault(`the secret of keystore ${name} is longer than ${MAX_SECRET_BYTES} bytes`);
      case 'empty':
        throw fault(`the secret of keystore ${name} is empty`);
      default:
        throw fault(
          `the pipe with the secret of keystore ${name} gave no line within ${SECRET_SECONDS} seconds`,
          'check the program that writes to the pipe, and run the command again',
        );
    }
  } catch (error) {
    throw describeFileError(error, 'configuration_invalid', file);
  }
}

/** The secrets of one run, by keystore name. */
export class SecretProvider {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #terminal: Terminal | undefined;
  /** A descriptor gives its secret once: kept for a keystore of which two keys are opened, until `forget`. */
  readonly #kept = new Map<string, Uint8Array>();
  #keep: ReadonlySet<string> = new Set();

  /** For `SecretSource`: see there. */
  readonly lastTrySerial?: string;
  readonly allowUntested?: boolean;

  constructor(
    sources: ReadonlyMap<string, Source>,
    terminal: Terminal | undefined,
    settings: { readonly lastTry?: string; readonly untestedToken?: boolean } = {},
  ) {
    if (settings.lastTry !== undefined) this.lastTrySerial = settings.lastTry;
    if (settings.untestedToken !== undefined) this.allowUntested = settings.untestedToken;
    this.#sources = sources;
    this.#terminal = terminal;
  }

  /**
   * Before any login: each secret that will be needed can be had, and none was given for a keystore not in use.
   *
   * @param taken names of the keystores that take a secret in this run; one from which two keys are opened occurs
   *   twice
   * @param needed those that surely need it: a token may have a pad of its own
   */
  assertFor(taken: readonly string[], needed: readonly string[] = taken): void {
    this.#keep = new Set(taken.filter((name, i) => taken.indexOf(name) !== i));
    for (const name of this.#sources.keys()) {
      if (!taken.includes(name))
        throw new VtlicError(
          'usage',
          `--secret names the keystore ${cleanText(name)}, which takes no secret in this command`,
          { hint: taken.length === 0 ? 'leave it out' : `the keystore in use is ${[...new Set(taken)].join(', ')}` },
        );
    }
    for (const name of needed) {
      if (!this.#sources.has(name) && this.#terminal === undefined) {
        throw missing(name);
      }
    }
  }

  /** True where `take` asks a person: a new secret is then asked for twice. */
  asks(name: string): boolean {
    return !this.#sources.has(name);
  }

  /** For `SecretSource`: see there. */
  async typeSerial(prompt: string): Promise<string | undefined> {
    return this.#terminal?.ask(prompt);
  }

  /** The secret's bytes; the caller wipes them. */
  async take(name: string, prompt: string, exactly = false): Promise<Uint8Array> {
    const source = this.#sources.get(name);
    if (source !== undefined) {
      const secret = this.#kept.get(name) ?? (await readSource(name, source));
      if (source.kind === 'file' || !this.#keep.has(name)) return secret;
      this.#kept.set(name, secret);
      return Uint8Array.from(secret);
    }
    if (this.#terminal === undefined) throw missing(name);
    return this.#terminal.askSecret(prompt, exactly);
  }

  /** At the end of the run. */
  forget(): void {
    for (const secret of this.#kept.values()) secret.fill(0);
    this.#kept.clear();
  }
}

function missing(name: string): VtlicError {
  return new VtlicError(
    'secret_missing',
    `the secret of keystore ${name} is needed and there is no terminal to ask for it`,
    { hint: `give --secret ${name}=file:PATH or --secret ${name}=fd:N` },
  );
}
