/** What is checked and not built is checked all the same, and what the reading of CBOR does at its bounds. */
import { describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { decodeCbor, decodeTaggedCbor } from '../../../formats/cbor/decode.ts';
import { VtlicError } from '../../../formats/error.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

const resultOf = (read: () => unknown): string => {
  try {
    read();
    return 'read';
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return `${error.code}@${error.place.offset}: ${error.message}`;
  }
};

/** Arrays around an item, so that it has this depth; the array around it has three items. */
const nested = (depth: number, item: readonly number[]): Uint8Array =>
  Uint8Array.from([...Array.from({ length: depth - 1 }, () => 0x81), 0x83, 1, ...item, 1]);

describe('a shallow reading', () => {
  it.each([1, 2, 7, 8])('refuses what a whole one refuses, for each first byte at the depth %i', (depth) => {
    for (let initial = 0; initial < 256; initial++) {
      for (const rest of [[], [1], [0xff], [1, 1, 1, 1, 1, 1, 1, 1]]) {
        const bytes = nested(depth, [initial, ...rest]);
        const [whole, shallow] = [
          resultOf(() => decodeCbor(bytes)),
          resultOf(() => decodeTaggedCbor(bytes, { shallow: true })),
        ];
        expect([depth, initial, rest, shallow]).toEqual([depth, initial, rest, whole]);
      }
    }
  });

  it('builds outermost arrays and maps of up to 16 entries', () => {
    const items = Array.from({ length: 16 }, (_, i) => i);
    const array = concatBytes(hex('90'), Uint8Array.from(items));
    expect(decodeTaggedCbor(array, { shallow: true }).value).toEqual(items);
    const map = concatBytes(hex('b0'), Uint8Array.from(items.flatMap((i) => [i, i])));
    expect(decodeTaggedCbor(map, { shallow: true }).value).toEqual(new Map(items.map((i) => [i, i])));
    const more = concatBytes(hex('91'), Uint8Array.from([...items, 16]));
    expect((decodeTaggedCbor(more, { shallow: true }).value as readonly unknown[]).length).toBe(17);
  });

  it('decodes no text that nobody reads', () => {
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    const decodedBy = (read: () => unknown): number => {
      decode.mockClear();
      read();
      return decode.mock.calls.length;
    };
    const text = `78c8${'61'.repeat(200)}`;
    const inside = `83 82 01 ${text} a2 01 ${text} ${text} 00 a1 01 81 ${text}`;
    const embedded = `82 58cf a2 01 81 ${text} 02 00 ${text}`;
    const many = `b1 ${Array.from({ length: 17 }, (_, i) => `${i.toString(16).padStart(2, '0')}${text}`).join('')}`;
    try {
      expect(decodedBy(() => decodeCbor(hex(inside)))).toBe(4);
      for (const shallow of [inside, many])
        expect(decodedBy(() => decodeTaggedCbor(hex(shallow), { shallow: true }))).toBe(0);
      // What is in the outermost array is read.
      expect(decodedBy(() => decodeTaggedCbor(hex(embedded), { embeddedFirst: true, shallow: true }))).toBe(1);
      const given = hex(`a2 6161 ${text} 63657874 82 ${text} a1 ${text} ${text}`);
      expect(decodedBy(() => decodeCbor(given, { encoded: 'ext' }))).toBe(1);
    } finally {
      decode.mockRestore();
    }
  });
});

describe('an embedded first item', () => {
  it('is walked only where that is asked for', () => {
    expect(decodeCbor(hex('8141ff'))).toEqual([hex('ff')]);
    expect(decodeTaggedCbor(hex('d28141ff'))).toEqual({ tag: 18, value: [hex('ff')], embedded: undefined });
    expect(thrown(() => decodeTaggedCbor(hex('d28141ff'), { embeddedFirst: true })).place.offset).toBe(3);
  });

  it.each([true, false])('may have one byte, and its own first item is not walked (shallow: %s)', (shallow) => {
    const read = (bytes: string): unknown => decodeTaggedCbor(hex(bytes), { embeddedFirst: true, shallow }).embedded;
    expect(read('d28141a0')).toEqual(new Map());
    expect(read('d281438141ff')).toEqual([hex('ff')]);
    expect(read('d28140')).toBe(undefined);
  });

  it('is built without what is inside its arrays and maps in a shallow reading', () => {
    const read = (shallow: boolean): unknown =>
      decodeTaggedCbor(hex('d28144a1018102'), { embeddedFirst: true, shallow }).embedded;
    expect([read(true), read(false)]).toEqual([new Map([[1, [0]]]), new Map([[1, [2]]])]);
  });
});

describe('the reading of CBOR', () => {
  it('gives the byte strings of a signed file as views of one private copy', () => {
    for (const shallow of [true, false]) {
      const file = hex('d282 47 a1014411223344 4155');
      const { value, embedded } = decodeTaggedCbor(file, { embeddedFirst: true, shallow });
      const [first, second] = value as readonly Uint8Array[];
      const inner = (embedded as ReadonlyMap<number, Uint8Array>).get(1);
      expect(inner).toEqual(hex('11223344'));
      expect(new Set([first?.buffer, second?.buffer, inner?.buffer]).size).toBe(1);
      expect(first?.buffer).not.toBe(file.buffer);
    }
  });

  it('gives one shared value for all empty byte strings, arrays and maps', () => {
    for (const options of [{}, { views: true }]) {
      const items = decodeCbor(hex('86 40 80 a0 40 80 a0'), options) as readonly unknown[];
      expect(items.map((item) => items.indexOf(item))).toEqual([0, 1, 2, 0, 1, 2]);
    }
  });

  it('takes maps that are 8 deep, and no deeper ones', () => {
    const maps = (depth: number): Uint8Array => hex(`${'a101'.repeat(depth - 1)}a10101`);
    expect(resultOf(() => decodeCbor(maps(8)))).toBe('read');
    expect(resultOf(() => decodeCbor(maps(9)))).toMatch(/^cbor_malformed@16: /);
  });

  it('reads 23 in one byte, and 24 in two', () => {
    expect([decodeCbor(hex('17')), decodeCbor(hex('1818'))]).toEqual([23, 24]);
  });

  it.each(['a2 6161 01 6161 02', 'a2 6161 02 6161 01', 'a2 01 01 01 02'])(
    'refuses a repeated key, whatever its values are: %s',
    (bytes) => {
      expect(resultOf(() => decodeCbor(hex(bytes)))).toMatch(/^cbor_not_deterministic@.*a map key is repeated$/);
    },
  );

  it('says that a tag has a reserved number where it has', () => {
    expect(resultOf(() => decodeTaggedCbor(hex('df00')))).toContain('the reserved additional information 31 is used');
  });
});
