/** A PIN from the file of `pin-source=file:` (RFC 7512): its first line. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';

const MOST_BYTES = 1024;

/**
 * @returns the bytes of the first line without its end; the caller wipes them
 * @throws VtlicError `configuration_invalid` for a file that cannot be read, that other users can read or write, or without
 *   a PIN
 */
export function readPinSource(path: string): Uint8Array {
  const buffer = Buffer.alloc(MOST_BYTES + 1);
  const fault = (what: string, hint: string, cause?: unknown): VtlicError =>
    new VtlicError('configuration_invalid', `the PIN file ${cleanText(path)} of pin-source ${what}`, {
      field: 'pin-source',
      hint,
      ...(cause === undefined ? {} : { cause }),
    });
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw fault('cannot be read', 'correct pin-source in the PKCS#11 URI, or remove it to be asked for the PIN', cause);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw fault('is not a file', 'correct pin-source in the PKCS#11 URI');
    if ((stat.mode & 0o077) !== 0)
      throw fault('can be read or changed by other users', `run: chmod 600 ${cleanText(path)}`);
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count)
      count = readSync(fd, buffer, length, buffer.length - length, null);
    const newline = buffer.subarray(0, length).indexOf(10);
    let end = newline === -1 ? length : newline;
    if (end > MOST_BYTES) throw fault(`has a first line of more than ${MOST_BYTES} bytes`, 'put the PIN alone into it');
    if (end > 0 && buffer[end - 1] === 13) end--;
    if (end === 0) throw fault('begins with an empty line', 'put the PIN alone into it');
    return Uint8Array.from(buffer.subarray(0, end));
  } finally {
    closeSync(fd);
    buffer.fill(0);
  }
}
