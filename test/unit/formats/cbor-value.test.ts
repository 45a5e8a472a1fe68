import { describe, expect, it } from 'vitest';
import { cborTypeInWords, isCborArray, isCborBytes, isCborMap, type CborValue } from '../../../formats/cbor/value.ts';

const VALUES: readonly (readonly [string, CborValue | undefined])[] = [
  ['nothing', undefined],
  ['an integer', 1],
  ['a text', 'x'],
  ['the value true', true],
  ['the value false', false],
  ['a byte string', new Uint8Array()],
  ['a map', new Map()],
  ['an array', []],
];

describe('a value of CBOR', () => {
  it.each(VALUES)('is named in words: %s', (words, value) => {
    expect(cborTypeInWords(value)).toBe(words);
  });

  it.each(VALUES)('is a map, an array or a byte string only where it is one: %s', (words, value) => {
    const found = [
      isCborMap(value) && 'a map',
      isCborArray(value) && 'an array',
      isCborBytes(value) && 'a byte string',
    ];
    expect(found.filter((name) => name !== false)).toEqual(
      ['a map', 'an array', 'a byte string'].filter((name) => name === words),
    );
  });
});
