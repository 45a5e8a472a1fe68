/** Files of public keys (section 11.2 of docs/format.md), and the override of a product's environment (11.3). */
import { ConfigurationInvalid, hex, importKey, shareComponent, type Key, type Trust } from './values.ts';

type FileReason = 'key_invalid' | 'json_malformed';
type FileKey = Omit<Key, 'purpose' | 'status'>;

class Refused {
  readonly reason: FileReason;

  constructor(reason: FileReason) {
    this.reason = reason;
  }
}

function need(holds: boolean, reason: FileReason = 'key_invalid'): void {
  // oxlint-disable-next-line only-throw-error
  if (!holds) throw new Refused(reason);
}

/** @returns the keys in their order, each once, or why the file is refused */
export function readKeys(file: Uint8Array): readonly FileKey[] | FileReason {
  try {
    need(file.length <= 1_048_576);
    const byKid = new Map(keysOf(file).map((key) => [key.kid, key]));
    const keys = [...byKid.values()];
    need(!shareComponent(keys));
    return keys;
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
}

const trimmed = (text: string): string => text.replaceAll(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');

function keysOf(file: Uint8Array): readonly FileKey[] {
  refusePrivate(new TextDecoder('utf-8', { ignoreBOM: true }).decode(file));
  // Latin-1, so that each byte is one character.
  const text = Buffer.from(file).toString('latin1');
  const [first = 0] = file;
  if (first >= 0x80 && first <= 0xbf) return [coseKey(hex(file))];
  if (/^0[^\t\n\r A-Za-z0-9+/=]/.test(text)) return paired(structures(hex(file)));
  const start = trimmed(text);
  if (start.startsWith('-----BEGIN')) return paired(pemBlocks(start).flatMap(oneStructure));
  if (start.startsWith('{')) return jwks(parseJson(file));
  return [keyOf(unbase64(text.replaceAll(/[\t\n\r ]/g, ''), 'base64'))];
}

/** Canonical base64 of RFC 4648 section 4, or of section 5 without padding. */
function unbase64(text: string, form: 'base64' | 'base64url'): Uint8Array {
  const bytes = Buffer.from(text, form);
  need(bytes.toString(form) === text);
  return Uint8Array.from(bytes);
}

function keyOf(raw: Uint8Array): FileKey {
  const key = importKey(raw.length === 32 ? 'ed25519' : 'ed25519+ml-dsa-65', raw);
  // oxlint-disable-next-line only-throw-error
  if (key === undefined) throw new Refused('key_invalid');
  return key;
}

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

const COSE_HEADS = [
  ['a301012006215820', 32],
  ['a301070371656432353531392b6d6c2d6473612d3635205907c0', 1984],
] as const;

function coseKey(file: string): FileKey {
  const [head = '', size = 0] = COSE_HEADS.find(([one]) => file.startsWith(one)) ?? [];
  const raw = fromHex(file.slice(head.length));
  need(size > 0 && raw.length === size);
  return keyOf(raw);
}

/** Section 11.1: the head of an SPKI → the bytes of its key. */
const SPKI_HEADS = [
  ['302a300506032b6570032100', 32],
  ['308207b2300b0609608648016503040312038207a100', 1952],
  ['308207d1300a06082b06010505070630038207c100', 1984],
] as const;

/** The SPKI structures of a DER file, in turn. */
function structures(der: string): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let rest = der; rest !== '';) {
    const [head = '', size = 0] = SPKI_HEADS.find(([one]) => rest.startsWith(one)) ?? [];
    const end = head.length + 2 * size;
    need(size > 0 && rest.length >= end);
    found.push(fromHex(rest.slice(head.length, end)));
    rest = rest.slice(end);
  }
  return found;
}

function oneStructure(der: Uint8Array): readonly Uint8Array[] {
  const found = structures(hex(der));
  need(found.length === 1);
  return found;
}

const BLOCK =
  /-----BEGIN PUBLIC KEY-----[\t ]*\r?\n((?:[A-Za-z0-9+/=\t ]*\r?\n)*)-----END PUBLIC KEY-----([\t\n\r ]*)/y;

/** @param text without blanks around it */
function pemBlocks(text: string): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < text.length;) {
    BLOCK.lastIndex = at;
    const [whole = '', body = '', gap = ''] = BLOCK.exec(text) ?? [];
    at += whole.length;
    need(whole !== '' && (at === text.length || gap.includes('\n')));
    found.push(unbase64(body.replaceAll(/[\t\n\r ]/g, ''), 'base64'));
  }
  return found;
}

/** An ML-DSA-65 key and the Ed25519 key right after it are one composite. */
function paired(parts: readonly Uint8Array[]): readonly FileKey[] {
  const keys: FileKey[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? new Uint8Array();
    if (part.length !== 1952) keys.push(keyOf(part));
    else {
      const next = parts[++i];
      need(next?.length === 32);
      keys.push(keyOf(Buffer.concat([part, next ?? new Uint8Array()])));
    }
  }
  return keys;
}

const PRIVATE_TEXT =
  /----[- ]BEGIN [^-\r\n]{0,64}PRIVATE|PuTTY-User-Key-File-|AGE-SECRET-KEY-|untrusted comment: [^\r\n]{0,128}secret key/i;
const PRIVATE_MEMBERS = new Set('d p q dp dq qi oth k priv'.split(' '));

function refusePrivate(text: string): void {
  need(!PRIVATE_TEXT.test(text) && !text.includes('-----BEGIN AGE ENCRYPTED FILE-----'));
  need(!text.startsWith('age-encryption.org/v'));
}

type Json = string | number | boolean | null | readonly Json[] | ReadonlyMap<string, Json>;

/** Strict JSON: `JSON.parse` judges the grammar, and this finds what it passes over. */
function parseJson(file: Uint8Array): Json {
  const malformed = (holds: boolean): void => need(holds, 'json_malformed');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
    JSON.parse(text);
  } catch {
    // oxlint-disable-next-line only-throw-error
    throw new Refused('json_malformed');
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
  const strings: string[] = [];
  const names: string[] = [];
  let at = 0;
  const string = (): string => {
    const value = JSON.parse(tokens[at++] ?? '""') as string;
    malformed(value.isWellFormed());
    strings.push(value);
    return value;
  };
  const value = (depth: number): Json => {
    const token = tokens[at] ?? '';
    if (token.startsWith('"')) return string();
    at++;
    if (token !== '{' && token !== '[') return JSON.parse(token) as Json;
    malformed(depth <= 64);
    const items: Json[] = [];
    const members = new Map<string, Json>();
    while (tokens[at] !== '}' && tokens[at] !== ']') {
      if (tokens[at] === ',') at++;
      if (token === '[') items.push(value(depth + 1));
      else {
        const name = string();
        malformed(!members.has(name));
        names.push(name);
        at++;
        members.set(name, value(depth + 1));
      }
    }
    at++;
    return token === '[' ? items : members;
  };
  const whole = value(1);
  need(!names.some((name) => PRIVATE_MEMBERS.has(name)));
  strings.forEach(refusePrivate);
  return whole;
}

function jwks(json: Json): readonly FileKey[] {
  const keys = json instanceof Map ? (json as ReadonlyMap<string, Json>).get('keys') : undefined;
  if (keys === undefined) return [jwk(json)];
  need(!(json as ReadonlyMap<string, Json>).has('kty'));
  const list = Array.isArray(keys) ? (keys as readonly Json[]) : [];
  need(list.length > 0);
  return list.map(jwk);
}

function jwk(json: Json): FileKey {
  const members = json instanceof Map ? (json as ReadonlyMap<string, Json>) : new Map<string, Json>();
  const [kty, crv, alg] = ['kty', 'crv', 'alg'].map((name) => members.get(name));
  const isEd25519 = kty === 'OKP' && crv === 'Ed25519';
  need(isEd25519 || (kty === 'AKP' && (alg === 'ed25519+ml-dsa-65' || alg === 'ML-DSA-65-Ed25519')));
  const text = members.get(isEd25519 ? 'x' : 'pub');
  const raw = unbase64(typeof text === 'string' ? text : '=', 'base64url');
  need(raw.length === (isEd25519 ? 32 : 1984));
  return keyOf(raw);
}

type Variables = Readonly<Record<string, string>>;

/** Section 11.3. @throws ConfigurationInvalid */
export function overridden(trust: Trust, variables: Variables, files: ReadonlyMap<string, Uint8Array>): Trust {
  try {
    return withOverride(trust, variables, files);
  } catch (error) {
    if (error instanceof Refused) throw new ConfigurationInvalid('a variable of the override is at fault');
    throw error;
  }
}

function withOverride(trust: Trust, variables: Variables, files: ReadonlyMap<string, Uint8Array>): Trust {
  const [ed25519 = '', mldsa65 = '', composite = ''] = [
    'LICENSE_PUBLIC_KEY',
    'LICENSE_MLDSA_PUBLIC_KEY',
    'LICENSE_REQUIRE_COMPOSITE',
  ].map((name) => trimmed(variables[name] ?? ''));
  need(composite === '' || composite === '1');
  const requireComposite = trust.requireComposite || composite === '1';
  if (ed25519 === '') {
    need(mldsa65 === '');
    return { ...trust, requireComposite };
  }
  const items = ed25519.split(',').map(trimmed);
  const others = mldsa65 === '' ? items.map(() => '') : mldsa65.split(',').map(trimmed);
  need(items.length === others.length);
  const given = items.map((item, i): Key => {
    const other = others[i] ?? '';
    const component = componentOf(item, 32, files);
    const key = keyOf(other === '' ? component : Buffer.concat([componentOf(other, 1952, files), component]));
    return trust.keys.get(key.kid) ?? { ...key, purpose: 'license', status: 'active' };
  });
  // Step 1: the components of all keys together.
  need(!shareComponent([...trust.keys.values(), ...given]));
  const kept = [...trust.keys.values()].filter(({ purpose }) => purpose !== 'license');
  return { ...trust, requireComposite, keys: new Map([...kept, ...given].map((key) => [key.kid, key])) };
}

/** One item of a variable: PEM, `file:PATH` or base64. */
function componentOf(item: string, size: 32 | 1952, files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  let text = item;
  if (item.startsWith('file:')) {
    const file = files.get(item.slice(5));
    need(file !== undefined && file.length <= 65_536);
    text = trimmed(Buffer.from(file ?? []).toString('latin1'));
  }
  const found = text.startsWith('-----BEGIN') ? pemBlocks(text).flatMap(oneStructure) : [unbase64(text, 'base64')];
  need(found.length === 1 && found[0]?.length === size);
  return found[0] ?? new Uint8Array();
}
