/**
 * The options that several commands share: `--site`, `--secret`, `--trust`, `--proof`, a place for an anchor.
 *
 * `vtlic verify` loads this file, so it imports nothing that opens a ledger.
 */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { openSite, type Site, type KeyRecord, findSiteKey, requireSigning } from '../site/site.ts';
import type { Io } from './io.ts';
import { shellQuote } from './command-name.ts';
import { fromHex } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { isId } from '../../formats/license/id.ts';
import { declarationFault, type ModuleEnvironment } from '../../keys/private/pkcs11/shared/module-environment.ts';
import { MAX_KEY_FILE_BYTES, parsePublicKeys } from '../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { makeTrust, trustFromOverride, type TrustedKey } from '../../verifier/index.ts';
import { readLimited } from '../../files/index.ts';
import type { AnchorPlace } from '../anchor/index.ts';

export interface SiteOptions {
  readonly site?: string;
}

export interface SecretOptions {
  readonly secret: readonly string[];
  readonly lastTry?: string;
  readonly untestedToken?: boolean;
}

export function siteOption(command: Command): Command {
  return command.option('--site <dir>', 'the folder of the site (default: VTLIC_SITE, else this folder)');
}

export function secretOption(command: Command): Command {
  return command
    .option(
      '--secret <name=source>',
      'read the passphrase or PIN of a keystore from a file (NAME=file:PATH) or descriptor (NAME=fd:N), instead of ' +
        'asking for it (repeatable)',
      collect,
      [] as string[],
    )
    .option(
      '--last-try <serial>',
      'give the PIN to the token with this serial number although it has only one try left',
    )
    .option('--untested-token', 'use a token of a family that was never tested with this program');
}

/** `NAME` for the officer's own variable, or `NAME=VALUE`. The value is not repeated in a message. */
export function parseVariables(option: string, texts: readonly string[]): ModuleEnvironment {
  const declared: Record<string, string | true> = {};
  for (const text of texts) {
    const [name = '', ...rest] = text.split('=');
    const value = rest.length === 0 ? true : rest.join('=');
    const fault = declarationFault(name, value);
    if (fault !== undefined)
      throw new VtlicError('usage', `${option}: ${cleanText(name, 64)} ${fault}`, {
        hint: 'name a variable that the manual of the PKCS#11 module names',
      });
    declared[name] = value;
  }
  return declared;
}

/** For an option that may be repeated. */
export function collect(value: string, all: readonly string[]): string[] {
  return [...all, value];
}

export function siteFolder(io: Io, options: SiteOptions): string {
  const named = options.site ?? io.env['VTLIC_SITE'];
  return resolve(io.cwd, named === undefined || named === '' ? '.' : named);
}

/** For a command in a hint, which has to work as it is printed. */
export function siteArgument(options: SiteOptions): string {
  if (options.site === undefined) return '';
  return ` --site ${shellQuote(options.site)}`;
}

export function openNamedSite(io: Io, options: SiteOptions): Site {
  return openSite(siteFolder(io, options));
}

/** For commander: a fault of an option's value in words. */
export function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message);
}

/** For options that name a customer. */
/** @returns the 16 bytes of a ledger id in hex, as `vtlic ledger status` prints it */
export function parseLedgerId(text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase());
  if (bytes?.length !== 16)
    throw invalid('expected the id of a ledger, 32 hex digits: vtlic ledger status prints it at that site');
  return bytes;
}

export function parseCustomer(text: string): string {
  if (!isId(text)) throw invalid('expected the id of a customer');
  return text;
}

/** Reads the file of a `--trust`: public keys in any form that `vtlic key export` writes. */
export function readTrustFile({ cwd }: Pick<Io, 'cwd'>, name: string): readonly PublicKey[] {
  const path = resolve(cwd, name);
  try {
    const bytes = readLimited(path, MAX_KEY_FILE_BYTES, 'key_invalid');
    return readOverrideLines(bytes) ?? parsePublicKeys(bytes);
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

/** The form `env`: a file of the variables that override a product's keys. undefined for a file of another form. */
function readOverrideLines(bytes: Uint8Array): readonly PublicKey[] | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  if (!/^(?:LICENSE_PUBLIC_KEY|LICENSE_MLDSA_PUBLIC_KEY)=/.test(text)) return undefined;
  const variables = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const [, variable = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (!OVERRIDE_VARIABLES.has(variable) || variables.has(variable))
      throw overrideFault('a file of override variables should contain one line for each variable and nothing else');
    if (value.includes('file:')) throw overrideFault('a key file contains the keys themselves, not the names of files');
    variables.set(variable, value);
  }
  let keys: readonly TrustedKey[];
  try {
    keys = trustFromOverride(Object.fromEntries(variables), makeTrust({ keys: [] }), () => new Uint8Array()).keys;
  } catch (error) {
    throw error instanceof VtlicError ? overrideFault(error.message) : error;
  }
  if (keys.length === 0) throw overrideFault('the file of override variables contains no key');
  return keys.map(({ key }) => key);
}

function overrideFault(message: string): VtlicError {
  return new VtlicError('key_invalid', message, { hint: 'export the key again: vtlic key export NAME --form env' });
}

const OVERRIDE_VARIABLES: ReadonlySet<string> = new Set(['LICENSE_PUBLIC_KEY', 'LICENSE_MLDSA_PUBLIC_KEY']);

/**
 * The absolute path of a new file. Its folder must exist: one that was made for a medium which is not mounted would
 * keep the file on this disk.
 *
 * @throws VtlicError `output_unwritable`
 */
export function newFilePath({ cwd }: Pick<Io, 'cwd'>, name: string): string {
  const path = resolve(cwd, name);
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new VtlicError(
      'output_unwritable',
      'this folder does not exist, and the program makes no folder for a file that you name',
      {
        file: folder,
        hint: 'attach or mount the medium, or make the folder, and run it again',
      },
    );
  return path;
}

const TOKEN = 'token:';

/**
 * Reads where an anchor is, as an option names it: a file, or `token:KEYSTORE`, or `token:KEYSTORE/LABEL`. The label is
 * fixed by the issuer unless it is given: a second ledger of one issuer in one token is noticed.
 *
 * @throws VtlicError `usage`
 */
export function parseAnchorOption(option: string, text: string, cwd: string, issuer: string): AnchorPlace {
  if (!text.startsWith(TOKEN)) return { kind: 'file', path: resolve(cwd, text) };
  const [keystore = '', ...rest] = text.slice(TOKEN.length).split('/');
  const label = rest.length === 0 ? `vtlic-anchor-${issuer}` : rest.join('/');
  if (!isId(keystore))
    throw new VtlicError('usage', `${option} takes a file, or token:KEYSTORE, where KEYSTORE is a name in site.json`, {
      hint: 'a file whose name begins with "token:" is written ./token:…',
    });
  if (!isId(label))
    throw new VtlicError(
      'usage',
      `${option}: the label of the anchor should be an id (a letter or digit, then up to 127 letters, digits or ` +
        '. _ : -)',
      { hint: 'give one: token:KEYSTORE/LABEL' },
    );
  return { kind: 'token', keystore, label };
}

/**
 * `--proof`: a proof beside each license that a command signs. The key that signs the checkpoint is known before
 * anything is asked or opened.
 */
export interface ProofOptions {
  readonly proof?: boolean;
  readonly proofKey?: string;
}

export function proofOption(command: Command): Command {
  return command
    .option('--proof', 'also write FILE.vtlic.tlog-proof beside each license, which proves that the ledger contains it')
    .option('--proof-key <name>', 'with --proof: the ledger key that signs (default: the only one)');
}

/** @throws VtlicError `usage`: a site without a ledger key has nothing to sign a checkpoint with */
export function proofKeyOf(site: Site, options: ProofOptions): KeyRecord | undefined {
  if (options.proof !== true) {
    if (options.proofKey !== undefined) throw new VtlicError('usage', '--proof-key needs --proof');
    return undefined;
  }
  const able = site.config.keys.filter(
    (key) => key.purpose === 'ledger' && key.algorithm === 'ed25519' && key.retired === undefined,
  );
  const named = options.proofKey === undefined ? undefined : findSiteKey(site, options.proofKey);
  if (named !== undefined) requireSigning(named);
  const key = named ?? able[0];
  if (key === undefined) {
    throw new VtlicError(
      'usage',
      '--proof needs an ed25519 key with the purpose ledger, which signs checkpoints, and this site has no such key',
      {
        file: site.paths.site,
        hint:
          'make one with: vtlic key generate --name ledger-1 --purpose ledger --algorithm ed25519; or sign ' +
          'without --proof',
      },
    );
  }
  if (!able.includes(key))
    throw new VtlicError(
      'usage',
      `the key ${key.name} (${key.algorithm}, purpose ${key.purpose}) signs no checkpoints: only an ` +
        'ed25519 key with the purpose ledger does',
      {
        hint:
          able.length === 0
            ? 'make one with: vtlic key generate --name ledger-1 --purpose ledger --algorithm ed25519'
            : `there are: ${able.map(({ name }) => name).join(', ')}`,
      },
    );
  if (named === undefined && able.length > 1)
    throw new VtlicError(
      'usage',
      `this site has ${able.length} keys with the purpose ledger: say which with --proof-key`,
      {
        hint: `there are: ${able.map(({ name }) => name).join(', ')}`,
      },
    );
  return key;
}

/** One of a closed list of texts, or a usage fault that names the list. */
export function oneOf<T extends string>(is: (text: string) => text is T, list: readonly string[]): (text: string) => T {
  return (text) => {
    if (!is(text)) throw invalid(`expected one of: ${list.join(', ')}`);
    return text;
  };
}

const DAYS_A_WEEK = 7;
const MAX_DAYS = 36_525;

/** `60d` or `8w`, as seconds. */
export function parseSpan(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(d|w)$/.exec(text) ?? [];
  const days = Number(digits) * (unit === 'w' ? DAYS_A_WEEK : 1);
  if (digits === undefined || days > MAX_DAYS) throw invalid('expected days or weeks, such as 60d or 8w');
  return days * DAY_SECONDS;
}

const MAX_YEARS = 100;

export function parseYears(text: string): number {
  const years = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : MAX_YEARS + 1;
  if (years > MAX_YEARS) throw invalid(`expected 1 to ${MAX_YEARS}`);
  return years;
}
