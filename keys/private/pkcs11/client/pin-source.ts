/** A PIN from the file of `pin-source=file:` (RFC 7512): its first line. */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { MAX_SECRET_BYTES, readSecretLine } from '../../../../files/index.ts';

/**
 * @returns the bytes of the first line without its end; the caller wipes them
 * @throws VtlicError `configuration_invalid` for a file that cannot be read, that other users can read or write, or
 *   without a PIN
 */
export async function readPinSource(path: string): Promise<Uint8Array> {
  const fault = (what: string, hint: string, cause?: unknown): VtlicError =>
    new VtlicError('configuration_invalid', `the PIN file ${cleanText(path)} of pin-source ${what}`, {
      field: 'pin-source',
      hint,
      ...(cause === undefined ? {} : { cause }),
    });
  const line = await readSecretLine(path, { pipes: false }).catch((cause: unknown) => {
    throw fault('cannot be read', 'correct pin-source in the PKCS#11 URI, or remove it to be asked for the PIN', cause);
  });
  if (line.ok) return line.bytes;
  switch (line.fault) {
    case 'open to others':
      throw fault('can be read or changed by other users', `run: chmod 600 ${cleanText(path)}`);
    case 'too long':
      throw fault(`has a first line of more than ${MAX_SECRET_BYTES} bytes`, 'put the PIN alone into it');
    case 'empty':
      throw fault('begins with an empty line', 'put the PIN alone into it');
    default:
      throw fault('is not a file', 'correct pin-source in the PKCS#11 URI');
  }
}
