/** Names DER that is not a public key of this toolkit, from its outermost tags: X.690, RFC 5958, RFC 5280, RFC 7292. */
import { VtlicError } from '../../../formats/error.ts';
import { privateKeyFound } from './private-key-marks.ts';

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;

/** The longest version number of a private key structure; the modulus of an RSA public key is far longer. */
const MAX_VERSION_BYTES = 1;

/** What to say of DER that is none of the published forms of a public key. */
export function explainDer(der: Uint8Array): VtlicError {
  const { kind, error } = judgeDer(der, '');
  if (error !== undefined) return error;
  const found = kind === 'spki' ? 'it is that of another algorithm or encoding' : 'it is neither';
  return new VtlicError(
    'key_invalid',
    'the public key should be Ed25519 or ML-DSA-65 in its one DER form (RFC 8410, RFC 9881), or the composite of ' +
      `both (draft-ietf-lamps-pq-composite-sigs-19), but ${found}`,
  );
}

/** The same for the base64 of DER; undefined where it is, or may be, a public key. */
export function explainBase64OfDer(der: Uint8Array): VtlicError | undefined {
  return judgeDer(der, 'base64 of ').error;
}

interface DerJudgment {
  readonly kind: 'spki' | 'other';
  /** For what is certainly no public key. */
  readonly error?: VtlicError;
}

function judgeDer(der: Uint8Array, wrapping: string): DerJudgment {
  const first = der[0] === SEQUENCE ? elementAt(der, contentAt(der, 0)) : undefined;
  if (first?.tag === INTEGER && first.bytes <= MAX_VERSION_BYTES)
    return { kind: 'other', error: privateKeyFound(`${wrapping}PKCS #8 or another private key structure in DER`) };
  const second = first?.tag === SEQUENCE ? elementAt(der, first.next) : undefined;
  if (second?.tag === OCTET_STRING)
    return { kind: 'other', error: privateKeyFound(`${wrapping}an encrypted PKCS #8 structure in DER`) };
  if (second?.tag === SEQUENCE) {
    const fault = `the file contains ${wrapping}an X.509 certificate or request, not a public key`;
    const hint = 'Take the public key out of it: openssl x509 -in FILE -pubkey -noout';
    return { kind: 'other', error: new VtlicError('key_invalid', fault, { hint }) };
  }
  return { kind: second?.tag === BIT_STRING ? 'spki' : 'other' };
}

/**
 * True where the bytes begin as an SPKI does: a sequence of an algorithm and a bit string. Random bytes hardly ever
 * do.
 */
export function looksLikeSpki(der: Uint8Array): boolean {
  return judgeDer(der, '').kind === 'spki';
}

/** True where the bytes begin as DER of a structure does: a text has no such bytes among its first four. */
export function looksLikeDer(bytes: Uint8Array): boolean {
  return bytes[0] === SEQUENCE && bytes.subarray(1, 4).some((byte) => !isTextByte(byte));
}

function isTextByte(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

interface Element {
  readonly tag: number;
  readonly bytes: number;
  /** The offset at which the next element begins. */
  readonly next: number;
}

function elementAt(der: Uint8Array, at: number): Element | undefined {
  const tag = der[at];
  if (tag === undefined) return undefined;
  const content = contentAt(der, at);
  const bytes = lengthAt(der, at + 1);
  return { tag, bytes, next: content + bytes };
}

/** The offset of the content of the element at `at`: behind its tag and length. */
function contentAt(der: Uint8Array, at: number): number {
  const length = der[at + 1] ?? 0;
  return at + 2 + (length > 0x80 ? length - 0x80 : 0);
}

function lengthAt(der: Uint8Array, at: number): number {
  const first = der[at] ?? 0;
  if (first <= 0x80) return first % 0x80;
  let length = 0;
  for (const byte of der.subarray(at + 1, at + 1 + first - 0x80)) length = length * 256 + byte;
  return length;
}
