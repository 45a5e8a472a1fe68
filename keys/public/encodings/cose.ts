import { decodeCoseKey, encodeCoseKey } from '../../../formats/cose-key.ts';
import { importPublicKey, type ImportOptions, type PublicKey } from '../public-key.ts';

/** The COSE_Key in the form whose SHA-256 is the kid (RFC 9679): 40 bytes, or 2010. */
export function encodeCose(key: PublicKey): Uint8Array {
  return encodeCoseKey(key.alg, key.bytes);
}

/** @throws VtlicError `key_invalid` */
export function decodeCose(bytes: Uint8Array, options: ImportOptions = {}): PublicKey {
  const { alg, publicBytes } = decodeCoseKey(bytes);
  return importPublicKey(alg, publicBytes, options);
}
