/** Two kinds of identifier: the ids that people choose, and the license id (UUID version 7, RFC 9562 §5.7). */
import { fromHex, utf8 } from '../bytes.ts';
import { VtlicError } from '../error.ts';
import { MAX_ID_CHARACTERS } from './bounds.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const UUID_BYTES = 16;

const LETTER_OR_DIGIT = 1;
const MARK = 2;

/** By code unit: faster than a pattern, and each verification tests a dozen ids. */
const CHARACTER: Uint8Array = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
  CHARACTER[character.charCodeAt(0)] = LETTER_OR_DIGIT;
for (const character of '._:-') CHARACTER[character.charCodeAt(0)] = MARK;

/** True for `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`: issuers, customers, products, tiers, features, limits, deployments. */
export function isId(text: string): boolean {
  const { length } = text;
  if (length < 1 || length > MAX_ID_CHARACTERS || CHARACTER[text.charCodeAt(0)] !== LETTER_OR_DIGIT) return false;
  for (let i = 1; i < length; i++) if ((CHARACTER[text.charCodeAt(i)] ?? 0) === 0) return false;
  return true;
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
  const high = (i: number): number => DIGITS[(bytes[i] ?? 0) >> 4] ?? 0;
  const low = (i: number): number => DIGITS[(bytes[i] ?? 0) & 15] ?? 0;
  // In one call: a third of the time that joining parts takes, and a ledger has one in every other entry.
  return String.fromCharCode(
    high(0),
    low(0),
    high(1),
    low(1),
    high(2),
    low(2),
    high(3),
    low(3),
    HYPHEN,
    high(4),
    low(4),
    high(5),
    low(5),
    HYPHEN,
    high(6),
    low(6),
    high(7),
    low(7),
    HYPHEN,
    high(8),
    low(8),
    high(9),
    low(9),
    HYPHEN,
    high(10),
    low(10),
    high(11),
    low(11),
    high(12),
    low(12),
    high(13),
    low(13),
    high(14),
    low(14),
    high(15),
    low(15),
  );
}

const HYPHEN = 0x2d;
const DIGITS: Uint8Array = utf8('0123456789abcdef');

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
  view.setUint16(0, Math.floor(nowMs / 2 ** 32));
  view.setUint32(2, nowMs % 2 ** 32);
  bytes.set(random, 6);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return uuidFromBytes(bytes);
}
