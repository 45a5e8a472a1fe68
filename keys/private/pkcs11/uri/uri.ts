/**
 * Parses PKCS#11 URIs (RFC 7512), which name tokens and keys.
 *
 * Stricter than the RFC where it leaves room: a PIN is refused however it is spelled (it does not belong in a file or
 * a command line), `pin-source` is `file:` with an absolute path and never a command, and a relative `module-path` is
 * refused.
 */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';

export type ObjectType = 'cert' | 'data' | 'private' | 'public' | 'secret-key';

/** An attribute that this toolkit does not know, decoded. */
export interface UnknownAttribute {
  readonly name: string;
  readonly value: string;
}

/** A parsed URI; an absent attribute matches everything. Frozen. */
export interface Pkcs11Uri {
  readonly token?: string;
  readonly manufacturer?: string;
  readonly serial?: string;
  readonly model?: string;
  readonly libraryManufacturer?: string;
  readonly libraryDescription?: string;
  /** "M.N"; a URI that says only "M" means "M.0" (RFC 7512 §2.3). */
  readonly libraryVersion?: string;
  readonly slotManufacturer?: string;
  readonly slotDescription?: string;
  readonly slotId?: number;
  /** CKA_LABEL */
  readonly object?: string;
  readonly type?: ObjectType;
  /** CKA_ID */
  readonly id?: Uint8Array;
  /** Path attributes that are not known: such a URI matches nothing (RFC 7512 §2.3). */
  readonly unknown: readonly UnknownAttribute[];
  /** An absolute path: a module, or with `moduleName` the folder that it is in. */
  readonly modulePath?: string;
  readonly moduleName?: string;
  /** The absolute path of `pin-source=file:`. */
  readonly pinSourceFile?: string;
  /** Query attributes that are not known, and are ignored. */
  readonly ignored: readonly UnknownAttribute[];
}

export const TEXT_ATTRIBUTES = {
  token: 'token',
  manufacturer: 'manufacturer',
  serial: 'serial',
  model: 'model',
  'library-manufacturer': 'libraryManufacturer',
  'library-description': 'libraryDescription',
  'slot-manufacturer': 'slotManufacturer',
  'slot-description': 'slotDescription',
  object: 'object',
} as const;

type TextAttribute = keyof typeof TEXT_ATTRIBUTES;

const OBJECT_TYPES: readonly string[] = ['cert', 'data', 'private', 'public', 'secret-key'];
const MAX_URI_CHARACTERS = 4096;
const EXAMPLE = 'write for example: pkcs11:token=NAME?module-path=/usr/lib/softhsm/libsofthsm2.so';
const MAX_SLOT_ID = Number.MAX_SAFE_INTEGER;

export type UriFault = 'usage' | 'configuration_invalid';

type Building = { -readonly [K in keyof Pkcs11Uri]?: Pkcs11Uri[K] };

/**
 * Reads a PKCS#11 URI.
 *
 * @param fault the code of what is thrown: `usage` for one of the command line, `configuration_invalid` for one of a
 *   file
 * @throws VtlicError with that code, its `place.field` the attribute at fault
 */
export function parsePkcs11Uri(text: string, fault: UriFault = 'configuration_invalid'): Pkcs11Uri {
  return new UriReader(fault).read(text);
}

class UriReader {
  readonly #fault: UriFault;

  constructor(fault: UriFault) {
    this.#fault = fault;
  }

  read(text: string): Pkcs11Uri {
    if (text.length > MAX_URI_CHARACTERS)
      throw this.#error(
        undefined,
        `a PKCS#11 URI should have at most ${MAX_URI_CHARACTERS} characters, but this one has ${text.length}`,
      );
    if (!/^pkcs11:/i.test(text)) throw this.#error(undefined, 'a PKCS#11 URI should begin with "pkcs11:"', EXAMPLE);
    const rest = text.slice('pkcs11:'.length);
    this.#refusePin(rest);
    const question = rest.indexOf('?');
    const uri: Building = {};
    this.#readPath(question === -1 ? rest : rest.slice(0, question), uri);
    this.#readQuery(question === -1 ? '' : rest.slice(question + 1), uri);
    return Object.freeze({ unknown: Object.freeze([]), ignored: Object.freeze([]), ...uri });
  }

  /**
   * Runs before anything is decoded or checked, so that no message can repeat a PIN. The RFC has `pin-value` in the
   * query; a PIN is looked for in every place and spelling in which somebody may have put one.
   */
  #refusePin(rest: string): void {
    const name = [rest, leniently(rest)]
      .flatMap((text) => text.split(/[;&?]/))
      .map((part) => part.slice(0, Math.max(0, part.indexOf('='))))
      .find(isPinName);
    if (name === undefined) return;
    throw this.#error(
      'pin-value',
      `the attribute ${cleanText(leniently(name), 40)} is refused: a PIN in a URI ends up in files, logs and ` +
        'process lists',
      'remove it; the PIN is asked for on the terminal, or taken from --secret or pin-source=file:/PATH',
    );
  }

  #readPath(path: string, uri: Building): void {
    const unknown: UnknownAttribute[] = [];
    for (const { name, raw } of this.#attributes(path, ';', true)) {
      if (isKnownQuery(name))
        throw this.#error(name, `the attribute ${name} of the PKCS#11 URI belongs behind the "?"`, EXAMPLE);
      const bytes = this.#decode(name, raw, PATH_CHARACTERS);
      if (name === 'id') uri.id = bytes;
      else this.#setPathAttribute(name, this.#text(name, bytes), uri, unknown);
    }
    uri.unknown = Object.freeze(unknown);
  }

  #setPathAttribute(name: string, value: string, uri: Building, unknown: UnknownAttribute[]): void {
    if (isTextAttribute(name)) uri[TEXT_ATTRIBUTES[name]] = value;
    else if (name === 'type') uri.type = this.#type(value);
    else if (name === 'slot-id') uri.slotId = this.#slotId(value);
    else if (name === 'library-version') uri.libraryVersion = this.#version(value);
    else unknown.push(Object.freeze({ name, value }));
  }

  #readQuery(query: string, uri: Building): void {
    const ignored: UnknownAttribute[] = [];
    for (const { name, raw } of this.#attributes(query, '&', false)) {
      const value = this.#text(name, this.#decode(name, raw, QUERY_CHARACTERS));
      if (name === 'module-path') uri.modulePath = this.#absolutePath(name, value);
      else if (name === 'module-name') uri.moduleName = this.#moduleName(value);
      else if (name === 'pin-source') uri.pinSourceFile = this.#pinSource(value);
      else ignored.push(Object.freeze({ name, value }));
    }
    uri.ignored = Object.freeze(ignored);
  }

  /** Splits a component. An attribute of another maker may come several times in the query, and nowhere else. */
  #attributes(component: string, separator: string, isPath: boolean): { name: string; raw: string }[] {
    if (component === '') return [];
    const seen = new Set<string>();
    return component.split(separator).map((part) => {
      const equals = part.indexOf('=');
      const name = equals === -1 ? part : part.slice(0, equals);
      if (!/^[A-Za-z0-9_-]+$/.test(name) || equals === -1) {
        throw this.#error(
          undefined,
          `a PKCS#11 URI should consist of NAME=VALUE parts with "${separator}" between them, ` +
            `but a part ${shownPart(name, equals)}`,
          EXAMPLE,
        );
      }
      if (seen.has(name) && (isPath || isKnownQuery(name)))
        throw this.#error(name, `the attribute ${name} comes more than once in the PKCS#11 URI`, 'leave one of them');
      seen.add(name);
      return { name, raw: part.slice(equals + 1) };
    });
  }

  #decode(name: string, raw: string, allowed: RegExp): Uint8Array {
    const decoded = percentDecoded(raw, allowed);
    if (typeof decoded !== 'string') return decoded;
    throw this.#error(
      name,
      `the attribute ${cleanText(name, 40)} of the PKCS#11 URI ${decoded}`,
      'write other characters as %XX, the two hex digits of each UTF-8 byte',
    );
  }

  #text(name: string, bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.#error(name, `the attribute ${cleanText(name, 40)} of the PKCS#11 URI is not UTF-8 text`);
    }
  }

  #type(value: string): ObjectType {
    if (OBJECT_TYPES.includes(value)) return value as ObjectType;
    throw this.#error(
      'type',
      `the attribute type of the PKCS#11 URI should be one of ${OBJECT_TYPES.join(', ')}, ` +
        `but is "${cleanText(value, 40)}"`,
    );
  }

  #slotId(value: string): number {
    const id = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
    if (id <= MAX_SLOT_ID) return id;
    throw this.#error(
      'slot-id',
      `the attribute slot-id of the PKCS#11 URI should be a whole number, but is "${cleanText(value, 40)}"`,
    );
  }

  #version(value: string): string {
    const match = /^([0-9]{1,3})(?:\.([0-9]{1,3}))?$/.exec(value);
    if (match !== null) return `${Number(match[1])}.${Number(match[2] ?? '0')}`;
    throw this.#error(
      'library-version',
      `the attribute library-version of the PKCS#11 URI should be M.N, but is "${cleanText(value, 40)}"`,
    );
  }

  #absolutePath(name: string, value: string): string {
    if (value.includes('\0')) throw this.#error(name, `the attribute ${name} of the PKCS#11 URI has a NUL byte`);
    if (value.startsWith('/')) return value;
    throw this.#error(
      name,
      `the attribute ${name} of the PKCS#11 URI should be an absolute path, but is "${cleanText(value)}"`,
      'write the whole path, from "/" on',
    );
  }

  #moduleName(value: string): string {
    if (/^[^/\0]+$/.test(value)) return value;
    throw this.#error(
      'module-name',
      'the attribute module-name of the PKCS#11 URI should be a name without "/"',
      'give a path with module-path',
    );
  }

  #pinSource(value: string): string {
    const hint = 'write pin-source=file:/PATH, with a file that only you can read';
    if (value.startsWith('|'))
      throw this.#error(
        'pin-source',
        'the attribute pin-source of the PKCS#11 URI names a command, and this program runs no command for a PIN',
        hint,
      );
    const match = /^file:(?:\/\/(?=\/))?(\/[^/].*)$/s.exec(value);
    if (match?.[1] === undefined)
      throw this.#error(
        'pin-source',
        'the attribute pin-source of the PKCS#11 URI should be file: with an absolute path',
        hint,
      );
    // Some programs decode the file URI inside the attribute once more and some do not: no path may depend on it.
    if (match[1].includes('%'))
      throw this.#error(
        'pin-source',
        'the path in the attribute pin-source of the PKCS#11 URI should not contain "%"',
        hint,
      );
    return this.#absolutePath('pin-source', match[1]);
  }

  #error(field: string | undefined, message: string, hint?: string): VtlicError {
    return new VtlicError(this.#fault, message, {
      ...(field === undefined ? {} : { field }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function isTextAttribute(name: string): name is TextAttribute {
  return Object.hasOwn(TEXT_ATTRIBUTES, name);
}

function isKnownQuery(name: string): boolean {
  return ['module-path', 'module-name', 'pin-source'].includes(name);
}

/** `pin-value`, and what people and other programs write for it. */
function isPinName(name: string): boolean {
  const plain = leniently(name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
  return /^(?:user|so)?pin(?:value)?$/.test(plain);
}

/** The text with each %XX decoded, and the result decoded once more; what cannot be decoded stays as it is. */
function leniently(text: string): string {
  const once = (encoded: string): string =>
    encoded.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return once(once(text));
}

/** Never the whole part: it may contain a secret that lost its name. */
function shownPart(name: string, equals: number): string {
  if (name === '') return equals === -1 ? 'is empty' : 'has no name';
  return equals === -1 ? 'has no "="' : `has the name "${cleanText(name, 40)}"`;
}

/** pk11-pchar without pct-encoded. */
const PATH_CHARACTERS: RegExp = /^[A-Za-z0-9._~:[\]@!$'()*+,=&-]$/;
/** pk11-qchar without pct-encoded. */
const QUERY_CHARACTERS: RegExp = /^[A-Za-z0-9._~:[\]@!$'()*+,=/?|-]$/;

/** The bytes of an encoded value, or what is wrong with it, to follow "the attribute X". */
function percentDecoded(raw: string, allowed: RegExp): Uint8Array | string {
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
