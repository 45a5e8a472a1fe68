/** A file of public keys in any of the published forms, and back. */
import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { decodeCoseKey, encodeCoseKey } from '../../../formats/cose-key.ts';
import { VtlicError } from '../../../formats/error.ts';
import { findSharedComponent, type ImportOptions, importPublicKey, type PublicKey } from '../public-key.ts';
import { trimBlank } from './component-text.ts';
import { looksLikeDer } from './explain-der.ts';
import { explainText } from './explain-text.ts';
import { decodeJwks, encodeCompositeJwk, encodeJwk } from './jwk.ts';
import { decodePem, encodePem } from './pem.ts';
import { refusePrivateText } from './private-key-marks.ts';
import { decodeSpki, encodeCompositeSpki, encodeSpki, type KeyComponent, keysOfComponents } from './spki.ts';

/**
 * `pem` and `der`: SPKI, a composite as two, ML-DSA first. `jwk`, `cose`: as their files say. `raw`: base64 of the
 * bytes. `env`: the lines that override a product's built-in keys. `composite-…`: a composite in one piece, as the
 * IETF's drafts (draft-ietf-lamps-pq-composite-sigs-19, draft-ietf-jose-pq-composite-sigs-04) write it.
 */
export type PublicKeyForm =
  'pem' | 'der' | 'jwk' | 'cose' | 'raw' | 'env' | 'composite-pem' | 'composite-der' | 'composite-jwk';

const ENCODERS: Readonly<Record<PublicKeyForm, (key: PublicKey) => Uint8Array>> = {
  pem: (key) => utf8(encodeSpki(key).map(encodePem).join('')),
  der: (key) => concatBytes(...encodeSpki(key)),
  jwk: (key) => utf8(encodeJwk(key)),
  cose: encodeCose,
  raw: (key) => utf8(encodeRaw(key)),
  env: (key) => utf8(encodeOverride(key)),
  'composite-pem': (key) => utf8(encodePem(encodeCompositeSpki(bytesOfComposite(key)))),
  'composite-der': (key) => encodeCompositeSpki(bytesOfComposite(key)),
  'composite-jwk': (key) => utf8(encodeCompositeJwk(bytesOfComposite(key))),
};

export const PUBLIC_KEY_FORMS: readonly PublicKeyForm[] = Object.freeze([
  'pem',
  'der',
  'jwk',
  'cose',
  'raw',
  'env',
  'composite-pem',
  'composite-der',
  'composite-jwk',
]);

/** A caller that reads a file of public keys needs no more than one byte beyond this. */
export const MAX_KEY_FILE_BYTES: number = 1024 * 1024;

/**
 * The bytes of a file with this key.
 *
 * @throws VtlicError `usage` for a composite form of an Ed25519 key
 */
export function exportPublicKey(key: PublicKey, form: PublicKeyForm): Uint8Array {
  return ENCODERS[form](key);
}

/**
 * The keys of a file, at least one, in their order, each once. The first bytes tell the form. PEM, DER and a JWK Set
 * may contain several keys, COSE_Key and base64 one.
 *
 * @throws VtlicError `key_invalid`, or `json_malformed`
 */
export function parsePublicKeys(file: Uint8Array, options: ImportOptions = {}): readonly PublicKey[] {
  if (file.length > MAX_KEY_FILE_BYTES)
    throw new VtlicError(
      'key_invalid',
      `a file of public keys has at most ${MAX_KEY_FILE_BYTES} bytes, but this one has more`,
    );
  const byKid = new Map<string, PublicKey>();
  for (const key of decodeFile(file, options)) if (!byKid.has(key.kid)) byKid.set(key.kid, key);
  const keys = [...byKid.values()];
  const shared = findSharedComponent(keys);
  if (shared !== undefined)
    throw new VtlicError(
      'key_invalid',
      `the keys ${shared.join(' and ')} share a component, but a component belongs to one key only`,
      { hint: 'Give a composite as a whole, without one of its components as a key of its own.' },
    );
  return keys;
}

function decodeFile(file: Uint8Array, options: ImportOptions): readonly PublicKey[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(file);
  refusePrivateText(text);
  if (beginsAsCbor(file)) return [decodeCose(file, options)];
  if (looksLikeDer(file)) return keysOfComponents(decodeSpki(file), options);
  const trimmed = trimBlank(text);
  if (trimmed === '') throw new VtlicError('key_invalid', 'the file should contain a public key, but it is empty');
  if (trimmed.startsWith('-----BEGIN')) return keysOfComponents(decodePem(text).map(onlyComponent), options);
  if (trimmed.startsWith('{')) return decodeJwks(file, options);
  return [decodeRaw(trimmed, options)];
}

/** The COSE_Key in the form whose SHA-256 is the kid (RFC 9679): 40 bytes, or 2010. */
function encodeCose(key: PublicKey): Uint8Array {
  return encodeCoseKey(key.alg, key.bytes);
}

/** @throws VtlicError `key_invalid` */
function decodeCose(bytes: Uint8Array, options: ImportOptions = {}): PublicKey {
  const { alg, publicBytes } = decodeCoseKey(bytes);
  return importPublicKey(alg, publicBytes, options);
}

/** An array or a map of CBOR, or a tag that says that CBOR follows: no UTF-8 text begins so. */
function beginsAsCbor([first = 0, second = 0]: Uint8Array): boolean {
  return (first >= 0x80 && first <= 0xbf) || (first === 0xd9 && second === 0xd9);
}

function onlyComponent(der: Uint8Array): KeyComponent {
  const [component, ...more] = decodeSpki(der);
  if (component === undefined || more.length > 0)
    throw new VtlicError(
      'key_invalid',
      'each PEM block should contain one public key, but one of them contains several',
    );
  return component;
}

function bytesOfComposite({ alg, bytes }: PublicKey): Uint8Array {
  if (alg === 'ed25519+ml-dsa-65') return bytes;
  throw new VtlicError(
    'usage',
    `the key is one for ${alg}, and only a composite key has a form that begins with "composite-"`,
    {
      hint: 'export it with --form pem, der or jwk',
    },
  );
}

function encodeOverride(key: PublicKey): string {
  const ed25519 = `LICENSE_PUBLIC_KEY=${encodeBase64(key.ed25519)}\n`;
  return key.mldsa65 === undefined ? ed25519 : `${ed25519}LICENSE_MLDSA_PUBLIC_KEY=${encodeBase64(key.mldsa65)}\n`;
}

/** Base64 of the 32 or 1984 bytes, on one line. */
function encodeRaw(key: PublicKey): string {
  return `${encodeBase64(key.bytes)}\n`;
}

/**
 * The key in base64 of 32 or 1984 bytes; blank space and line breaks in it are passed over, since tools wrap.
 *
 * @throws VtlicError `key_invalid`
 */
function decodeRaw(text: string, options: ImportOptions = {}): PublicKey {
  const bytes = decodeBase64(text.replaceAll(/[ \t\r\n]/g, ''));
  if (bytes?.length === ALGORITHMS.ed25519.publicKeyBytes) return importPublicKey('ed25519', bytes, options);
  if (bytes?.length === ALGORITHMS['ed25519+ml-dsa-65'].publicKeyBytes)
    return importPublicKey('ed25519+ml-dsa-65', bytes, options);
  throw explainText(text);
}
