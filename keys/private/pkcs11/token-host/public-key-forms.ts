/**
 * Public keys in every form in which tokens give them: raw, in a DER OCTET STRING or BIT STRING, or as an SPKI.
 *
 * Lengths and prefixes are fixed, so that each form is compared whole and nothing is guessed.
 */
import { concatBytes, equalBytes } from '../../../../formats/bytes.ts';
import {
  ED25519_PUBLIC_KEY_BYTES,
  ED25519_SPKI_PREFIX,
  MLDSA65_PUBLIC_KEY_BYTES,
  MLDSA65_SPKI_PREFIX,
} from '../../../public/provider.ts';

const NOTHING = new Uint8Array();
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

/** DER tag and length of a string with `length` content bytes. */
function derHead(tag: number, length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
}

function prefixesOf(keyBytes: number, spki: Uint8Array): readonly Uint8Array[] {
  const bitString = concatBytes(derHead(BIT_STRING, keyBytes + 1), Uint8Array.of(0));
  return [NOTHING, derHead(OCTET_STRING, keyBytes), bitString, spki];
}

const ED25519_PREFIXES = prefixesOf(ED25519_PUBLIC_KEY_BYTES, ED25519_SPKI_PREFIX);
const MLDSA65_PREFIXES = prefixesOf(MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_SPKI_PREFIX);

/** 32 bytes out of CKA_EC_POINT or CKA_PUBLIC_KEY_INFO; undefined for anything else. The key is not judged here. */
export function ed25519FromToken(value: Uint8Array): Uint8Array | undefined {
  return withoutPrefix(value, ED25519_PUBLIC_KEY_BYTES, ED25519_PREFIXES);
}

/** 1952 bytes out of CKA_VALUE or CKA_PUBLIC_KEY_INFO; undefined for anything else. */
export function mldsa65FromToken(value: Uint8Array): Uint8Array | undefined {
  return withoutPrefix(value, MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_PREFIXES);
}

function withoutPrefix(value: Uint8Array, keyBytes: number, prefixes: readonly Uint8Array[]): Uint8Array | undefined {
  const prefix = prefixes.find(
    (known) => value.length === known.length + keyBytes && equalBytes(value.subarray(0, known.length), known),
  );
  return prefix === undefined ? undefined : Uint8Array.from(value.subarray(prefix.length));
}
