/**
 * age v1 files (c2sp.org/age) with one scrypt recipient, that is one passphrase: what `age -p` writes and `age -d`
 * reads.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, scrypt, timingSafeEqual } from 'node:crypto';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { encodeAgeHeader, parseAgeHeader } from './age-header.ts';
import { openPayload, sealPayload } from './age-payload.ts';

/** log2 of scrypt's N for real use: 256 MB and about a second, which is also what age takes. */
export const DEFAULT_WORK_FACTOR = 18;

/** The highest work factor that a file may require: 2^20 takes 1 GB and some seconds. */
export const MAX_WORK_FACTOR = 20;

const SCRYPT_LABEL: Uint8Array = utf8('age-encryption.org/v1/scrypt');
const ZERO_NONCE: Uint8Array = new Uint8Array(12);
const NONCE_BYTES = 16;
const TAG_BYTES = 16;
const FILE_KEY_BYTES = 16;
const SALT_BYTES = 16;

export interface EncryptOptions {
  /** log2 of scrypt's N, 1 … 20. */
  readonly workFactor: number;
  /** Fresh random bytes of the given length. */
  readonly random: (length: number) => Uint8Array;
}

export interface DecryptOptions {
  /** A file that asks for more is refused before anything is computed. Default 20. */
  readonly maxWorkFactor?: number;
  /**
   * The lengths in bytes that the plaintext may have, the likeliest first, if the caller knows them. They distinguish a
   * truncated file from an altered one without the passphrase.
   */
  readonly plainBytes?: readonly number[];
}

/**
 * Encrypts to one passphrase (its bytes as they are: age's own tools take UTF-8). The caller wipes plain and
 * passphrase.
 */
export async function encryptAge(
  plain: Uint8Array,
  passphrase: Uint8Array,
  { workFactor, random }: EncryptOptions,
): Promise<Uint8Array> {
  if (!Number.isInteger(workFactor) || workFactor < 1 || workFactor > MAX_WORK_FACTOR) {
    throw new VtlicError(
      'usage',
      `the scrypt work factor is a whole number from 1 to ${MAX_WORK_FACTOR}, not ${workFactor}`,
    );
  }
  const fileKey = random(FILE_KEY_BYTES);
  const salt = random(SALT_BYTES);
  let wrapKey: Uint8Array | undefined;
  try {
    wrapKey = await deriveWrapKey(passphrase, salt, workFactor);
    const cipher = createCipheriv('chacha20-poly1305', wrapKey, ZERO_NONCE, { authTagLength: TAG_BYTES });
    const body = concatBytes(cipher.update(fileKey), cipher.final(), cipher.getAuthTag());
    const header = encodeAgeHeader({ salt, workFactor, body }, (text) => headerMac(fileKey, text));
    return concatBytes(header, sealPayload(plain, fileKey, random(NONCE_BYTES)));
  } finally {
    fileKey.fill(0);
    wrapKey?.fill(0);
  }
}

/**
 * Opens a file of `encryptAge`, `age -p` or any other writer of one scrypt recipient.
 *
 * @returns the plaintext, which the caller wipes.
 * @throws VtlicError `keyfile_corrupt` for a file that is no such age file, is truncated or altered, or asks for too
 *   much work; `passphrase_refused` when the passphrase does not open it.
 */
export async function decryptAge(
  file: Uint8Array,
  passphrase: Uint8Array,
  options: DecryptOptions = {},
): Promise<Uint8Array> {
  const header = parseAgeHeader(file);
  const limit = options.maxWorkFactor ?? MAX_WORK_FACTOR;
  if (header.workFactor > limit) {
    throw new VtlicError(
      'keyfile_corrupt',
      `the key file asks for the scrypt work factor ${header.workFactor}, but at most ${limit} is computed`,
    );
  }
  const payload = file.subarray(header.length);
  checkPayloadLength(payload, options.plainBytes);
  let wrapKey: Uint8Array | undefined;
  let fileKey: Uint8Array | undefined;
  try {
    wrapKey = await deriveWrapKey(passphrase, header.salt, header.workFactor);
    fileKey = unwrapFileKey(wrapKey, header.body);
    if (!timingSafeEqual(headerMac(fileKey, header.macInput), header.mac)) {
      throw new VtlicError(
        'keyfile_corrupt',
        'the header of the key file was altered: its authentication code does not match',
      );
    }
    return openPayload(payload, fileKey);
  } finally {
    wrapKey?.fill(0);
    fileKey?.fill(0);
  }
}

function checkPayloadLength(payload: Uint8Array, plainBytes: readonly number[] | undefined): void {
  const overhead = NONCE_BYTES + TAG_BYTES;
  const lengths = plainBytes?.map((length) => length + overhead);
  if (lengths?.includes(payload.length) === true) return;
  const expected = lengths?.[0] ?? overhead;
  if (payload.length < expected) {
    throw new VtlicError(
      'keyfile_corrupt',
      `the key file is truncated: ${payload.length} bytes follow its header where ${expected} should`,
      {
        hint: 'Restore the key file from its backup.',
      },
    );
  }
  if (lengths !== undefined) {
    throw new VtlicError(
      'keyfile_corrupt',
      `the key file is too long: ${payload.length} bytes follow its header where ${expected} should`,
      {
        hint: 'Restore the key file from its backup.',
      },
    );
  }
}

function unwrapFileKey(wrapKey: Uint8Array, body: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('chacha20-poly1305', wrapKey, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
  const fileKey = decipher.update(body.subarray(0, FILE_KEY_BYTES));
  try {
    decipher.final();
    return fileKey;
  } catch {
    fileKey.fill(0);
    throw new VtlicError('passphrase_refused', 'the passphrase does not open the key file', {
      hint:
        'Type it again. If it is certainly right, the first lines of the file were altered: ' +
        'restore it from its backup.',
    });
  }
}

function headerMac(fileKey: Uint8Array, macInput: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync('sha256', fileKey, new Uint8Array(), utf8('header'), 32));
  try {
    return createHmac('sha256', key).update(macInput).digest();
  } finally {
    key.fill(0);
  }
}

function deriveWrapKey(passphrase: Uint8Array, salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
  const N = 2 ** workFactor;
  // scrypt needs 128 N r bytes and a little; the factor 2 leaves room, node refuses rather than allocates beyond it.
  const parameters = { N, r: 8, p: 1, maxmem: 2 * 128 * 8 * N + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, concatBytes(SCRYPT_LABEL, salt), 32, parameters, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
