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

/** @throws VtlicError `usage` for a passphrase that is too short to protect a key against a stolen disk. */
export function checkNewPassphrase(passphrase: Uint8Array): void {
  if (characters(passphrase) < MIN_PASSPHRASE_CHARACTERS)
    throw new VtlicError('usage', `a new passphrase should have at least ${MIN_PASSPHRASE_CHARACTERS} characters`, {
      hint: 'take five or more random words',
    });
}

/**
 * Code points of UTF-8, by the first byte of each: a secret never becomes a string, because a string cannot be wiped.
 */
function characters(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => ((byte & 0xc0) === 0x80 ? count : count + 1), 0);
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
