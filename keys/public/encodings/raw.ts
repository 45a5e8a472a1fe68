import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { importPublicKey, type ImportOptions, type PublicKey } from '../public-key.ts';
import { explainText } from './explain-text.ts';

/** Base64 of the 32 or 1984 bytes, on one line. */
export function encodeRaw(key: PublicKey): string {
  return `${encodeBase64(key.bytes)}\n`;
}

/**
 * The key in base64 of 32 or 1984 bytes; blank space and line breaks in it are passed over, since tools wrap.
 *
 * @throws VtlicError `key_invalid`
 */
export function decodeRaw(text: string, options: ImportOptions = {}): PublicKey {
  const bytes = decodeBase64(text.replaceAll(/[ \t\r\n]/g, ''));
  if (bytes?.length === ALGORITHMS.ed25519.publicKeyBytes) return importPublicKey('ed25519', bytes, options);
  if (bytes?.length === ALGORITHMS['ed25519+ml-dsa-65'].publicKeyBytes)
    return importPublicKey('ed25519+ml-dsa-65', bytes, options);
  throw explainText(text);
}
