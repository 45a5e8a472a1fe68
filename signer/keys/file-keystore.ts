/** Keys in encrypted files: `NAME.age` and its claim, in the keystore's folder. */
import { isAbsolute, join } from 'node:path';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { VtlicError } from '../../formats/error.ts';
import { createKeyFile, keyFileWarning, openKeyFile } from '../../keys/private/software/key-file.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { makeFolders } from '../../files/index.ts';
import type { KeyRecord, FileKeystore, SitePaths } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';

export interface KeyFiles {
  readonly key: string;
  readonly claim: string;
}

export function keyFiles(paths: SitePaths, store: FileKeystore, name: string): KeyFiles {
  const folder = isAbsolute(store.path) ? store.path : join(paths.folder, store.path);
  return { key: join(folder, `${name}.age`), claim: join(folder, `${name}.claim.json`) };
}

export const MIN_PASSPHRASE_CHARACTERS = 12;
const MIN_DIFFERENT_CHARACTERS = 5;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * @throws VtlicError `passphrase_refused` for one that is too short, or too monotonous, to protect a key against a
 *   stolen disk
 */
export function checkNewPassphrase(passphrase: Uint8Array): void {
  const isBlank = passphrase.every((byte) => byte === SPACE || byte === TAB);
  if (isBlank || characters(passphrase) < MIN_PASSPHRASE_CHARACTERS)
    throw new VtlicError(
      'passphrase_refused',
      `a new passphrase should have at least ${MIN_PASSPHRASE_CHARACTERS} characters, and not only blanks`,
      { hint: 'take five or more random words' },
    );
  if (differentCharacters(passphrase) < MIN_DIFFERENT_CHARACTERS)
    throw new VtlicError(
      'passphrase_refused',
      `a new passphrase should have at least ${MIN_DIFFERENT_CHARACTERS} different characters: a repeated character ` +
        'is easy to guess',
      { hint: 'take five or more random words' },
    );
}

/** Compared in place, so that no copy of a part of the secret is left behind. */
function differentCharacters(bytes: Uint8Array): number {
  const starts = [...bytes.keys()].filter((at) => ((bytes[at] ?? 0) & 0xc0) !== 0x80);
  const endOf = (i: number): number => starts[i + 1] ?? bytes.length;
  const same = (i: number, j: number): boolean => {
    const [from, other] = [starts[i] ?? 0, starts[j] ?? 0];
    const length = endOf(i) - from;
    if (endOf(j) - other !== length) return false;
    for (let k = 0; k < length; k++) if (bytes[from + k] !== bytes[other + k]) return false;
    return true;
  };
  return starts.filter((_, i) => !starts.slice(0, i).some((__, j) => same(i, j))).length;
}

/**
 * Code points of UTF-8, by the first byte of each: a secret never becomes a string, because a string cannot be wiped.
 */
function characters(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => ((byte & 0xc0) === 0x80 ? count : count + 1), 0);
}

const TRIES = 3;

/**
 * Lets a person mistype a passphrase: a wrong one is asked for again, three times in all. A file is not locked by wrong
 * passphrases, as a token is by wrong PINs.
 *
 * @param act asks for the passphrase, with `why` before its prompt; throws `passphrase_refused` if it is not right
 */
export async function inTries<T>(act: (why: string) => Promise<T>): Promise<T> {
  let why = '';
  for (let left = TRIES - 1; ; left--) {
    try {
      return await act(why);
    } catch (error) {
      if (!(error instanceof VtlicError) || error.code !== 'passphrase_refused' || left === 0) throw error;
      why = `${error.message} (${left === 1 ? 'one try is' : `${left} tries are`} left)\n`;
    }
  }
}

export async function generateInFile(
  paths: SitePaths,
  store: FileKeystore,
  key: { readonly name: string; readonly algorithm: Algorithm; readonly purpose: KeyPurpose },
  passphrase: Uint8Array,
  runtime: Runtime,
): Promise<SigningKey> {
  checkNewPassphrase(passphrase);
  const files = keyFiles(paths, store, key.name);
  makeFolders(join(files.key, '..'), 0o700);
  return createKeyFile(files.key, key.algorithm, key.purpose, passphrase, runtime.random);
}

export async function openFromFile(
  paths: SitePaths,
  store: FileKeystore,
  record: KeyRecord,
  passphrase: Uint8Array,
  runtime: Runtime,
): Promise<SigningKey> {
  const files = keyFiles(paths, store, record.name);
  const key = await openKeyFile(files.key, record.publicKey, record.purpose, passphrase);
  const warning = await keyFileWarning(files.key);
  if (warning !== undefined) runtime.tell(`warning: ${files.key}: ${warning}`);
  return key;
}
