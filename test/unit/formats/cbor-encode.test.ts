import { describe, expect, it, vi } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import { encodeHead, MAJOR_ARRAY, MAJOR_BYTES, MAJOR_TEXT, MAJOR_UNSIGNED } from '../../../formats/cbor/head.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { thrown } from '../../support/thrown.ts';

const map = (...pairs: readonly (readonly [CborValue, CborValue])[]): CborValue => new Map(pairs);

function nested(depth: number): CborValue {
  let value: CborValue = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Each order of the items. */
const ordersOf = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item) => ordersOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));

/** How often `act` calls a method. */
const callsOf = (method: { mock: { calls: readonly unknown[] }; mockRestore: () => void }, act: () => void): number => {
  try {
    act();
    return method.mock.calls.length;
  } finally {
    method.mockRestore();
  }
};

describe('encodeCbor', () => {
  it('writes each item whole, wherever the end of its buffer comes', () => {
    const parts: readonly (readonly [CborValue, Uint8Array])[] = [
      [Number.MAX_SAFE_INTEGER, encodeHead(MAJOR_UNSIGNED, Number.MAX_SAFE_INTEGER)],
      [true, Uint8Array.of(0xf5)],
      ['a text of 20 letters', concatBytes(encodeHead(MAJOR_TEXT, 20), utf8('a text of 20 letters'))],
      ['äöü', concatBytes(encodeHead(MAJOR_TEXT, 6), utf8('äöü'))],
      [Uint8Array.of(7, 8, 9), concatBytes(encodeHead(MAJOR_BYTES, 3), Uint8Array.of(7, 8, 9))],
    ];
    const wrong: string[] = [];
    const filling = new Uint8Array(16_384).fill(0x5a);
    for (let length = filling.length - 26; length < filling.length; length++)
      for (const [value, bytes] of parts) {
        const before = filling.subarray(length % 2, length);
        const head = encodeHead(MAJOR_BYTES, before.length);
        const expected = concatBytes(encodeHead(MAJOR_ARRAY, 3), head, before, bytes, bytes);
        if (Buffer.compare(encodeCbor([before, value, value]), expected) !== 0) wrong.push(`${length} ${toHex(bytes)}`);
      }
    expect(wrong).toEqual([]);
  });

  it.each<[string, readonly CborValue[]]>([
    ['integers', [1, 2, 3]],
    ['integers and a text', [23, 24, -1, 'a']],
    ['texts of one length', ['aaz', 'abb', 'aca']],
    ['texts of several lengths', ['b', 'aa', 'ab']],
    ['byte strings', [Uint8Array.of(0, 1), Uint8Array.of(0, 2), Uint8Array.of(1, 0)]],
  ])('sorts keys from whatever order they come in: %s', (_, keys) => {
    const sorted = `a${keys.length}${keys.map((key) => `${toHex(encodeCbor(key))}00`).join('')}`;
    const maps = ordersOf(keys).map((order) => map(...order.map((key) => [key, 0] as const)));
    expect(new Set(maps.map((value) => toHex(encodeCbor(value))))).toEqual(new Set([sorted]));
    // What was written before the map stays as it is while the keys are sorted.
    const inside = maps.map((value) => toHex(encodeCbor(['before', value, 'behind'])));
    expect(new Set(inside)).toEqual(new Set([`83666265666f7265${sorted}66626568696e64`]));
  });

  it('sorts only where the keys are not in order', () => {
    const sorts = (...keyLists: readonly (readonly CborValue[])[]): number => {
      const maps = keyLists.map((keys) => map(...keys.map((key) => [key, 0] as const)));
      return callsOf(vi.spyOn(Array.prototype, 'sort'), () => {
        for (const value of maps) encodeCbor(value);
      });
    };
    expect(sorts([], [1], [1, 2, 3], ['ab', 'ba', 'bb'])).toBe(0);
    expect(sorts([2, 1], [1, 3, 2])).toBe(2);
  });

  it('writes ASCII without the encoder of the engine, which is slow to start', () => {
    const encodes = (...texts: readonly string[]): number =>
      callsOf(vi.spyOn(TextEncoder.prototype, 'encode'), () => {
        for (const text of texts) encodeCbor(text);
      });
    expect([encodes('', 'a', 'a\u007f\u0000'), encodes('aé')]).toEqual([0, 1]);
  });

  it.each(['éa', 'aé', '\u0080', 'a\u0080', '\u007f\u0080a'])(
    'writes a text that is not all ASCII as UTF-8: %j',
    (text) => {
      expect(encodeCbor(text)).toEqual(concatBytes(encodeHead(MAJOR_TEXT, utf8(text).length), utf8(text)));
    },
  );

  it('gives bytes that no later encoding changes, and begins anew after one that failed', () => {
    const [first, second] = [encodeCbor(['a', 1]), encodeCbor([2, 'bcd'])];
    expect(() => encodeCbor(['half', 0.5])).toThrow('integer');
    const third = encodeCbor(new Map<CborValue, CborValue>([['k', encodeCbor('v')]]));
    expect([first, second, third].map(toHex)).toEqual(['82616101', '820263626364', 'a1616b426176']);
    expect(new Set([first.buffer, second.buffer, third.buffer]).size).toBe(3);
    const long = encodeCbor(new Uint8Array(100_000));
    expect([long.length, toHex(encodeCbor(7))]).toEqual([100_005, '07']);
  });

  it.each<[CborValue, string]>([
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65_535, '19ffff'],
    [65_536, '1a00010000'],
    [4_294_967_295, '1affffffff'],
    [4_294_967_296, '1b0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [-0, '00'],
    [-1, '20'],
    [-24, '37'],
    [-25, '3818'],
    [-256, '38ff'],
    [-257, '390100'],
    [-4_294_967_297, '3b0000000100000000'],
    [-Number.MAX_SAFE_INTEGER, '3b001ffffffffffffe'],
    [false, 'f4'],
    [true, 'f5'],
    [new Uint8Array(24), `5818${'00'.repeat(24)}`],
    ['a'.repeat(256), `790100${'61'.repeat(256)}`],
    [[], '80'],
    [map(), 'a0'],
  ])('writes %j as %s', (value, expected) => {
    expect(toHex(encodeCbor(value))).toBe(expected);
  });

  it('sorts map keys bytewise by their encodings (the example of RFC 8949 §4.2.1 that has only our types)', () => {
    const value = map([false, 0], [[-1], 0], [[100], 0], ['aa', 0], ['z', 0], [-1, 0], [100, 0], [10, 0]);
    expect(toHex(encodeCbor(value))).toBe('a80a0018640020006 17a00626161008118640081200 0f400'.replaceAll(' ', ''));
  });

  it('puts a tag in its shortest form in front', () => {
    expect(toHex(encodeTagged(18, []))).toBe('d280');
    expect(toHex(encodeTagged(98, []))).toBe('d86280');
    expect(toHex(encodeTagged(18, nested(8)))).toBe('d2818181818181818100');
    expect(thrown(() => encodeTagged(18, nested(9))).code).toBe('internal');
  });

  it.each<[string, CborValue]>([
    ['a fraction', 1.5],
    ['2^53', 2 ** 53],
    ['-2^53', -(2 ** 53)],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a lone surrogate', 'a\ud800'],
    ['a repeated key', map([Uint8Array.of(1), 1], [Uint8Array.of(1), 2])],
    ['too deep an array', nested(9)],
    ['too deep a key', map([nested(8), 0])],
  ])('refuses %s as a defect', (_, value) => {
    expect(thrown(() => encodeCbor(value)).code).toBe('internal');
  });

  it('takes the deepest that is allowed', () => {
    expect(toHex(encodeCbor(nested(8)))).toBe('818181818181818100');
  });
});
