/** Deterministic CBOR (RFC 8949 §4.2.1) of the profile's seven types. */
import { compareBytes } from '../bytes.ts';
import { VtlicError } from '../error.ts';
import {
  compareKeys,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_SIMPLE,
  MAJOR_TAG,
  MAJOR_TEXT,
  MAJOR_UNSIGNED,
  MAX_HEAD_BYTES,
  SIMPLE_FALSE,
  SIMPLE_TRUE,
  writeHead,
} from './head.ts';
import { isCborArray, isCborBytes, MAX_CBOR_DEPTH, type CborMap, type CborValue } from './value.ts';

const encoder = new TextEncoder();

/**
 * The one encoding of a value: shortest heads, map keys sorted bytewise by their encodings.
 *
 * @throws VtlicError `internal` for what the profile cannot say: a number that is not an integer within ±(2^53-1), a
 * lone surrogate, a repeated map key, arrays and maps nested deeper than 8. Input from outside is checked
 * before it comes here.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  return encoded((out) => {
    writeValue(out, value, 0);
  });
}

/** The same behind a tag, which the profile allows only at the very top. */
export function encodeTagged(tag: number, value: CborValue): Uint8Array {
  return encoded((out) => {
    out.head(MAJOR_TAG, tag);
    writeValue(out, value, 0);
  });
}

/** Most encodings are shorter; a longer one gets a buffer of its own. */
const SPARE_BYTES = 16_384;

/** What all encodings use one after the other. An encoding that is in progress, or that failed, has taken it. */
let spare: Uint8Array | undefined;

function encoded(write: (out: Output) => void): Uint8Array {
  const buffer = spare ?? new Uint8Array(SPARE_BYTES);
  spare = undefined;
  const out = new Output(buffer);
  write(out);
  spare = buffer;
  return out.finish();
}

/** Bytes that grow as they are written. */
class Output {
  private bytes: Uint8Array;
  private length = 0;

  constructor(buffer: Uint8Array) {
    this.bytes = buffer;
  }

  head(major: number, argument: number): void {
    this.reserve(MAX_HEAD_BYTES);
    this.length = writeHead(this.bytes, this.length, major, argument);
  }

  raw(part: Uint8Array): void {
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  /** Writes a text whose characters are all ASCII, head and all; writes nothing and returns false for any other. */
  ascii(text: string): boolean {
    const { length } = text;
    for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return false;
    this.head(MAJOR_TEXT, length);
    this.reserve(length);
    const { bytes } = this;
    let end = this.length;
    for (let i = 0; i < length; i++) bytes[end++] = text.charCodeAt(i);
    this.length = end;
    return true;
  }

  /**
   * Whether the keys' encodings are in strictly rising order, so that the map need not be sorted. Writes the encodings
   * behind the output to compare them, and discards them.
   */
  risingKeys(keys: Iterable<CborValue>, depth: number): boolean {
    const start = this.length;
    let previous: number | undefined;
    let rising = true;
    for (const key of keys) {
      const at = this.length;
      writeValue(this, key, depth);
      if (previous !== undefined && compareKeys(this.bytes, previous, at, at) <= 0) {
        rising = false;
        break;
      }
      previous = at;
    }
    this.length = start;
    return rising;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + count));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

function writeValue(out: Output, value: CborValue, depth: number): void {
  if (typeof value === 'number') writeInteger(out, value);
  else if (typeof value === 'string') writeText(out, value);
  else if (typeof value === 'boolean') out.head(MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
  else if (isCborBytes(value)) {
    out.head(MAJOR_BYTES, value.length);
    out.raw(value);
  } else if (isCborArray(value)) {
    const inner = deeper(depth);
    out.head(MAJOR_ARRAY, value.length);
    for (const item of value) writeValue(out, item, inner);
  } else writeMap(out, value, deeper(depth));
}

function writeInteger(out: Output, value: number): void {
  if (!Number.isSafeInteger(value))
    throw new VtlicError('internal', `a number that is not an integer within ±(2^53-1) was to be encoded: ${value}`);
  if (value < 0) out.head(MAJOR_NEGATIVE, -1 - value);
  else out.head(MAJOR_UNSIGNED, value);
}

function writeText(out: Output, value: string): void {
  if (out.ascii(value)) return;
  if (!value.isWellFormed()) throw new VtlicError('internal', 'a text with a lone surrogate was to be encoded');
  const bytes = encoder.encode(value);
  out.head(MAJOR_TEXT, bytes.length);
  out.raw(bytes);
}

function writeMap(out: Output, map: CborMap, depth: number): void {
  if (out.risingKeys(map.keys(), depth)) {
    out.head(MAJOR_MAP, map.size);
    for (const [key, value] of map) {
      writeValue(out, key, depth);
      writeValue(out, value, depth);
    }
  } else {
    writeSorted(out, map, depth);
  }
}

function writeSorted(out: Output, map: CborMap, depth: number): void {
  const pairs: { readonly key: Uint8Array; readonly value: CborValue }[] = [];
  for (const [key, value] of map) {
    const bytes = encoded((output) => {
      writeValue(output, key, depth);
    });
    pairs.push({ key: bytes, value });
  }
  pairs.sort((a, b) => compareBytes(a.key, b.key));
  out.head(MAJOR_MAP, pairs.length);
  let previous: Uint8Array | undefined;
  for (const { key, value } of pairs) {
    if (previous !== undefined && compareBytes(previous, key) === 0)
      throw new VtlicError('internal', 'a map with a repeated key was to be encoded');
    previous = key;
    out.raw(key);
    writeValue(out, value, depth);
  }
}

function deeper(depth: number): number {
  if (depth === MAX_CBOR_DEPTH)
    throw new VtlicError('internal', `arrays and maps nested deeper than ${MAX_CBOR_DEPTH} were to be encoded`);
  return depth + 1;
}
