/**
 * Strict decoder of the CBOR profile: each value has one encoding, and every other input is refused with its offset.
 *
 * The bytes are walked once, from the first to the last, and the first fault ends the parser. Within one item the
 * order is: the head (reserved additional information, truncation, indefinite length, shortest form), then what it
 * means (type, range, depth, a tag out of place), then the content. The order of a map key is judged when the key has
 * been read whole, before its value.
 */
import { copyBytes } from '../bytes.ts';
import { VtlicError } from '../error.ts';
import {
  compareKeys,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TAG,
  MAJOR_TEXT,
  MAJOR_UNSIGNED,
  SIMPLE_TRUE,
  WHOLE_ITEM,
  WHOLE_ITEM_AT_THE_BOTTOM,
} from './head.ts';
import { decodeUtf8, isUtf8 } from './text.ts';
import { MAX_CBOR_DEPTH, type CborMap, type CborValue } from './value.ts';

export interface CborDecodeOptions {
  /** Added to the offsets in errors: where `bytes` begins in what the caller's user sees. */
  readonly offsetBase?: number;
  /** Return byte strings as views of `bytes`. Nobody may write to `bytes` while they are used. */
  readonly views?: boolean;
  /**
   * The value of this text key of the outermost map is checked like all others, and its encoding takes its place, as
   * a view of `bytes`: for a value that its reader builds in another form (`CheckedReader`).
   */
  readonly encoded?: string;
}

export interface TaggedDecodeOptions {
  /**
   * The first item of the outermost array, where it is a byte string of at least one byte, is an encoded item itself
   * and is walked at its place: the protected header of a COSE structure, whose faults come before those of what
   * follows it.
   */
  readonly embeddedFirst?: boolean;
  /**
   * Everything is checked, but little is built: only the type of arrays and maps inside the outermost one, or inside
   * the map of the embedded item, and whether they are empty, can be relied on. The outermost ones are built where they
   * have at most 16 entries, and no structure that is read this way has more than four; of a longer array the length
   * is right, too. Building what nobody reads would let a file without any signature cost twenty times a valid license.
   */
  readonly shallow?: boolean;
}

export interface TaggedCbor {
  readonly tag: number | undefined;
  readonly value: CborValue;
  /** The value of the embedded first item; undefined if there is none, or if it was not asked for. */
  readonly embedded: CborValue | undefined;
}

/**
 * Reads one item that fills `bytes` and has no tag. Byte strings are fresh copies unless views are asked for.
 *
 * @throws VtlicError `cbor_malformed` (truncation, trailing bytes, additional information 28-30, a stray break,
 *   floats, null, undefined and other simple values, an integer beyond ±(2^53-1), invalid UTF-8, depth above 8, a tag)
 *   or `cbor_not_deterministic` (an argument not in its shortest form, an indefinite length, a map key unsorted or
 *   repeated); `place.offset` is the first byte of the item at fault, of the first trailing byte, or the end where an
 *   item is missing
 */
export function decodeCbor(bytes: Uint8Array, options?: CborDecodeOptions): CborValue {
  const parser = new Parser(bytes, options?.offsetBase ?? 0, options?.views === true ? VIEWS : COPIES);
  parser.encoded = options?.encoded;
  const value = parser.item(0, true);
  parser.end();
  return value;
}

/**
 * Reads one item that fills `bytes` and may have one tag at the very top, whatever its number. Errors as `decodeCbor`.
 *
 * Byte strings are views of one private copy of `bytes`: for the large strings of a signed file that is much cheaper
 * than a copy of each.
 */
export function decodeTaggedCbor(bytes: Uint8Array, options?: TaggedDecodeOptions): TaggedCbor {
  const parser = new Parser(copyBytes(bytes), 0, {
    copyStrings: false,
    embeddedFirst: options?.embeddedFirst === true,
    shallow: options?.shallow === true,
  });
  const tag = parser.topTag();
  const value = parser.item(0, true);
  parser.end();
  return { tag, value, embedded: parser.embedded };
}

const COPIES: ParserOptions = { copyStrings: true, embeddedFirst: false, shallow: false };
const VIEWS: ParserOptions = { copyStrings: false, embeddedFirst: false, shallow: false };

/**
 * Shared by all results: a file of nothing but empty items would otherwise cost more than ten times a valid license.
 */
const EMPTY_BYTES: Uint8Array = new Uint8Array();
const EMPTY_ARRAY: readonly CborValue[] = Object.freeze([]);
const EMPTY_MAP: CborMap = new Map();
/** Returned for values that are checked but not built. */
const NOT_BUILT = '';
const NOT_BUILT_ARRAY: readonly CborValue[] = Object.freeze([0]);
const NOT_BUILT_MAP: CborMap = new Map([[0, 0]]);
const MAX_SHALLOW_ENTRIES = 16;

interface ParserOptions {
  readonly copyStrings: boolean;
  readonly embeddedFirst: boolean;
  readonly shallow: boolean;
}

class Parser {
  embedded: CborValue | undefined = undefined;
  encoded: string | undefined = undefined;
  private offset = 0;
  private argument = 0;
  private readonly bytes: Uint8Array;
  private readonly base: number;
  private readonly options: ParserOptions;

  constructor(bytes: Uint8Array, base: number, options: ParserOptions) {
    this.bytes = bytes;
    this.base = base;
    this.options = options;
  }

  topTag(): number | undefined {
    const first = this.bytes[0];
    if (first === undefined || first >> 5 !== MAJOR_TAG) return undefined;
    this.head();
    return this.argument;
  }

  end(): void {
    const left = this.bytes.length - this.offset;
    if (left > 0)
      throw this.malformed(
        this.offset,
        `${left === 1 ? 'one byte follows' : `${left} bytes follow`} the end of the item`,
      );
  }

  /**
   * @param depth the number of arrays and maps around the item
   * @param build false: the item is checked, and of what is returned only the type of an array or a map is right, and
   *   whether it is empty
   */
  item(depth: number, build: boolean): CborValue {
    const start = this.offset;
    const major = this.head();
    const { argument } = this;
    switch (major) {
      case MAJOR_UNSIGNED:
        if (argument > Number.MAX_SAFE_INTEGER) throw this.outOfRange(start);
        return argument;
      case MAJOR_NEGATIVE:
        // Beyond 2^53 the argument is rounded, but never below the bound.
        if (argument > Number.MAX_SAFE_INTEGER - 1) throw this.outOfRange(start);
        return -1 - argument;
      case MAJOR_BYTES:
        return this.byteString(this.content(start, argument), build);
      case MAJOR_TEXT:
        return this.text(start, this.content(start, argument), build);
      case MAJOR_ARRAY:
        return this.array(start, argument, depth + 1, build);
      case MAJOR_MAP:
        return this.map(start, argument, depth + 1, build);
      case MAJOR_TAG:
        throw this.malformed(start, 'a tag is used elsewhere than at the top');
      default:
        return argument === SIMPLE_TRUE;
    }
  }

  /**
   * Reads a head, leaves its argument in `argument`, and returns its major type; of type 7 only `false` and `true`
   * pass.
   */
  private head(): number {
    const start = this.offset;
    const initial = this.bytes[start];
    if (initial === undefined) throw this.malformed(start, 'the bytes end where an item should begin');
    const information = initial & 31;
    if (initial >= 0xe0 && initial !== 0xf4 && initial !== 0xf5)
      throw this.malformed(start, typeSevenInWords(information));
    if (information < 24) {
      this.argument = information;
      this.offset = start + 1;
    } else {
      this.longHead(start, initial >> 5, information);
    }
    return initial >> 5;
  }

  private longHead(start: number, major: number, information: number): void {
    const { bytes } = this;
    if (information === 31 && major >= MAJOR_BYTES && major <= MAJOR_MAP)
      throw this.notDeterministic(start, 'an indefinite length is used');
    if (information > 27) throw this.malformed(start, `the reserved additional information ${information} is used`);
    const size = 1 << (information - 24);
    if (start + 1 + size > bytes.length) throw this.malformed(start, 'the bytes end within the head of an item');
    let argument = 0;
    for (let i = start + 1; i <= start + size; i++) argument = argument * 256 + (bytes[i] ?? 0);
    if (argument < (size === 1 ? 24 : 256 ** (size / 2)))
      throw this.notDeterministic(start, `${ARGUMENT_OF[major] ?? 'an argument'} is not in its shortest form`);
    this.argument = argument;
    this.offset = start + 1 + size;
  }

  /** Steps over the content of a string and returns where it begins. */
  private content(start: number, length: number): number {
    const from = this.offset;
    if (length > this.bytes.length - from)
      throw this.malformed(start, `a string should have ${length} bytes, but ${this.bytes.length - from} are left`);
    this.offset = from + length;
    return from;
  }

  private byteString(from: number, build: boolean): Uint8Array {
    const to = this.offset;
    if (!build || from === to) return EMPTY_BYTES;
    return this.options.copyStrings ? copyBytes(this.bytes, from, to) : this.bytes.subarray(from, to);
  }

  private text(start: number, from: number, build: boolean): string {
    const { bytes, offset: to } = this;
    if (!isUtf8(bytes, from, to)) throw this.malformed(start, 'a text is not valid UTF-8');
    return build ? decodeUtf8(bytes, from, to) : NOT_BUILT;
  }

  private array(start: number, length: number, depth: number, build: boolean): readonly CborValue[] {
    if (depth > MAX_CBOR_DEPTH) throw this.tooDeep(start);
    if (length === 0) return EMPTY_ARRAY;
    const { embeddedFirst, shallow } = this.options;
    if (!build || (shallow && depth > 1)) {
      this.checkItems(length, depth);
      return NOT_BUILT_ARRAY;
    }
    const first = this.item(depth, true);
    if (depth === 1 && embeddedFirst && first instanceof Uint8Array && first.length > 0) {
      const options: ParserOptions = { copyStrings: false, embeddedFirst: false, shallow };
      const parser = new Parser(first, this.base + this.offset - first.length, options);
      this.embedded = parser.item(0, true);
      parser.end();
    }
    const items: CborValue[] = [first];
    if (shallow && length > MAX_SHALLOW_ENTRIES) {
      this.checkItems(length - 1, depth);
      items.length = length;
    } else {
      for (let i = 1; i < length; i++) items.push(this.item(depth, true));
    }
    return items;
  }

  private map(start: number, pairs: number, depth: number, build: boolean): CborMap {
    if (depth > MAX_CBOR_DEPTH) throw this.tooDeep(start);
    if (pairs === 0) return EMPTY_MAP;
    const built = build && !(this.options.shallow && (depth > 1 || pairs > MAX_SHALLOW_ENTRIES));
    const map = built ? new Map<CborValue, CborValue>() : undefined;
    let previousFrom = this.offset;
    let previousTo = this.offset;
    for (let i = 0; i < pairs; i++) {
      const from = this.offset;
      const key = this.item(depth, built);
      if (i > 0) this.judgeOrder(previousFrom, previousTo, from);
      previousFrom = from;
      previousTo = this.offset;
      const encoded = key === this.encoded && depth === 1;
      const value = this.item(depth, built && !encoded);
      map?.set(key, encoded ? this.bytes.subarray(previousTo, this.offset) : value);
    }
    return map ?? NOT_BUILT_MAP;
  }

  /** Checks items that nobody needs. Those of one byte cannot be wrong, and a hostile file has the most of them. */
  private checkItems(count: number, depth: number): void {
    const { bytes } = this;
    const whole = depth < MAX_CBOR_DEPTH ? WHOLE_ITEM : WHOLE_ITEM_AT_THE_BOTTOM;
    for (let i = 0; i < count; i++) {
      const initial = bytes[this.offset];
      if (initial !== undefined && whole[initial] === 1) this.offset++;
      else this.item(depth, false);
    }
  }

  /** Keys rise bytewise by their encodings. */
  private judgeOrder(previousFrom: number, previousTo: number, from: number): void {
    const order = compareKeys(this.bytes, previousFrom, previousTo, from);
    if (order < 0) throw this.notDeterministic(from, 'a map key comes after one that it should precede');
    if (order === 0) throw this.notDeterministic(from, 'a map key is repeated');
  }

  private outOfRange(start: number): VtlicError {
    return this.malformed(start, 'an integer is outside of ±(2^53-1)');
  }

  private tooDeep(start: number): VtlicError {
    return this.malformed(start, `arrays and maps are nested deeper than ${MAX_CBOR_DEPTH}`);
  }

  private malformed(offset: number, fault: string): VtlicError {
    return new VtlicError('cbor_malformed', `the CBOR is malformed: ${fault}`, { offset: this.base + offset });
  }

  private notDeterministic(offset: number, fault: string): VtlicError {
    return new VtlicError('cbor_not_deterministic', `the CBOR is not deterministic: ${fault}`, {
      offset: this.base + offset,
    });
  }
}

const ARGUMENT_OF: readonly string[] = [
  'an integer',
  'a negative integer',
  'the length of a byte string',
  'the length of a text',
  'the length of an array',
  'the length of a map',
  'a tag number',
];

function typeSevenInWords(information: number): string {
  if (information === 22) return 'null is used';
  if (information === 23) return 'undefined is used';
  if (information === 31) return 'a break is used where no indefinite length is open';
  if (information > 27) return `the reserved additional information ${information} is used`;
  if (information > 24) return 'a floating-point number is used';
  return 'a simple value other than true and false is used';
}
