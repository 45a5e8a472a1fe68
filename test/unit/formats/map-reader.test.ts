/** Each kind of member: what is read, and what the error says of anything else. */
import { describe, expect, it } from 'vitest';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import { MapReader, type MapErrors } from '../../../formats/cbor/map-reader.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { VtlicError } from '../../../formats/error.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const ERRORS: MapErrors = {
  member: (name, what) => new VtlicError('claims_malformed', `${name} ${what}`),
  unknown: () => new VtlicError('claims_unknown', 'a member is unknown'),
  unreadable: (why, cause) => new VtlicError('claims_malformed', why, { ...cause?.place, cause }),
};

const inner = new Map<CborValue, CborValue>([['a', 1]]);
const members: readonly (readonly [CborValue, CborValue])[] = [
  ['text', 'abc'],
  ['number', 7],
  ['yes', true],
  ['no', false],
  ['bytes', Uint8Array.of(0xab, 0xcd)],
  ['none', new Uint8Array()],
  ['map', inner],
  ['maps', [inner, inner]],
  ['mixed', [inner, 1]],
];
const bytes = encodeCbor(new Map(members));
const read = <T>(how: (reader: MapReader) => T): T => how(MapReader.decode(bytes, ERRORS));
const refusal = (how: (reader: MapReader) => unknown): string => inWords(thrown(() => read(how)));

describe('a member', () => {
  it('is read by its kind', () => {
    expect(read((reader) => reader.text('text', 3))).toBe('abc');
    expect(read((reader) => reader.textOf('text', (text) => text === 'abc', 'abc'))).toBe('abc');
    expect(read((reader) => reader.integer('number', 7, 7))).toBe(7);
    expect(read((reader) => [reader.boolean('yes'), reader.boolean('no')])).toEqual([true, false]);
    expect(read((reader) => reader.bytes('bytes'))).toEqual(Uint8Array.of(0xab, 0xcd));
    expect(read((reader) => reader.bytes('bytes', 2))).toEqual(Uint8Array.of(0xab, 0xcd));
    expect(read((reader) => reader.bytes('none', 0))).toEqual(new Uint8Array());
    expect(read((reader) => reader.hex('bytes', 2))).toBe('abcd');
    expect(read((reader) => reader.oneOf('text', ['ab', 'abc']))).toBe('abc');
    expect(read((reader) => reader.map('map').integer('a', 0))).toBe(1);
    expect(read((reader) => reader.maps('maps').map((map) => map.integer('a', 0)))).toEqual([1, 1]);
    expect(read((reader) => [reader.value('number'), reader.value('missing')])).toEqual([7, undefined]);
    expect(read((reader) => [reader.has('number'), reader.has('missing')])).toEqual([true, false]);
  });

  it.each<[string, (reader: MapReader) => unknown, string]>([
    ['a text', (reader) => reader.text('number', 3), 'number should be a text, but it is'],
    ['a short text', (reader) => reader.text('text', 2), 'text should have at most 2 characters, but it has 3'],
    ['a text of a form', (reader) => reader.textOf('text', () => false, 'another'), 'text should be another'],
    ['a text of any form', (reader) => reader.textOf('number', () => true, 'a text'), 'number should be a text'],
    ['an integer', (reader) => reader.integer('text', 0), 'text should be an integer, but it is'],
    ['a greater integer', (reader) => reader.integer('number', 8), 'number should be between 8 and'],
    ['a smaller integer', (reader) => reader.integer('number', 0, 6), 'number should be between 0 and 6'],
    ['true or false', (reader) => reader.boolean('number'), 'number should be true or false, but it is'],
    ['a byte string', (reader) => reader.bytes('text'), 'text should be a byte string, but it is'],
    ['a byte at least', (reader) => reader.bytes('none'), 'none should have at least 1 bytes, but it has 0'],
    ['three bytes', (reader) => reader.bytes('bytes', 3), 'bytes should have 3 bytes, but it has 2'],
    ['one of some', (reader) => reader.oneOf('text', ['ab']), 'text should be one of ab, but it is "abc"'],
    ['a map', (reader) => reader.map('text'), 'text should be a map, but it is'],
    ['an array of maps', (reader) => reader.maps('text'), 'text should be an array, but it is'],
    ['maps only', (reader) => reader.maps('mixed'), 'mixed should contain only maps, but it contains'],
    ['a member that is missing', (reader) => reader.text('missing', 3), 'missing should be a text, but it is'],
  ])('that should be %s is refused with its name', (_what, how, words) => {
    expect(refusal(how)).toContain(`claims_malformed: ${words}`);
  });
});

describe('a map', () => {
  const ends = (map: CborValue, ...names: readonly string[]): void => {
    const reader = MapReader.decode(encodeCbor(map), ERRORS);
    for (const name of names) reader.value(name);
    reader.end();
  };

  it('must have been read to its last member', () => {
    const two = new Map<CborValue, CborValue>([
      ['a', 1],
      ['b', 2],
    ]);
    expect(() => ends(two, 'a', 'b')).not.toThrow();
    expect(() => ends(two, 'a', 'missing', 'b')).not.toThrow();
    expect(thrown(() => ends(two, 'a')).code).toBe('claims_unknown');
    // A member that is missing does not count for one that nobody read.
    expect(thrown(() => ends(two, 'a', 'missing')).code).toBe('claims_unknown');
  });

  it('may have errors of its own', () => {
    const own: MapErrors = { ...ERRORS, member: (name) => new VtlicError('usage', name) };
    expect(refusal((reader) => reader.map('map', own).text('a', 3))).toBe('usage: a');
    expect(refusal((reader) => reader.map('map').text('a', 3))).toContain('claims_malformed: a should be a text');
  });

  it('is unreadable where the bytes are none, with the place of the fault', () => {
    expect(inWords(thrown(() => MapReader.decode(encodeCbor('a'), ERRORS)))).toContain('expected a map, got');
    const cut = thrown(() => MapReader.decode(bytes.subarray(0, 9), ERRORS));
    expect(cut.message).not.toContain('expected a map');
    expect(cut.place.offset).toBe(cut.cause instanceof VtlicError ? cut.cause.place.offset : -1);
  });
});
