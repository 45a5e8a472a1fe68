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
  const values = new Int8Array(256).fill(-1);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

const STANDARD_VALUES = valuesOf(STANDARD);
const URL_SAFE_VALUES = valuesOf(URL_SAFE);
const PAD = 0x3d;

/** Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return padded(bytes, STANDARD_CHARACTERS);
}

/** Base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return padded(bytes, URL_SAFE_CHARACTERS).replace(/=+$/, '');
}

const STANDARD_CHARACTERS = utf8(STANDARD);
const URL_SAFE_CHARACTERS = utf8(URL_SAFE);
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
  return encodeInto(STANDARD_CHARACTERS, source, start, end, target, at);
}

function padded(bytes: Uint8Array, characters: Uint8Array): string {
  const target = new Uint8Array(base64Length(bytes.length));
  encodeInto(characters, bytes, 0, bytes.length, target, 0);
  return decoder.decode(target);
}

function encodeInto(
  characters: Uint8Array,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  const whole = end - ((end - start) % 3);
  let to = at;
  for (let i = start; i < whole; i += 3) {
    const group = ((source[i] ?? 0) << 16) | ((source[i + 1] ?? 0) << 8) | (source[i + 2] ?? 0);
    target[to] = characters[group >> 18] ?? 0;
    target[to + 1] = characters[(group >> 12) & 63] ?? 0;
    target[to + 2] = characters[(group >> 6) & 63] ?? 0;
    target[to + 3] = characters[group & 63] ?? 0;
    to += 4;
  }
  if (whole === end) return to;
  const first = source[whole] ?? 0;
  const second = whole + 1 < end ? (source[whole + 1] ?? 0) : undefined;
  target[to] = characters[first >> 2] ?? 0;
  target[to + 1] = characters[((first & 3) << 4) | ((second ?? 0) >> 4)] ?? 0;
  target[to + 2] = second === undefined ? PAD : (characters[(second & 15) << 2] ?? 0);
  target[to + 3] = PAD;
  return to + 4;
}

/** The bytes of canonical base64: padded, unused bits zero, nothing else in it; undefined for any other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const source = utf8(text);
  const target = new Uint8Array(Math.floor(source.length / 4) * 3);
  const end = decodeBase64Into(source, 0, source.length, target, 0);
  return end < 0 ? undefined : target.slice(0, end);
}

/**
 * Decodes the base64 characters `source[start..end)` into `target` from `at`, which must have room.
 *
 * @returns the offset in `target` behind the last byte written, or -1 where the characters are not canonical padded
 *   base64 (the length is not a multiple of four, a strange character, padding elsewhere than at the end, unused bits
 *   that are not zero).
 */
export function decodeBase64Into(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  if ((end - start) % 4 !== 0) return -1;
  const padded = end > start && source[end - 1] === PAD;
  const whole = padded ? end - 4 : end;
  let to = at;
  for (let i = start; i < whole; i += 4) {
    const group =
      (valueAt(STANDARD_VALUES, source, i) << 18) |
      (valueAt(STANDARD_VALUES, source, i + 1) << 12) |
      (valueAt(STANDARD_VALUES, source, i + 2) << 6) |
      valueAt(STANDARD_VALUES, source, i + 3);
    if (group < 0) return -1;
    target[to] = group >> 16;
    target[to + 1] = group >> 8;
    target[to + 2] = group;
    to += 3;
  }
  if (!padded) return to;
  return decodeTail(STANDARD_VALUES, source, whole, source[end - 2] === PAD ? 2 : 3, target, to);
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
  if (tail !== 0 && decodeTail(URL_SAFE_VALUES, source, whole, tail === 2 ? 2 : 3, target, to) < 0) return undefined;
  return target;
}

function valueAt(values: Int8Array, source: Uint8Array, offset: number): number {
  return values[source[offset] ?? 0] ?? -1;
}

/** The last two or three characters, which encode one or two bytes and then bits that must be zero. */
function decodeTail(
  values: Int8Array,
  source: Uint8Array,
  from: number,
  characters: 2 | 3,
  target: Uint8Array,
  at: number,
): number {
  const high = (valueAt(values, source, from) << 12) | (valueAt(values, source, from + 1) << 6);
  if (characters === 2) {
    if (high < 0 || (high & 0x3ff) !== 0) return -1;
    target[at] = high >> 10;
    return at + 1;
  }
  const group = high | valueAt(values, source, from + 2);
  if (group < 0 || (group & 3) !== 0) return -1;
  target[at] = group >> 10;
  target[at + 1] = group >> 2;
  return at + 2;
}
