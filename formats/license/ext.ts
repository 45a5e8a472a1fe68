/** `ext`: the one place that a later version may add to. Profile values, in whose maps every key is an id. */
import { fromHex } from '../bytes.ts';
import {
  cborTypeInWords,
  CheckedReader,
  decodeTaggedCbor,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TEXT,
  MAJOR_UNSIGNED,
  SIMPLE_TRUE,
  type CborMap,
  type CborValue,
} from '../cbor/index.ts';
import { cleanText } from '../clean-text.ts';
import { VtlicError } from '../error.ts';
import { MAX_EXT_KEYS } from './bounds.ts';
import { isId } from './id.ts';
import { claimFault, ExtBytes, type ExtMap, type ExtValue } from './license.ts';

/**
 * The value of `ext`, built directly and frozen from its encoding: with maps and arrays of the decoder in between, a
 * license of nothing but small arrays would cost a hundred times another one.
 *
 * @param encoded an item that was checked by `decodeCbor`
 * @throws VtlicError `claims_malformed` for no map, no key, more than 64, or a key (at any depth) that is not an id
 */
export function decodeExt(encoded: Uint8Array): ExtMap {
  const reader = new CheckedReader(encoded);
  if (reader.head() !== MAJOR_MAP) {
    const { value } = decodeTaggedCbor(encoded, { shallow: true });
    throw claimFault('ext', `it should be a map, but it is ${cborTypeInWords(value)}`);
  }
  const { argument: keys } = reader;
  if (keys === 0) throw claimFault('ext', 'it should be left out where it is empty');
  if (keys > MAX_EXT_KEYS) throw claimFault('ext', `it should have at most ${MAX_EXT_KEYS} keys, but it has ${keys}`);
  return mapOf(reader, []);
}

/** Shared: a license of nothing but empty maps would otherwise cost a hundred times another one. */
const EMPTY_MAP: ExtMap = Object.freeze(Object.create(null) as Record<string, ExtValue>);
const EMPTY_ARRAY: readonly ExtValue[] = Object.freeze([]);

/** The keys and indexes that lead to a value. */
type Path = (string | number)[];

/** The map whose head was read. */
function mapOf(reader: CheckedReader, path: Path): ExtMap {
  const result: Record<string, ExtValue> = Object.create(null) as Record<string, ExtValue>;
  for (let left = reader.argument; left > 0; left--) {
    const key = reader.head() === MAJOR_TEXT ? reader.text() : undefined;
    if (key === undefined || !isId(key))
      throw claimFault(
        `ext${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')}`,
        `each of its keys should be an id, but ${key === undefined ? 'one' : `"${cleanText(key)}"`} is not`,
      );
    result[key] = valueOf(reader, path, key);
  }
  return Object.freeze(result);
}

/** The array whose head was read. */
function arrayOf(reader: CheckedReader, path: Path): readonly ExtValue[] {
  const { argument: length } = reader;
  const items: ExtValue[] = [valueOf(reader, path, 0)];
  for (let i = 1; i < length; i++) items.push(valueOf(reader, path, i));
  return Object.freeze(items);
}

function valueOf(reader: CheckedReader, path: Path, step: string | number): ExtValue {
  const major = reader.head();
  const { argument } = reader;
  switch (major) {
    case MAJOR_UNSIGNED:
      return argument;
    case MAJOR_NEGATIVE:
      return -1 - argument;
    case MAJOR_BYTES:
      return new ExtBytes(reader.hex());
    case MAJOR_TEXT:
      return reader.text();
    case MAJOR_ARRAY:
    case MAJOR_MAP: {
      if (argument === 0) return major === MAJOR_ARRAY ? EMPTY_ARRAY : EMPTY_MAP;
      path.push(step);
      const value = major === MAJOR_ARRAY ? arrayOf(reader, path) : mapOf(reader, path);
      path.pop();
      return value;
    }
    default:
      return argument === SIMPLE_TRUE;
  }
}

/** The reverse. It checks no bounds, since reading the result does; what CBOR cannot express is `internal`. */
export function extToCbor(ext: ExtMap): CborMap {
  const map = new Map<CborValue, CborValue>();
  for (const [key, value] of Object.entries(ext)) map.set(key, valueToCbor(value));
  return map;
}

function valueToCbor(value: ExtValue): CborValue {
  if (value instanceof ExtBytes) {
    const bytes = fromHex(value.hex);
    if (bytes === undefined) throw new VtlicError('internal', 'a byte string of ext is not in hex digits');
    return bytes;
  }
  if (typeof value !== 'object') return value;
  return isExtArray(value) ? value.map(valueToCbor) : extToCbor(value);
}

function isExtArray(value: readonly ExtValue[] | ExtMap): value is readonly ExtValue[] {
  return Array.isArray(value);
}
