/**
 * One key in one file: age v1 with a passphrase, and inside it the private COSE_Key (RFC 9052 §7), so that a lost copy
 * of this toolkit loses no key: `age -d FILE` opens it.
 */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { equalBytes } from '../../../formats/bytes.ts';
import { ALGORITHMS, type Algorithm } from '../../../formats/cose-algorithm.ts';
import { decodePrivateCoseKey, encodePrivateCoseKey, type PrivateCoseKey } from '../../../formats/cose-key.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import type { KeyPurpose } from '../../public/key-purpose.ts';
import type { PublicKey } from '../../public/public-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { decryptAge, DEFAULT_WORK_FACTOR, encryptAge, MAX_WORK_FACTOR } from './age.ts';
import { SoftwareKey } from './software-key.ts';

/** A composite's file has 2.3 kB; what is far longer is not read into memory. */
const MAX_FILE_BYTES = 16 * 1024;

export interface CreateOptions {
  /** log2 of scrypt's N; 18 where not given. Tests pass a small one. */
  readonly workFactor?: number;
}

/**
 * Generates a key and writes it, encrypted, to a new file: mode 0600, never over an existing one, durable (file and
 * folder) and read back before this returns.
 *
 * @param random fresh random bytes of the given length: seeds, salt and nonce come from it
 * @returns the key, opened; the caller closes it, and wipes the passphrase
 * @throws VtlicError `output_exists`, `output_unwritable` (nothing is left behind), `usage` (an empty passphrase)
 */
export async function createKeyFile(
  path: string,
  alg: Algorithm,
  purpose: KeyPurpose,
  passphrase: Uint8Array,
  random: (length: number) => Uint8Array,
  options: CreateOptions = {},
): Promise<SigningKey> {
  if (passphrase.length === 0) throw new VtlicError('usage', 'a key file needs a passphrase, not an empty one');
  const seeds = random(ALGORITHMS[alg].privateKeyBytes);
  let plain: Uint8Array | undefined;
  try {
    const key = new SoftwareKey(alg, purpose, seeds);
    plain = encodePrivateCoseKey(alg, key.publicKey.bytes, seeds);
    const file = await encryptAge(plain, passphrase, { workFactor: options.workFactor ?? DEFAULT_WORK_FACTOR, random });
    await writeKeyFile(path, file);
    return key;
  } finally {
    seeds.fill(0);
    plain?.fill(0);
  }
}

async function writeKeyFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await createDurably(path, bytes, 0o600, { folderExists: true });
  } catch (cause) {
    if (cause instanceof VtlicError && cause.code === 'output_exists') {
      throw new VtlicError(
        'output_exists',
        'a file of this name exists, and a key file is never written over another',
        {
          file: path,
          hint: 'Choose another name; move the old file away only when its key is known to be elsewhere.',
          cause,
        },
      );
    }
    throw new VtlicError('output_unwritable', 'the key file could not be written', {
      file: path,
      hint: 'Nothing was kept: free the disk or choose another folder, and generate again.',
      cause,
    });
  }
}

export interface OpenOptions {
  /** A file that asks for more than this log2 of scrypt's N is refused before it is computed; 20 where not given. */
  readonly maxWorkFactor?: number;
}

/**
 * Opens the file of one known key. The description in the file is not trusted: its seeds must make the expected public
 * key.
 *
 * @returns the key; the caller closes it, and wipes the passphrase
 * @throws VtlicError `key_not_found`, `file_unreadable`, `passphrase_refused`, or `keyfile_corrupt` (truncated,
 *   altered, or another key than the expected one, each in its own words)
 */
export async function openKeyFile(
  path: string,
  expected: PublicKey,
  purpose: KeyPurpose,
  passphrase: Uint8Array,
  options: OpenOptions = {},
): Promise<SigningKey> {
  const file = await readKeyFile(path);
  const maxWorkFactor = options.maxWorkFactor ?? MAX_WORK_FACTOR;
  let plain: Uint8Array | undefined;
  let content: PrivateCoseKey | undefined;
  try {
    plain = await decryptAge(file, passphrase, { maxWorkFactor, plainBytes: contentLengths(expected) });
    content = parseContent(plain);
    return keyFromContent(content, expected, purpose);
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  } finally {
    plain?.fill(0);
    content?.privateBytes.fill(0);
  }
}

/**
 * A warning in one sentence when others may read or write the file; its content is encrypted, so this is not an error.
 * A file that is not there gives none: opening it says so.
 */
export async function keyFileWarning(path: string): Promise<string | undefined> {
  const mode = await stat(path).then(
    (facts) => facts.mode,
    () => 0,
  );
  if ((mode & 0o077) === 0) return undefined;
  const octal = (mode & 0o777).toString(8);
  return `other users of this machine may read or replace the key file (mode ${octal}); run chmod 600 on it`;
}

async function readKeyFile(path: string): Promise<Uint8Array> {
  try {
    // A pipe without a writer would block the process for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (!facts.isFile())
        throw new VtlicError('file_unreadable', 'the key file is not an ordinary file', { file: path });
      if (facts.size > MAX_FILE_BYTES) {
        throw new VtlicError(
          'keyfile_corrupt',
          `a key file has at most ${MAX_FILE_BYTES} bytes, but this one has ${facts.size}`,
          { file: path },
        );
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof VtlicError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new VtlicError('key_not_found', 'the key file does not exist', {
        file: path,
        hint: 'Restore it from its backup, or correct its place in site.json.',
      });
    }
    throw new VtlicError('file_unreadable', 'the key file cannot be read', { file: path, cause: error });
  }
}

/**
 * The content's length is known beforehand, so that a truncated file is distinguished from an altered one. The length
 * for the expected key comes first.
 */
function contentLengths(expected: PublicKey): readonly number[] {
  const lengthOf = (alg: Algorithm): number => {
    const { publicKeyBytes, privateKeyBytes } = ALGORITHMS[alg];
    return encodePrivateCoseKey(alg, new Uint8Array(publicKeyBytes), new Uint8Array(privateKeyBytes)).length;
  };
  return [lengthOf(expected.alg), lengthOf('ed25519'), lengthOf('ed25519+ml-dsa-65')];
}

function parseContent(plain: Uint8Array): PrivateCoseKey {
  try {
    return decodePrivateCoseKey(plain);
  } catch (error) {
    throw new VtlicError(
      'keyfile_corrupt',
      'the passphrase is right, but the key file does not contain a private key of this toolkit',
      { cause: error },
    );
  }
}

function keyFromContent(content: PrivateCoseKey, expected: PublicKey, purpose: KeyPurpose): SigningKey {
  const key = new SoftwareKey(content.alg, purpose, content.privateBytes);
  if (!equalBytes(key.publicKey.bytes, content.publicBytes)) {
    throw new VtlicError('keyfile_corrupt', 'the private and the public key in the key file do not belong together', {
      hint: 'Restore the key file from its backup.',
    });
  }
  if (key.publicKey.kid !== expected.kid) {
    throw new VtlicError(
      'keyfile_corrupt',
      `the key file should contain the key ${expected.kid}, but it contains another one, ${key.publicKey.kid}`,
      {
        hint: 'Put the right file in its place, or correct its place in site.json.',
      },
    );
  }
  return key;
}
