/**
 * The second opinion on our own CBOR: what cbor-x, a decoder that others wrote, reads in the same bytes.
 *
 * By its pure entry: the main one would load a native addon (SECURITY.md, "Dependencies").
 */
import { Decoder, Tag } from 'cbor-x/index-no-eval';
import type { CborValue } from '../../formats/cbor/index.ts';

const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });

function same(ours: CborValue, theirs: unknown): boolean {
  if (typeof ours === 'number') return typeof theirs === 'bigint' ? BigInt(ours) === theirs : ours === theirs;
  if (typeof ours === 'string' || typeof ours === 'boolean') return ours === theirs;
  if (ours instanceof Uint8Array) return theirs instanceof Uint8Array && Buffer.compare(ours, theirs) === 0;
  if (ours instanceof Map) {
    if (!(theirs instanceof Map) || theirs.size !== ours.size) return false;
    const entries: unknown[] = [...theirs.entries()];
    return [...ours.entries()].every(([key, value], i) => {
      const entry: unknown = entries[i];
      return Array.isArray(entry) && same(key as CborValue, entry[0]) && same(value as CborValue, entry[1]);
    });
  }
  return (
    Array.isArray(ours) &&
    Array.isArray(theirs) &&
    ours.length === theirs.length &&
    ours.every((item, i) => same(item as CborValue, theirs[i]))
  );
}

/** True when cbor-x reads `bytes` as `ours`, an optional tag at the top included, to the last byte. */
export function secondDecoderAgrees(bytes: Uint8Array, ours: CborValue, tag?: number): boolean {
  let theirs: unknown;
  try {
    theirs = decoder.decode(bytes);
  } catch {
    return false;
  }
  if (tag === undefined) return same(ours, theirs);
  return theirs instanceof Tag && theirs.tag === tag && same(ours, theirs.value);
}
