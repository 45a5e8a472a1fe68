/** The seven types of the CBOR profile (docs/format.md), as JavaScript values. */

/** Numbers are integers within ±(2^53-1). Maps keep the order of their encoding; keys may be of any type. */
export type CborValue =
  number | string | boolean | Uint8Array | readonly CborValue[] | ReadonlyMap<CborValue, CborValue>;

export type CborMap = ReadonlyMap<CborValue, CborValue>;

/** The outermost array or map has depth 1; a tag does not count; each embedded byte string is counted anew. */
export const MAX_CBOR_DEPTH = 8;

export function isCborMap(value: CborValue | undefined): value is CborMap {
  return value instanceof Map;
}

export function isCborArray(value: CborValue | undefined): value is readonly CborValue[] {
  return Array.isArray(value);
}

export function isCborBytes(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** What a value is, in words for a message: "a text", "an array". */
export function cborTypeInWords(value: CborValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return 'an integer';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return `the value ${String(value)}`;
  if (isCborBytes(value)) return 'a byte string';
  return isCborMap(value) ? 'a map' : 'an array';
}
