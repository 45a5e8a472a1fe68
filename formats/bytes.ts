/** Plain byte work that every room needs. All results are fresh arrays. */

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/**
 * A copy of `bytes[from..to)` that is a plain `Uint8Array`: a Node `Buffer` is a `Uint8Array` too, but its own `slice`
 * shares memory.
 */
export function copyBytes(bytes: Uint8Array, from: number = 0, to: number = bytes.length): Uint8Array {
  const copy = new Uint8Array(to - from);
  copy.set(bytes.subarray(from, to));
  return copy;
}

/** Equality of public bytes; not constant time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Bytewise lexicographic order, a prefix before what it begins (RFC 8949 §4.2.1): the end comes before each byte. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; ; i++) {
    const difference = (a[i] ?? -1) - (b[i] ?? -1);
    if (difference !== 0 || i === a.length) return difference;
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return hexOf(bytes, 0, bytes.length);
}

/** `bytes[from..to)` in lower-case hex. */
export function hexOf(bytes: Uint8Array, from: number, to: number): string {
  let out = '';
  for (let i = from; i < to; i++) out += HEX[bytes[i] ?? 0] ?? '';
  return out;
}

/** Bytes of an even number of hex digits in either case; undefined for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = digitOf(text.charCodeAt(2 * i));
    const low = digitOf(text.charCodeAt(2 * i + 1));
    if ((high | low) < 0) return undefined;
    out[i] = (high << 4) | low;
  }
  return out;
}

/** Negative for what is not a hex digit. */
function digitOf(code: number): number {
  if (code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The offset of the first character in `bytes[from..to)` that is not valid UTF-8 (RFC 3629), or -1 where all are. */
export function utf8FaultAt(bytes: Uint8Array, from: number = 0, to: number = bytes.length): number {
  let at = from;
  while (at < to) {
    const first = bytes[at] ?? 0;
    if (first < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(first);
    if (length === 0 || at + length > to) return at;
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i] ?? 0;
      const [low, high] = i === 1 ? secondByteRange(first) : CONTINUATION;
      if (next < low || next > high) return at;
    }
    at += length;
  }
  return -1;
}

const CONTINUATION: readonly [number, number] = [0x80, 0xbf];

function sequenceLength(first: number): 0 | 2 | 3 | 4 {
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** Narrower after some first bytes: overlong forms, surrogates, and what lies beyond U+10FFFF. */
function secondByteRange(first: number): readonly [number, number] {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  if (first === 0xf4) return [0x80, 0x8f];
  return CONTINUATION;
}
