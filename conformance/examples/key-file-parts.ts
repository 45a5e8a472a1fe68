/** The keys and texts of which the examples of key files are made. */
import { Point } from '@noble/ed25519';
import { encodeBase64Url } from '../../formats/base64.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { exportPublicKey, type PublicKeyForm } from '../../keys/public/encodings/public-key-file.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { compositeKey, ed25519Key } from './example-keys.ts';

export const plain: PublicKey = ed25519Key.publicKey;
export const composite: PublicKey = compositeKey.publicKey;

export const bytesOf = (key: PublicKey, form: PublicKeyForm): Uint8Array => exportPublicKey(key, form);
export const textOf = (key: PublicKey, form: PublicKeyForm): string =>
  new TextDecoder().decode(exportPublicKey(key, form));

export const PEM: string = textOf(plain, 'pem');
export const BODY: string = PEM.split('\n')[1] ?? '';
export const pem = (label: string, ...lines: readonly string[]): string =>
  [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
/** The two blocks of the composite. */
const [mldsa65Pem = '', componentPem = ''] = textOf(composite, 'pem').split(/(?<=-----END PUBLIC KEY-----\n)/);
export const MLDSA65_PEM: string = mldsa65Pem;
export const COMPONENT_PEM: string = componentPem;

export const MAX_FILE_BYTES = 1_048_576;

export const RAW: string = textOf(plain, 'raw').trimEnd();
export const JWK: string = textOf(plain, 'jwk').trimEnd();
export const COMPOSITE_JWK: string = textOf(composite, 'jwk').trimEnd();
export const X: string = encodeBase64Url(plain.bytes);
export const jwkWith = (members: string): string => JWK.replace('}', `,${members}}`);

/** So many arrays inside one another. */
export const nested = (count: number): string => '['.repeat(count) + ']'.repeat(count);

/** PKCS#8 (RFC 8410) of the seed, which is published. */
export const PRIVATE_DER: Uint8Array = concatBytes(
  fromHex('302e020100300506032b657004220420') ?? new Uint8Array(),
  utf8(ed25519Key.ed25519Seed),
);

/** A key whose base64 begins with the character "0", which is also the first byte of DER. */
function keyThatBeginsWithZero(): PublicKey {
  for (let i = 1n; i < 4096n; i++) {
    const bytes = Point.BASE.multiply(i).toBytes();
    if ((bytes[0] ?? 0) >> 2 === 52) return importPublicKey('ed25519', bytes);
  }
  throw new Error('no such key was found');
}

export const zero: PublicKey = keyThatBeginsWithZero();
