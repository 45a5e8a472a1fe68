/** A file of public keys in any of the published forms, and back. */
import { encodeBase64 } from '../../../formats/base64.ts';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { ImportOptions, PublicKey } from '../public-key.ts';
import { decodeCose, encodeCose } from './cose.ts';
import { decodeJwks, encodeJwk } from './jwk.ts';
import { keysOfComponents } from './key-component.ts';
import { decodePem, encodePem } from './pem.ts';
import { decodeRaw, encodeRaw } from './raw.ts';
import { decodeSpki, encodeSpki } from './spki.ts';
import { trimBlank } from './trim-blank.ts';

/**
 * `pem` and `der`: SPKI, a composite as two, ML-DSA first. `jwk`, `cose`: as their files say. `raw`: base64 of the bytes.
 * `env`: the lines that override a product's built-in keys.
 */
export type PublicKeyForm = 'pem' | 'der' | 'jwk' | 'cose' | 'raw' | 'env';

const ENCODERS: Readonly<Record<PublicKeyForm, (key: PublicKey) => Uint8Array>> = {
  pem: (key) => utf8(encodeSpki(key).map(encodePem).join('')),
  der: (key) => concatBytes(...encodeSpki(key)),
  jwk: (key) => utf8(encodeJwk(key)),
  cose: encodeCose,
  raw: (key) => utf8(encodeRaw(key)),
  env: (key) => utf8(encodeOverride(key)),
};

export const PUBLIC_KEY_FORMS: readonly PublicKeyForm[] = Object.freeze(['pem', 'der', 'jwk', 'cose', 'raw', 'env']);

const MAX_FILE_BYTES = 1024 * 1024;

/** The bytes of a file with this key. */
export function exportPublicKey(key: PublicKey, form: PublicKeyForm): Uint8Array {
  return ENCODERS[form](key);
}

/**
 * The keys of a file, at least one, in their order. The form is told by its first bytes: PEM and DER may hold several keys, a JWK Set
 * too, COSE_Key and base64 one.
 *
 * @throws VtlicError `key_invalid`, or `json_malformed`
 */
export function parsePublicKeys(file: Uint8Array, options: ImportOptions = {}): readonly PublicKey[] {
  if (file.length > MAX_FILE_BYTES)
    throw new VtlicError(
      'key_invalid',
      `a file of public keys has at most ${MAX_FILE_BYTES} bytes, but this one has ${file.length}`,
    );
  const [first, second] = file;
  if (first === 0xa3 || first === 0xa4) return [decodeCose(file, options)];
  // DER of a sequence; the character "0", which may begin base64, is followed by another one of base64.
  if (first === 0x30 && (second === 0x2a || second === 0x82)) return keysOfComponents(decodeSpki(file), options);
  const text = trimBlank(new TextDecoder('utf-8', { ignoreBOM: true }).decode(file));
  if (text === '') throw new VtlicError('key_invalid', 'the file should hold a public key, but it is empty');
  if (text.startsWith('-----BEGIN')) return keysOfComponents(decodePem(text).flatMap(decodeSpki), options);
  if (text.startsWith('{')) return decodeJwks(file, options);
  return [decodeRaw(text, options)];
}

function encodeOverride(key: PublicKey): string {
  const ed25519 = `LICENSE_PUBLIC_KEY=${encodeBase64(key.ed25519)}\n`;
  return key.mldsa65 === undefined ? ed25519 : `${ed25519}LICENSE_MLDSA_PUBLIC_KEY=${encodeBase64(key.mldsa65)}\n`;
}
