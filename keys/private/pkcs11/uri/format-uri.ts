/** The text of a PKCS#11 URI: of a parsed one, and of the one that means a token. */
import { utf8 } from '../../../../formats/bytes.ts';
import type { TokenDescription } from '../shared/token-description.ts';
import { TEXT_ATTRIBUTES, type Pkcs11Uri } from './uri.ts';

/** The URI's text in one fixed order; `parsePkcs11Uri` of it gives the same value again. */
export function formatPkcs11Uri(uri: Pkcs11Uri): string {
  const path: string[] = [];
  const query: string[] = [];
  for (const [name, property] of Object.entries(TEXT_ATTRIBUTES)) {
    const value = uri[property];
    if (value !== undefined) path.push(`${name}=${encodePercent(value, 'path')}`);
  }
  if (uri.libraryVersion !== undefined) path.push(`library-version=${uri.libraryVersion}`);
  if (uri.slotId !== undefined) path.push(`slot-id=${uri.slotId}`);
  if (uri.type !== undefined) path.push(`type=${uri.type}`);
  if (uri.id !== undefined) path.push(`id=${encodePercent(uri.id, 'all')}`);
  for (const { name, value } of uri.unknown) path.push(`${name}=${encodePercent(value, 'path')}`);
  if (uri.modulePath !== undefined) query.push(`module-path=${encodePercent(uri.modulePath, 'query')}`);
  if (uri.moduleName !== undefined) query.push(`module-name=${encodePercent(uri.moduleName, 'query')}`);
  if (uri.pinSourceFile !== undefined) query.push(`pin-source=file:${encodePercent(uri.pinSourceFile, 'query')}`);
  for (const { name, value } of uri.ignored) query.push(`${name}=${encodePercent(value, 'query')}`);
  return `pkcs11:${path.join(';')}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** The shortest URI that means this token among others of its module: label and serial, never the slot's number. */
export function uriOfToken(token: TokenDescription, modulePath: string): string {
  return formatPkcs11Uri({
    token: token.label,
    ...(token.serial === '' ? {} : { serial: token.serial }),
    unknown: [],
    ignored: [],
    modulePath,
  });
}

/** What stays as it is: fewer characters than the RFC allows, so that a URI can be pasted between single quotes. */
const KEPT: Readonly<Record<'all' | 'path' | 'query', RegExp>> = {
  all: /^$/,
  path: /^[A-Za-z0-9._~-]$/,
  query: /^[A-Za-z0-9._~/-]$/,
};

function encodePercent(value: string | Uint8Array, where: keyof typeof KEPT): string {
  let out = '';
  for (const byte of typeof value === 'string' ? utf8(value) : value) {
    const character = String.fromCharCode(byte);
    out += KEPT[where].test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
