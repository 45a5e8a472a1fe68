/** Strict reading of an entry's body: every member known, of its type, within its bounds. */
import { type CborMap, cborTypeInWords, decodeCbor, isCborBytes, isCborMap } from '../../../formats/cbor/index.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { ledgerCorrupt } from './errors.ts';

export class BodyReader {
  readonly #map: CborMap;
  readonly #where: string;
  #read = 0;

  constructor(map: CborMap, where: string) {
    this.#map = map;
    this.#where = where;
  }

  /**
   * Byte strings of what is read are views of `bytes`, which nobody may write to.
   *
   * @param where for sentences: "entry 7 (issue)"
   */
  static of(bytes: Uint8Array, where: string): BodyReader {
    try {
      const value = decodeCbor(bytes, { views: true });
      if (isCborMap(value)) return new BodyReader(value, where);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      throw ledgerCorrupt(`${where}: ${error.message}`, { cause: error });
    }
    throw ledgerCorrupt(`${where}: its body is not a map`);
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  text(name: string, max: number): string {
    const value = this.#member(name);
    if (typeof value !== 'string') throw this.fault(name, `should be a text, but it is ${cborTypeInWords(value)}`);
    if (value.length > max) throw this.fault(name, `should have at most ${max} characters, but it has ${value.length}`);
    return value;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#member(name);
    if (typeof value !== 'number') throw this.fault(name, `should be an integer, but it is ${cborTypeInWords(value)}`);
    if (value < min || value > max) throw this.fault(name, `should be between ${min} and ${max}, but it is ${value}`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#member(name);
    if (typeof value !== 'boolean')
      throw this.fault(name, `should be true or false, but it is ${cborTypeInWords(value)}`);
    return value;
  }

  /** @param length exact; any number of bytes from 1 if left out */
  bytes(name: string, length?: number): Uint8Array {
    const value = this.#member(name);
    if (!isCborBytes(value)) throw this.fault(name, `should be a byte string, but it is ${cborTypeInWords(value)}`);
    if (length === undefined ? value.length === 0 : value.length !== length) {
      throw this.fault(name, `should have ${length ?? 'at least 1'} bytes, but it has ${value.length}`);
    }
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#member(name);
    const found = allowed.find((item) => item === value);
    if (found === undefined) {
      const actual = typeof value === 'string' ? `"${cleanText(value)}"` : cborTypeInWords(value);
      throw this.fault(name, `should be one of ${allowed.join(', ')}, but it is ${actual}`);
    }
    return found;
  }

  map(name: string): BodyReader {
    const value = this.#member(name);
    if (!isCborMap(value)) throw this.fault(name, `should be a map, but it is ${cborTypeInWords(value)}`);
    return new BodyReader(value, `${this.#where}, ${name}`);
  }

  /** Refuses members that nobody asked for. Each member is read once at most. */
  end(): void {
    if (this.#read !== this.#map.size)
      throw ledgerCorrupt(`${this.#where}: its body has members that this version does not know`);
  }

  fault(name: string, what: string): VtlicError {
    return ledgerCorrupt(`${this.#where}: ${name} ${what}`);
  }

  #member(name: string): ReturnType<CborMap['get']> {
    const value = this.#map.get(name);
    if (value !== undefined) this.#read++;
    return value;
  }
}
