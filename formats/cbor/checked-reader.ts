import { hexOf } from '../bytes.ts';
import { decodeUtf8 } from './text.ts';

/**
 * Reads the items of bytes that `decodeCbor` has checked, one head after the other, and checks nothing again: for those
 * who build values of their own from a part of a document (`encoded` of `CborDecodeOptions`).
 *
 * ```ts
 * const major = reader.head();
 * if (major === MAJOR_TEXT) return reader.text();
 * if (major === MAJOR_ARRAY) for (let left = reader.argument; left > 0; left--) items.push(next());
 * ```
 */
export class CheckedReader {
  /** Of the last head: the value of an integer, the length of a string, array or map, the number of a simple value. */
  argument = 0;
  private offset = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @returns the major type */
  head(): number {
    const initial = this.byte();
    let argument = initial & 31;
    if (argument > 23) {
      const end = this.offset + (1 << (argument - 24));
      for (argument = 0; this.offset < end;) argument = argument * 256 + this.byte();
    }
    this.argument = argument;
    return initial >> 5;
  }

  /** The content of a byte string, whose head was read, as lower-case hex digits. */
  hex(): string {
    const from = this.offset;
    this.offset += this.argument;
    return hexOf(this.bytes, from, this.offset);
  }

  /** The content of a text, whose head was read. */
  text(): string {
    const from = this.offset;
    this.offset += this.argument;
    return decodeUtf8(this.bytes, from, this.offset);
  }

  private byte(): number {
    return this.bytes[this.offset++] ?? 0;
  }
}
