/** `ext`: the one place that a later version may add to. Profile values, in whose maps every key is an id. */
import { fromHex, toHex } from '../bytes.ts';
import { type CborMap, type CborValue, isCborBytes, isCborMap } from '../cbor/index.ts';
import { cleanText } from '../clean-text.ts';
import { VtlicError } from '../error.ts';
import { MAX_EXT_KEYS } from './bounds.ts';
import { isId } from './id.ts';
import { claimFault, ExtBytes, type ExtMap, type ExtValue } from './license.ts';

/** @throws VtlicError `claims_malformed` for no key, more than 64, or a key (at any depth) that is no id */
export function extFromCbor(map: CborMap): ExtMap {
  if (map.size === 0) throw claimFault('ext', 'it should be left out where it is empty');
  if (map.size > MAX_EXT_KEYS)
    throw claimFault('ext', `it should have at most ${MAX_EXT_KEYS} keys, but it has ${map.size}`);
  return mapFromCbor(map, undefined);
}

/** Where a value is. The text is made only for an error: of all values together it would cost more than the rest. */
interface Place {
  readonly parent: Place | undefined;
  readonly step: string | number;
}

/** Shared: a license of nothing but empty maps would otherwise cost a hundred times another one. */
const EMPTY_MAP: ExtMap = Object.freeze(Object.create(null) as Record<string, ExtValue>);
const EMPTY_ARRAY: readonly ExtValue[] = Object.freeze([]);

function mapFromCbor(map: CborMap, place: Place | undefined): ExtMap {
  const result: Record<string, ExtValue> = Object.create(null) as Record<string, ExtValue>;
  for (const [key, value] of map) {
    if (typeof key !== 'string' || !isId(key))
      throw claimFault(
        pathOf(place),
        `each of its keys should be an id, but ${typeof key === 'string' ? `"${cleanText(key)}"` : 'one'} is not`,
      );
    result[key] = valueFromCbor(value, place, key);
  }
  return Object.freeze(result);
}

function valueFromCbor(value: CborValue, parent: Place | undefined, step: string | number): ExtValue {
  if (typeof value !== 'object') return value;
  if (isCborBytes(value)) return new ExtBytes(toHex(value));
  if (isCborMap(value)) return value.size === 0 ? EMPTY_MAP : mapFromCbor(value, { parent, step });
  if (value.length === 0) return EMPTY_ARRAY;
  const place: Place = { parent, step };
  return Object.freeze(value.map((item, i) => valueFromCbor(item, place, i)));
}

function pathOf(place: Place | undefined): string {
  if (place === undefined) return 'ext';
  const { parent, step } = place;
  return `${pathOf(parent)}${typeof step === 'number' ? `[${step}]` : `.${step}`}`;
}

/** The way back. Bounds are for reading it again to find; what no CBOR value can hold is `internal`. */
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
