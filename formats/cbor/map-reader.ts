/**
 * Strict reading of a map with text keys, for documents whose every member is known.
 *
 * ```ts
 * const reader = MapReader.decode(bytes, errors);
 * const made = reader.integer('made', 0, MAX_TIME);
 * const sub = reader.has('sub') ? reader.textOf('sub', isId, 'an id') : undefined;
 * reader.end();
 * ```
 *
 * Each member is read at most once; `end()` refuses the members that nobody read.
 */
import { toHex } from '../bytes.ts';
import { cleanText } from '../clean-text.ts';
import { VtlicError } from '../error.ts';
import { decodeCbor, type CborDecodeOptions } from './decode.ts';
import { cborTypeInWords, isCborArray, isCborBytes, isCborMap, type CborMap, type CborValue } from './value.ts';

/** The errors of one kind of document. */
export interface MapErrors {
  /** A member is missing or wrong. @param what continues a sentence that begins with the member's name */
  readonly member: (name: string, what: string) => VtlicError;
  /** The map has a member that nobody asked for. */
  readonly unknown: () => VtlicError;
  /** The bytes are not one map of the CBOR profile. @param cause the decoder's error, with its place */
  readonly unreadable: (why: string, cause?: VtlicError) => VtlicError;
}

export class MapReader {
  readonly #map: CborMap;
  readonly #errors: MapErrors;
  #read = 0;

  constructor(map: CborMap, errors: MapErrors) {
    this.#map = map;
    this.#errors = errors;
  }

  /** @throws VtlicError `errors.unreadable` */
  static decode(bytes: Uint8Array, errors: MapErrors, options?: CborDecodeOptions): MapReader {
    let value: CborValue;
    try {
      value = decodeCbor(bytes, options);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      throw errors.unreadable(error.message, error);
    }
    if (!isCborMap(value)) throw errors.unreadable(`expected a map, got ${cborTypeInWords(value)}`);
    return new MapReader(value, errors);
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  text(name: string, maxLength: number): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.error(name, `should be a text, but it is ${cborTypeInWords(value)}`);
    if (value.length > maxLength)
      throw this.error(name, `should have at most ${maxLength} characters, but it has ${value.length}`);
    return value;
  }

  /** @param expected for the error: "an id" */
  textOf(name: string, accepts: (text: string) => boolean, expected: string): string {
    const value = this.value(name);
    if (typeof value !== 'string' || !accepts(value)) throw this.error(name, `should be ${expected}`);
    return value;
  }

  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (typeof value !== 'number') throw this.error(name, `should be an integer, but it is ${cborTypeInWords(value)}`);
    if (value < min || value > max) throw this.error(name, `should be between ${min} and ${max}, but it is ${value}`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== 'boolean')
      throw this.error(name, `should be true or false, but it is ${cborTypeInWords(value)}`);
    return value;
  }

  /** @param length exact; any number of bytes from 1 if left out */
  bytes(name: string, length?: number): Uint8Array {
    const value = this.value(name);
    if (!isCborBytes(value)) throw this.error(name, `should be a byte string, but it is ${cborTypeInWords(value)}`);
    if (length === undefined ? value.length === 0 : value.length !== length)
      throw this.error(name, `should have ${length ?? 'at least 1'} bytes, but it has ${value.length}`);
    return value;
  }

  /** A byte string of exactly `length` bytes as lower-case hex. */
  hex(name: string, length: number): string {
    return toHex(this.bytes(name, length));
  }

  oneOf<T extends string | number>(name: string, allowed: readonly T[]): T {
    const value = this.value(name);
    const found = allowed.find((item) => item === value);
    if (found === undefined)
      throw this.error(
        name,
        `should be one of ${allowed.join(', ')}, ` +
          `but it is ${typeof value === 'string' ? `"${cleanText(value)}"` : cborTypeInWords(value)}`,
      );
    return found;
  }

  /** @param errors for members of the inner map, where its place matters in their messages */
  map(name: string, errors: MapErrors = this.#errors): MapReader {
    const value = this.value(name);
    if (!isCborMap(value)) throw this.error(name, `should be a map, but it is ${cborTypeInWords(value)}`);
    return new MapReader(value, errors);
  }

  /** The maps of an array that contains nothing else. */
  maps(name: string): readonly MapReader[] {
    const value = this.value(name);
    if (!isCborArray(value)) throw this.error(name, `should be an array, but it is ${cborTypeInWords(value)}`);
    return value.map((item) => {
      if (!isCborMap(item))
        throw this.error(name, `should contain only maps, but it contains ${cborTypeInWords(item)}`);
      return new MapReader(item, this.#errors);
    });
  }

  /** A member of any type; undefined where it is missing. */
  value(name: string): CborValue | undefined {
    const value = this.#map.get(name);
    if (value !== undefined) this.#read++;
    return value;
  }

  /** @throws VtlicError `errors.unknown` where a member was not read */
  end(): void {
    if (this.#read !== this.#map.size) throw this.#errors.unknown();
  }

  error(name: string, what: string): VtlicError {
    return this.#errors.member(name, what);
  }
}
