/** The head of a CBOR item (RFC 8949 §3): a major type and an argument in its shortest form (§4.2.1). */

export const MAJOR_UNSIGNED = 0;
export const MAJOR_NEGATIVE = 1;
export const MAJOR_BYTES = 2;
export const MAJOR_TEXT = 3;
export const MAJOR_ARRAY = 4;
export const MAJOR_MAP = 5;
export const MAJOR_TAG = 6;

export const MAJOR_SIMPLE = 7;

/** The two simple values of the profile. */
export const SIMPLE_FALSE = 20;
export const SIMPLE_TRUE = 21;

/** Initial byte → 1 where it is an item by itself: a small integer, an empty string, false or true. */
export const WHOLE_ITEM_AT_THE_BOTTOM: Uint8Array = new Uint8Array(256)
  .fill(1, 0x00, 0x18)
  .fill(1, 0x20, 0x38)
  .fill(1, 0x40, 0x41)
  .fill(1, 0x60, 0x61)
  .fill(1, 0xf4, 0xf6);
/** The same for a level that may contain arrays and maps: empty ones are items by themselves too. */
export const WHOLE_ITEM: Uint8Array = WHOLE_ITEM_AT_THE_BOTTOM.slice().fill(1, 0x80, 0x81).fill(1, 0xa0, 0xa1);

/** How many bytes the head of an item with this argument has. */
export function headLength(argument: number): 1 | 2 | 3 | 5 | 9 {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < 0x1_0000_0000 ? 5 : 9;
}

export const MAX_HEAD_BYTES: number = headLength(Number.MAX_SAFE_INTEGER);

/**
 * Writes a head at `at`. There must be room for it.
 *
 * @param argument an integer from 0 to 2^53-1
 * @returns the offset behind the head
 */
export function writeHead(out: Uint8Array, at: number, major: number, argument: number): number {
  const first = major << 5;
  if (argument < 24) {
    out[at] = first | argument;
    return at + 1;
  }
  if (argument < 0x100) {
    out[at] = first | 24;
    out[at + 1] = argument;
    return at + 2;
  }
  if (argument < 0x1_0000) {
    out[at] = first | 25;
    out[at + 1] = argument >> 8;
    out[at + 2] = argument;
    return at + 3;
  }
  if (argument < 0x1_0000_0000) {
    out[at] = first | 26;
    return writeWord(out, at + 1, argument);
  }
  out[at] = first | 27;
  const low = writeWord(out, at + 1, Math.floor(argument / 0x1_0000_0000));
  return writeWord(out, low, argument % 0x1_0000_0000);
}

function writeWord(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

/**
 * Whether the encoded map key at `at` comes after the one in `bytes[from..to)` (RFC 8949 §4.2.1). One encoding never
 * begins another, so that a difference comes before either ends.
 *
 * @returns positive where it does, 0 where the keys are equal
 */
export function compareKeys(bytes: Uint8Array, from: number, to: number, at: number): number {
  for (let i = from, j = at; i < to; i++, j++) {
    const difference = (bytes[j] ?? 0) - (bytes[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A head as bytes of its own. */
export function encodeHead(major: number, argument: number): Uint8Array {
  const head = new Uint8Array(headLength(argument));
  writeHead(head, 0, major, argument);
  return head;
}

export interface ByteStringHead {
  /** Of the head itself. */
  readonly headBytes: number;
  /** Of the string behind it. */
  readonly length: number;
}

/**
 * Reads the head of a byte string at the start of `bytes`, which may end anywhere: for a CBOR sequence (RFC 8742) that
 * is read in pieces.
 *
 * @returns `incomplete` where more bytes are needed, `malformed` where no byte string of less than 4 GiB in
 *   deterministic form begins
 */
export function readByteStringHead(bytes: Uint8Array): ByteStringHead | 'incomplete' | 'malformed' {
  const [first] = bytes;
  if (first === undefined) return 'incomplete';
  const information = first & 31;
  if (first >> 5 !== MAJOR_BYTES || information > 26) return 'malformed';
  if (information < 24) return { headBytes: 1, length: information };
  const headBytes = 1 + (1 << (information - 24));
  if (bytes.length < headBytes) return 'incomplete';
  let length = 0;
  for (const byte of bytes.subarray(1, headBytes)) length = length * 256 + byte;
  return headLength(length) === headBytes ? { headBytes, length } : 'malformed';
}
