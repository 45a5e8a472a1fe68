import { Decoder, Encoder } from 'cbor-x/index-no-eval';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../formats/bytes.ts';
import { decodeCbor, decodeTaggedCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { VtlicError } from '../../../formats/error.ts';
import { bytes, cbor, integer, text } from './arbitraries.ts';

function accepted(encoded: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(encoded);
  } catch (error) {
    if (error instanceof VtlicError && (error.code === 'cbor_malformed' || error.code === 'cbor_not_deterministic'))
      return undefined;
    throw error;
  }
}

function codeOf(encoded: Uint8Array): string | undefined {
  try {
    decodeCbor(encoded);
    return undefined;
  } catch (error) {
    return error instanceof VtlicError ? `${error.code}@${error.place.offset ?? '-'}` : String(error);
  }
}

/** Bytes that are nearly CBOR: heads of every kind, in a row. */
const cborLike = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 1 }),
      fc.constantFrom(0x18, 0x38, 0x58, 0x78, 0x98, 0xb8).map((head) => Uint8Array.of(head, 0x18)),
      fc.constantFrom(0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa2, 0x41, 0x61, 0x00, 0xf5).map((head) => Uint8Array.of(head)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('the CBOR profile', () => {
  it('decode ∘ encode is the identity on values', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        expect(decodeCbor(encodeCbor(value))).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('encode ∘ decode is the identity on bytes that are accepted, whatever they are', () => {
    let taken = 0;
    const check = (encoded: Uint8Array): void => {
      const value = accepted(encoded);
      if (value === undefined) return;
      taken++;
      expect(toHex(encodeCbor(value))).toBe(toHex(encoded));
    };
    fc.assert(fc.property(cborLike, check), { numRuns: 20_000 });
    expect(taken).toBeGreaterThan(500);
  });

  it('every change of a byte is refused, or read as another value', () => {
    fc.assert(
      fc.property(cbor, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const encoded = encodeCbor(value);
        const place = at % encoded.length;
        const changed = encoded.with(place, (encoded[place] ?? 0) ^ change);
        const other = accepted(changed);
        const again = other === undefined ? changed : encodeCbor(other);
        expect(toHex(again)).toBe(toHex(changed));
      }),
      { numRuns: 2000 },
    );
  });

  it('every cut and every further byte is refused', () => {
    fc.assert(
      fc.property(cbor, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, further) => {
        const encoded = encodeCbor(value);
        expect(codeOf(encoded.slice(0, at % encoded.length))).toMatch(/^cbor_malformed@/);
        expect(codeOf(Uint8Array.of(...encoded, further))).toBe(`cbor_malformed@${encoded.length}`);
      }),
      { numRuns: 500 },
    );
  });

  it('what is checked without being built has the same faults at the same places', () => {
    const faultOf = (encoded: Uint8Array, shallow: boolean): string | undefined => {
      try {
        decodeTaggedCbor(encoded, { embeddedFirst: true, shallow });
        return undefined;
      } catch (error) {
        return error instanceof VtlicError ? `${error.code}@${error.place.offset ?? '-'} ${error.message}` : 'none';
      }
    };
    let refused = 0;
    const check = (encoded: Uint8Array): void => {
      const fault = faultOf(encoded, false);
      expect(faultOf(encoded, true)).toBe(fault);
      if (fault !== undefined) refused++;
    };
    fc.assert(fc.property(cborLike, check), { numRuns: 10_000 });
    const changed = fc.tuple(cbor, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([value, at, change]) => {
      const encoded = encodeTagged(18, value);
      return encoded.with(at % encoded.length, (encoded[at % encoded.length] ?? 0) ^ change);
    });
    fc.assert(fc.property(changed, check), { numRuns: 5000 });
    expect(refused).toBeGreaterThan(1000);
  });

  it('reads a text as a TextDecoder does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (any) => {
        const encoded = encodeCbor(any.toWellFormed());
        expect(decodeCbor(encoded)).toBe(decoder.decode(encoded.subarray(encoded[0] === 0x78 ? 2 : 1)));
      }),
      { numRuns: 3000 },
    );
  });

  it('a tag goes there and back, and is refused where none may be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 }), cbor, (tag, value) => {
        const encoded = encodeTagged(tag, value);
        expect(decodeTaggedCbor(encoded)).toEqual({ tag, value, embedded: undefined });
        expect(codeOf(encoded)).toBe('cbor_malformed@0');
      }),
      { numRuns: 200 },
    );
  });
});

describe('each other spelling is refused by its name', () => {
  /** The head of `encoded` rewritten with its argument in `size` bytes; undefined where that is its shortest form. */
  function longer(encoded: Uint8Array, size: 1 | 2 | 4 | 8): Uint8Array | undefined {
    const initial = encoded[0] ?? 0;
    const information = initial & 31;
    const oldSize = information < 24 ? 0 : 1 << (information - 24);
    if (oldSize >= size) return undefined;
    const argument = oldSize === 0 ? Uint8Array.of(information) : encoded.slice(1, 1 + oldSize);
    const padded = new Uint8Array(size);
    padded.set(argument, size - argument.length);
    return Uint8Array.of((initial & 0xe0) | (24 + Math.log2(size)), ...padded, ...encoded.slice(1 + oldSize));
  }

  const withArgument = fc.oneof(
    integer,
    text,
    bytes,
    cbor.filter((value) => typeof value !== 'boolean'),
  );

  it('refuses an argument that is not in its shortest form, at the top and inside', () => {
    fc.assert(
      fc.property(withArgument, fc.constantFrom(1, 2, 4, 8), fc.nat(7), (value, size, depth) => {
        const spelled = longer(encodeCbor(value), size);
        if (spelled === undefined) return;
        const around = new Uint8Array(depth).fill(0x81);
        expect(codeOf(Uint8Array.of(...around, ...spelled))).toBe(`cbor_not_deterministic@${depth}`);
        const key = Uint8Array.of(0xa1, ...spelled, 0x00);
        expect(codeOf(key)).toBe('cbor_not_deterministic@1');
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses an indefinite length', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x5f, 0x7f, 0x9f, 0xbf),
        fc.uint8Array({ maxLength: 10 }),
        fc.nat(8),
        (head, rest, depth) => {
          expect(codeOf(Uint8Array.of(...new Uint8Array(depth).fill(0x81), head, ...rest, 0xff))).toBe(
            `cbor_not_deterministic@${depth}`,
          );
        },
      ),
    );
  });

  it('refuses map keys in another order, and repeated', () => {
    const keys = fc.uniqueArray(fc.oneof(integer, text, fc.boolean(), bytes), {
      minLength: 2,
      maxLength: 6,
      selector: (key) => toHex(encodeCbor(key)),
    });
    fc.assert(
      fc.property(keys, fc.nat(), fc.boolean(), (unsorted, at, repeat) => {
        const sorted = [...decodeMapKeys(unsorted)];
        const i = at % (sorted.length - 1);
        const first = sorted[i] ?? '';
        if (repeat) sorted[i + 1] = first;
        else [sorted[i], sorted[i + 1]] = [sorted[i + 1] ?? '', first];
        const spelled = `${(0xa0 + sorted.length).toString(16)}${sorted.map((key) => `${key}00`).join('')}`;
        const offset = 1 + sorted.slice(0, i + 1).reduce((sum, key) => sum + key.length / 2 + 1, 0);
        expect(codeOf(Uint8Array.from(Buffer.from(spelled, 'hex')))).toBe(`cbor_not_deterministic@${offset}`);
      }),
      { numRuns: 1000 },
    );
  });

  /** The encodings of the keys, as hex, in their order by a comparison that is not ours. */
  function decodeMapKeys(keys: readonly CborValue[]): string[] {
    return keys
      .map((key) => Buffer.from(encodeCbor(key)))
      .sort((a, b) => Buffer.compare(a, b))
      .map((key) => key.toString('hex'));
  }
});

describe('cbor-x, a second opinion,', () => {
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });
  const encoder = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false, variableMapSize: true });

  const plain = (value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value);
    if (value instanceof Uint8Array) return Uint8Array.from(value);
    if (Array.isArray(value)) return value.map(plain);
    if (value instanceof Map) return new Map([...value].map(([key, inner]) => [plain(key), plain(inner)]));
    return value;
  };

  it('reads what we write as the same value', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        expect(plain(decoder.decode(encodeCbor(value)))).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads whatever we accept as the same value', () => {
    fc.assert(
      fc.property(cborLike, (encoded) => {
        const value = accepted(encoded);
        const theirs = value === undefined ? undefined : plain(decoder.decode(encoded));
        expect(theirs).toEqual(value);
      }),
      { numRuns: 10_000 },
    );
  });

  it('writes what we read as the same value, where it writes deterministically', () => {
    const small = fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            small,
            fc.boolean(),
            fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
            fc.uint8Array({ maxLength: 20 }),
          ),
        ),
        (value) => {
          expect(decodeCbor(Uint8Array.from(encoder.encode(value)))).toEqual(value);
        },
      ),
    );
  });
});
