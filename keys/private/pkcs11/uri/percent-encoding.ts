/** Percent-encoding as RFC 7512 §2.3 allows it in the path and the query of a PKCS#11 URI. */
import { utf8 } from '../../../../formats/bytes.ts';

/** pk11-pchar without pct-encoded. */
export const PATH_CHARACTERS: RegExp = /^[A-Za-z0-9._~:[\]@!$'()*+,=&-]$/;
/** pk11-qchar without pct-encoded. */
export const QUERY_CHARACTERS: RegExp = /^[A-Za-z0-9._~:[\]@!$'()*+,=/?|-]$/;

/** The bytes of an encoded value, or what is wrong with it, to follow "the attribute X". */
export function percentDecoded(raw: string, allowed: RegExp): Uint8Array | string {
  const out: number[] = [];
  for (let i = 0; i < raw.length;) {
    const character = raw[i] ?? '';
    if (character === '%') {
      const digits = raw.slice(i + 1, i + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return 'has a "%" that is not followed by two hex digits';
      out.push(Number.parseInt(digits, 16));
      i += 3;
    } else {
      if (!allowed.test(character)) return 'has a character that should be percent-encoded';
      out.push(character.charCodeAt(0));
      i += 1;
    }
  }
  return Uint8Array.from(out);
}

/** What stays as it is: fewer characters than the RFC allows, so that a URI can be pasted between single quotes. */
const KEPT: Readonly<Record<'all' | 'path' | 'query', RegExp>> = {
  all: /^$/,
  path: /^[A-Za-z0-9._~-]$/,
  query: /^[A-Za-z0-9._~/-]$/,
};

export function encodePercent(value: string | Uint8Array, where: keyof typeof KEPT): string {
  let out = '';
  for (const byte of typeof value === 'string' ? utf8(value) : value) {
    const character = String.fromCharCode(byte);
    out += KEPT[where].test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
