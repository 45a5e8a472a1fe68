/**
 * Names CBOR that is not a public COSE_Key of this format. The walk reads only the labels of maps, and every encoding
 * of CBOR (RFC 8949), since other tools write keys in an order of their own: a private key must be called private all
 * the same.
 */
import { VtlicError } from './error.ts';

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const BREAK = 0xff;
/** A COSE_Key has no deeper values. */
const MAX_DEPTH = 16;

const KTY = 1;
/** Labels that a key may have whatever its type (RFC 9052 §7.1), and alg, which the Ed25519 form has not. */
const COMMON_LABELS: ReadonlyMap<number, string> = new Map([
  [2, 'kid'],
  [3, 'alg'],
  [4, 'key_ops'],
  [5, 'Base IV'],
]);
/**
 * Label of the private or secret part by key type: OKP, EC2, RSA, Symmetric (RFC 9053 §7, RFC 8230), AKP (RFC 9964).
 */
const PRIVATE_LABELS: ReadonlyMap<number, number> = new Map([
  [1, -4],
  [2, -4],
  [3, -3],
  [4, -1],
  [7, -2],
]);
const OKP = 1;
const AKP = 7;

interface FoundKey {
  readonly kty: number | undefined;
  readonly labels: ReadonlySet<number>;
}

/** What to say of bytes that are no public COSE_Key of this format. */
export function explainCoseKey(bytes: Uint8Array): VtlicError {
  const walk = new LabelWalk(bytes);
  const inSet = walk.major() === ARRAY;
  const keys = inSet ? walk.keysOfSet() : walk.major() === MAP ? [walk.key()] : [];
  if (keys.some(holdsPrivatePart))
    return new VtlicError('key_invalid', 'this COSE_Key contains a private key, where a public key was expected', {
      hint: 'Give the public key (vtlic key export NAME), and keep this file secret.',
    });
  const [key] = keys;
  if (inSet && key !== undefined)
    return new VtlicError('key_invalid', 'this is a COSE_KeySet, where one COSE_Key was expected', {
      hint: 'Give each key in a file of its own.',
    });
  const form = 'exactly kty, crv, x (Ed25519) or kty, alg, pub (composite), deterministically encoded';
  const more = key === undefined ? [] : moreMembers(key);
  if (more.length > 0)
    return new VtlicError('key_invalid', `this COSE_Key should have ${form}, but it also has ${more.join(', ')}`, {
      hint: 'Export the key without them, or as SPKI PEM.',
    });
  return new VtlicError('key_invalid', `this is not a COSE_Key of an Ed25519 or composite public key: ${form}`);
}

function holdsPrivatePart({ kty, labels }: FoundKey): boolean {
  return labels.has(PRIVATE_LABELS.get(kty ?? OKP) ?? -4);
}

function moreMembers({ kty, labels }: FoundKey): readonly string[] {
  return [...COMMON_LABELS].flatMap(([label, name]) =>
    labels.has(label) && !(name === 'alg' && kty === AKP) ? [name] : [],
  );
}

interface Head {
  readonly major: number;
  /** Undefined: of indefinite length. */
  readonly value: number | undefined;
}

/** Ends quietly where the bytes end or are no CBOR: what was read until then counts. */
class LabelWalk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The major type of the next item; undefined at the end, and at the break of an indefinite length. */
  major(): number | undefined {
    const byte = this.#bytes[this.#at];
    return byte === undefined || byte === BREAK ? undefined : byte >> 5;
  }

  keysOfSet(): readonly FoundKey[] {
    const keys: FoundKey[] = [];
    let left = this.#head()?.value ?? Infinity;
    for (; left > 0 && this.major() === MAP; left--) keys.push(this.key());
    return keys;
  }

  key(): FoundKey {
    const labels = new Set<number>();
    let kty: number | undefined;
    let left = this.#head()?.value ?? Infinity;
    for (; left > 0 && this.major() !== undefined; left--) {
      const label = this.#integer();
      if (label !== undefined) labels.add(label);
      if (label === KTY && this.major() === UNSIGNED) kty = this.#integer();
      else if (!this.#skip(0)) break;
    }
    return { kty, labels };
  }

  /** Of an item that is none, undefined; the walk is behind it in both cases. */
  #integer(): number | undefined {
    const major = this.major();
    if (major !== UNSIGNED && major !== NEGATIVE) {
      this.#skip(0);
      return undefined;
    }
    const value = this.#head()?.value;
    return value === undefined ? undefined : major === UNSIGNED ? value : -1 - value;
  }

  #head(): Head | undefined {
    const first = this.#bytes[this.#at];
    if (first === undefined) return undefined;
    this.#at++;
    const info = first & 31;
    if (info < 24) return { major: first >> 5, value: info };
    if (info > 27) return info === 31 ? { major: first >> 5, value: undefined } : undefined;
    let value = 0;
    for (let i = 0; i < 2 ** (info - 24); i++) value = value * 256 + (this.#bytes[this.#at++] ?? 0);
    return { major: first >> 5, value };
  }

  /** @returns whether the walk is behind a whole item */
  #skip(depth: number): boolean {
    const head = this.#head();
    if (head === undefined || depth > MAX_DEPTH) return false;
    const { major, value } = head;
    if ((major === BYTES || major === TEXT) && value !== undefined) {
      this.#at += value;
      return this.#at <= this.#bytes.length;
    }
    if (major === TAG) return this.#skip(depth + 1);
    const isContainer =
      major === ARRAY || major === MAP || (value === undefined && (major === BYTES || major === TEXT));
    if (!isContainer) return value !== undefined;
    let left = value === undefined ? Infinity : major === MAP ? 2 * value : value;
    for (; left > 0; left--) {
      if (value === undefined && this.#bytes[this.#at] === BREAK) {
        this.#at++;
        return true;
      }
      if (!this.#skip(depth + 1)) return false;
    }
    return true;
  }
}
