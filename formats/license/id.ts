/** Two kinds of identifier: the ids that people choose, and the license id (UUID version 7, RFC 9562 §5.7). */
import { fromHex, hexOf } from '../bytes.ts';
import { VtlicError } from '../error.ts';
import { MAX_ID_CHARACTERS } from './bounds.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const UUID_BYTES = 16;

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/;

/**
 * True for `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`: issuers, customers, products, tiers, features, limits, deployments. A
 * caller without types may give anything.
 */
export function isId(text: unknown): boolean {
  return typeof text === 'string' && text.length <= MAX_ID_CHARACTERS && ID.test(text);
}

/** True for the text of a lineage: three or four ids, with a slash between them. */
export function isLineage(text: string): boolean {
  const parts = text.split('/');
  return (parts.length === 3 || parts.length === 4) && parts.every(isId);
}

/** True for 16 bytes with the version 7 and the variant of RFC 9562. */
export function isUuidV7Bytes(bytes: Uint8Array): boolean {
  return bytes.length === UUID_BYTES && (bytes[6] ?? 0) >> 4 === 7 && (bytes[8] ?? 0) >> 6 === 2;
}

/** The lower-case text of 16 bytes, of whatever version: `0192f3a1-…`. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== UUID_BYTES)
    throw new VtlicError('internal', `a UUID has ${UUID_BYTES} bytes, not ${bytes.length}`);
  const part = (from: number, to: number): string => hexOf(bytes, from, to);
  return `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}-${part(8, 10)}-${part(10, 16)}`;
}

/** The 16 bytes of a version 7 UUID in lower-case text; undefined for any other text. */
export function uuidToBytes(text: string): Uint8Array | undefined {
  return UUID_V7.test(text) ? fromHex(text.replaceAll('-', '')) : undefined;
}

/**
 * A new version 7 UUID.
 *
 * @param nowMs milliseconds since 1970, 0 … 2^48-1
 * @param random 10 random bytes, of which 74 bits are used
 */
export function makeUuidV7(nowMs: number, random: Uint8Array): string {
  if (!Number.isInteger(nowMs) || nowMs < 0 || nowMs >= 2 ** 48)
    throw new VtlicError('internal', `a UUID wants whole milliseconds since 1970, not ${nowMs}`);
  if (random.length !== 10) throw new VtlicError('internal', `a UUID wants 10 random bytes, not ${random.length}`);
  const bytes = new Uint8Array(UUID_BYTES);
  const view = new DataView(bytes.buffer);
  // Of a number that is too large or no integer, both write the lowest bits before the point.
  view.setUint16(0, nowMs / 2 ** 32);
  view.setUint32(2, nowMs);
  bytes.set(random, 6);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return uuidFromBytes(bytes);
}
