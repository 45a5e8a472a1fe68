/**
 * Base64 and base64url (RFC 4648 §4 and §5), canonical spellings only.
 *
 * Written out by table so that it runs the same in every JavaScript engine.
 */
import { utf8 } from './bytes.ts';

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Byte → its six bits, or -1: with a negative in it, the bitwise or of four entries is negative. */
function valuesOf(alphabet: string): Int8Array {
  return Int8Array.from({ length: 256 }, (_, byte) => alphabet.indexOf(String.fromCharCode(byte)));
}

const STANDARD_VALUES = valuesOf(STANDARD);
const URL_SAFE_VALUES = valuesOf(URL_SAFE);
const PAD = 0x3d;

/** Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return padded(bytes, STANDARD);
}

/** Base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return padded(bytes, URL_SAFE).replaceAll('=', '');
}

const decoder = new TextDecoder();

/** Padded length. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

/**
 * Writes the padded base64 of `source[start..end)` into `target` from `at`, which must have room.
 *
 * @returns the offset in `target` behind the last character written
 */
export function encodeBase64Into(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  return encodeInto(STANDARD, source, start, end, target, at);
}

function padded(bytes: Uint8Array, alphabet: string): string {
  const target = new Uint8Array(base64Length(bytes.length));
  encodeInto(alphabet, bytes, 0, bytes.length, target, 0);
  return decoder.decode(target);
}

function encodeInto(
  alphabet: string,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  const whole = end - ((end - start) % 3);
  let to = at;
  for (let i = start; i < whole; i += 3) {
    const group = (byteAt(source, i) << 16) | (byteAt(source, i + 1) << 8) | byteAt(source, i + 2);
    target[to] = alphabet.charCodeAt(group >> 18);
    target[to + 1] = alphabet.charCodeAt((group >> 12) & 63);
    target[to + 2] = alphabet.charCodeAt((group >> 6) & 63);
    target[to + 3] = alphabet.charCodeAt(group & 63);
    to += 4;
  }
  if (whole === end) return to;
  const isOneByte = whole + 1 === end;
  const first = byteAt(source, whole);
  const second = isOneByte ? 0 : byteAt(source, whole + 1);
  target[to] = alphabet.charCodeAt(first >> 2);
  target[to + 1] = alphabet.charCodeAt(((first & 3) << 4) | (second >> 4));
  target[to + 2] = isOneByte ? PAD : alphabet.charCodeAt((second & 15) << 2);
  target[to + 3] = PAD;
  return to + 4;
}

/** The default is for the compiler: the callers stay within `source`. */
function byteAt(source: Uint8Array, offset: number): number {
  return source[offset] ?? 0;
}

/** The bytes of canonical base64: padded, unused bits zero, nothing else in it; undefined for any other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const source = utf8(text);
  const target = new Uint8Array(source.length);
  const end = decodeBase64Into(source, 0, source.length, target, 0);
  return end === undefined ? undefined : target.slice(0, end);
}

/**
 * Decodes the base64 characters `source[start..end)` into `target` from `at`, which must have room.
 *
 * @returns the offset in `target` behind the last byte written; undefined where the characters are not canonical padded
 *   base64 (the length is not a multiple of four, a strange character, padding elsewhere than at the end, unused bits
 *   that are not zero).
 */
export function decodeBase64Into(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number | undefined {
  if ((end - start) % 4 !== 0) return undefined;
  const padded = end > start && source[end - 1] === PAD;
  const whole = padded ? end - 4 : end;
  let to = at;
  for (let i = start; i < whole; i += 4) {
    const group =
      (valueAt(STANDARD_VALUES, source, i) << 18) |
      (valueAt(STANDARD_VALUES, source, i + 1) << 12) |
      (valueAt(STANDARD_VALUES, source, i + 2) << 6) |
      valueAt(STANDARD_VALUES, source, i + 3);
    if (group < 0) return undefined;
    target[to] = group >> 16;
    target[to + 1] = group >> 8;
    target[to + 2] = group;
    to += 3;
  }
  if (!padded) return to;
  return decodeTail(STANDARD_VALUES, source, whole, source[end - 2] === PAD, target, to);
}

/** The bytes of base64url without padding, unused bits zero; undefined for any other text. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const source = utf8(text);
  const tail = source.length % 4;
  if (tail === 1) return undefined;
  const whole = source.length - tail;
  const target = new Uint8Array((whole / 4) * 3 + (tail === 0 ? 0 : tail - 1));
  let to = 0;
  for (let i = 0; i < whole; i += 4) {
    const group =
      (valueAt(URL_SAFE_VALUES, source, i) << 18) |
      (valueAt(URL_SAFE_VALUES, source, i + 1) << 12) |
      (valueAt(URL_SAFE_VALUES, source, i + 2) << 6) |
      valueAt(URL_SAFE_VALUES, source, i + 3);
    if (group < 0) return undefined;
    target[to] = group >> 16;
    target[to + 1] = group >> 8;
    target[to + 2] = group;
    to += 3;
  }
  if (tail === 0) return target;
  return decodeTail(URL_SAFE_VALUES, source, whole, tail === 2, target, to) === undefined ? undefined : target;
}

function valueAt(values: Int8Array, source: Uint8Array, offset: number): number {
  return values[source[offset] ?? 0] ?? -1;
}

/** The last two or three characters, which encode one byte or two, and then bits that must be zero. */
function decodeTail(
  values: Int8Array,
  source: Uint8Array,
  from: number,
  isOneByte: boolean,
  target: Uint8Array,
  at: number,
): number | undefined {
  const first = valueAt(values, source, from);
  const second = valueAt(values, source, from + 1);
  const third = isOneByte ? 0 : valueAt(values, source, from + 2);
  const unused = isOneByte ? second & 15 : third & 3;
  if ((first | second | third) < 0 || unused !== 0) return undefined;
  target[at] = (first << 2) | (second >> 4);
  if (isOneByte) return at + 1;
  target[at + 1] = (second << 4) | (third >> 2);
  return at + 2;
}
