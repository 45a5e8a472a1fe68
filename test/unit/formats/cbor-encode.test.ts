import { describe, expect, it } from 'vitest';
import { toHex } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { thrown } from '../../support/thrown.ts';

const map = (...pairs: readonly (readonly [CborValue, CborValue])[]): CborValue => new Map(pairs);

function nested(depth: number): CborValue {
  let value: CborValue = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe('encodeCbor', () => {
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
