/**
 * Names CBOR that is not a public COSE_Key of this format. The walk reads only the labels of maps, and every encoding
 * of CBOR (RFC 8949), since other tools write keys in an order of their own: a private key must be called private all
 * the same.
 */
import { toHex } from './bytes.ts';
import { VtlicError } from './error.ts';

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
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
/** Label of the private or secret part by key type: RSA (RFC 8230), Symmetric (RFC 9053 §6), AKP (RFC 9964). */
const PRIVATE_LABELS: ReadonlyMap<number | undefined, number> = new Map([
  [3, -3],
  [4, -1],
  [7, -2],
]);
/** Of OKP and EC2 (RFC 9053 §7), and of a key whose type is another one or cannot be read. */
const OTHER_PRIVATE_LABEL = -4;
const AKP = 7;

interface FoundKey {
  readonly kty: number | undefined;
  /** With undefined for those that are no integer. */
  readonly labels: ReadonlySet<number | undefined>;
}

/** What to say of bytes that are no public COSE_Key of this format. */
export function explainCoseKey(bytes: Uint8Array): VtlicError {
  const walk = new LabelWalk(bytes);
  const head = walk.head();
  const inSet = head?.major === ARRAY;
  const keys = inSet ? walk.keysOfSet(head) : head?.major === MAP ? [walk.key(head)] : [];
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
  return labels.has(PRIVATE_LABELS.get(kty) ?? OTHER_PRIVATE_LABEL);
}

function moreMembers({ kty, labels }: FoundKey): readonly string[] {
  return [...COMMON_LABELS].flatMap(([label, name]) =>
    labels.has(label) && !(name === 'alg' && kty === AKP) ? [name] : [],
  );
}

interface Head {
  readonly major: number;
  /** Infinity: of indefinite length. */
  readonly argument: number;
}

/** Ends quietly where the bytes end or are no CBOR: what was read until then counts. */
class LabelWalk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next head; undefined at the end and at a break. One that is reserved is read like those before it. */
  head(): Head | undefined {
    const first = this.#next();
    if (first === undefined) return undefined;
    const from = ++this.#at;
    const [major, info] = [first >> 5, first & 31];
    if (info < 24) return { major, argument: info };
    if (info === 31) return { major, argument: Infinity };
    this.#at += 2 ** (info - 24);
    return { major, argument: Number(`0x${toHex(this.#bytes.subarray(from, this.#at))}`) };
  }

  keysOfSet({ argument }: Head): readonly FoundKey[] {
    const keys: FoundKey[] = [];
    for (let left = argument; left > 0; left--) {
      const head = this.head();
      if (head?.major !== MAP) break;
      keys.push(this.key(head));
    }
    return keys;
  }

  key({ argument }: Head): FoundKey {
    const labels = new Set<number | undefined>();
    let kty: number | undefined;
    for (let left = argument; left > 0 && this.#next() !== undefined; left--) {
      const label = this.#item(0);
      const value = this.#item(0);
      labels.add(label);
      if (label === KTY) kty = value;
    }
    this.#leave(argument);
    return { kty, labels };
  }

  /** The byte at the walk's place; undefined at the end and at a break. */
  #next(): number | undefined {
    const byte = this.#bytes[this.#at];
    return byte === BREAK ? undefined : byte;
  }

  /** Passes the break of an item of indefinite length. */
  #leave(argument: number): void {
    if (argument === Infinity) this.#at++;
  }

  /** Passes a whole item. @returns the value of an integer */
  #item(depth: number): number | undefined {
    const head = this.head();
    if (head === undefined || depth > MAX_DEPTH) {
      this.#at = this.#bytes.length;
      return undefined;
    }
    const { major, argument } = head;
    if (major === UNSIGNED) return argument;
    if (major === NEGATIVE) return -1 - argument;
    if (major === SIMPLE) return undefined;
    if ((major === BYTES || major === TEXT) && argument !== Infinity) {
      this.#at += argument;
      return undefined;
    }
    const items = major === TAG ? 1 : major === MAP ? 2 * argument : argument;
    for (let left = items; left > 0 && this.#next() !== undefined; left--) this.#item(depth + 1);
    this.#leave(argument);
    return undefined;
  }
}
