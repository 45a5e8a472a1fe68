import { describe, expect, it } from 'vitest';
import { decodeCbor, decodeTaggedCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import { codeAt, thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

describe('decodeCbor', () => {
  it.each([
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['3b001ffffffffffffe', -Number.MAX_SAFE_INTEGER],
    ['63efbbbf', '\ufeff'],
    ['6568c3a96c6c', 'héll'],
    [
      'a2012002f5',
      new Map<number, number | boolean>([
        [1, -1],
        [2, true],
      ]),
    ],
    ['a18001', new Map([[[], 1]])],
  ])('reads %s', (bytes, value) => {
    expect(decodeCbor(hex(bytes))).toEqual(value);
  });

  it.each([
    ['a Uint8Array', (bytes: Uint8Array) => bytes],
    ['a Buffer', (bytes: Uint8Array) => Buffer.from(bytes)],
  ])('gives byte strings of their own, from %s', (_, make) => {
    const bytes = make(hex('43010203'));
    const [value, tagged] = [decodeCbor(bytes), decodeTaggedCbor(bytes).value];
    bytes.fill(0);
    for (const copy of [value, tagged]) {
      expect(copy).toEqual(Uint8Array.of(1, 2, 3));
      expect(Buffer.isBuffer(copy)).toBe(false);
    }
  });

  it('gives views where they are asked for', () => {
    const bytes = hex('8243010203 a1614142ffff');
    const value = decodeCbor(bytes, { views: true });
    expect(value).toEqual([Uint8Array.of(1, 2, 3), new Map([['A', Uint8Array.of(255, 255)]])]);
    bytes.fill(7, 2, 5);
    expect(value).toEqual([Uint8Array.of(7, 7, 7), new Map([['A', Uint8Array.of(255, 255)]])]);
  });

  it('gives the encoding of the one value that its reader builds itself, checked like the others', () => {
    const read = (bytes: string): unknown => decodeCbor(hex(bytes), { views: true, encoded: 'ext' });
    expect(read('a2 6161 01 63657874 a16161820102')).toEqual(
      new Map<string, unknown>([
        ['a', 1],
        ['ext', hex('a16161820102')],
      ]),
    );
    // Elsewhere the key is one like others.
    expect(read('a1 6161 a1 63657874 01')).toEqual(new Map([['a', new Map([['ext', 1]])]]));
    expect(codeAt(() => read('a1 63657874 81 1800'))).toBe('cbor_not_deterministic@6');
  });

  it('tells texts apart that are remembered at one place', () => {
    // Same length, first, middle and last character: only the others differ.
    const texts = ['abcdefg', 'aBcdefg', 'abcdeFg', 'abcdefg', 'axcdxxg', 'aBcdefg'];
    for (const text of texts) expect(decodeCbor(encodeCbor(text))).toBe(text);
    // Of two bytes a character, as long in bytes as an ASCII text with the same ends.
    const accented = 'aébg';
    expect(decodeCbor(encodeCbor('a12bg'))).toBe('a12bg');
    expect(decodeCbor(encodeCbor(accented))).toBe(accented);
    expect(decodeCbor(encodeCbor('a12bg'))).toBe('a12bg');
    // What is not UTF-8 stays a fault, however familiar its place.
    expect(codeAt(() => decodeCbor(hex('65 61ff326267')))).toBe('cbor_malformed@0');
  });

  // Each spelling of a meaning that has a shorter one.
  it.each([
    ['an integer in one byte too many', '1817', 0],
    ['24 in two bytes', '190018', 0],
    ['255 in two bytes', '1900ff', 0],
    ['65535 in four', '1a0000ffff', 0],
    ['2^32-1 in eight', '1b00000000ffffffff', 0],
    ['a negative integer', '3817', 0],
    ['the length of a byte string', '580100', 0],
    ['the length of a text', '7900 01 61', 0],
    ['the length of an array', '9801 00', 0],
    ['the length of a map', 'b800', 0],
    ['a length inside', '82 01 1800', 2],
    ['an indefinite byte string', '5f4100ff', 0],
    ['an indefinite text', '7f6161ff', 0],
    ['an indefinite array', '9fff', 0],
    ['an indefinite map', 'bfff', 0],
    ['an indefinite array inside', '81 9fff', 1],
    ['unsorted integers', 'a2 02 00 01 00', 3],
    ['a text before an integer', 'a2 6161 00 01 00', 4],
    ['texts by alphabet and not by length', 'a2 626161 00 6162 00', 5],
    ['-1 before 100', 'a2 20 00 1864 00', 3],
    ['a repeated integer', 'a2 01 00 01 00', 3],
    ['a repeated text', 'a2 6161 00 6161 00', 4],
    ['a repeated byte string', 'a2 4161 00 4161 00', 4],
    ['a repeated key further on', 'a3 01 00 02 00 02 00', 5],
    ['a key out of order, whatever its value is', 'a2 02 00 01 f6', 3],
    ['a tag number, even out of place', '81 d812 00', 1],
  ])('refuses %s as not deterministic', (_, bytes, offset) => {
    expect(codeAt(() => decodeCbor(hex(bytes)))).toBe(`cbor_not_deterministic@${offset}`);
  });

  it.each([
    ['nothing at all', '', 0],
    ['a head cut short', '19 01', 0],
    ['a byte string cut short', '42 01', 0],
    ['a text cut short', '81 62 61', 1],
    ['an array cut short', '82 01', 2],
    ['a map without its last value', 'a1 01', 2],
    ['a length beyond every memory', '5b ffffffffffffffff 00', 0],
    ['an array beyond every memory', '9b ffffffffffffffff 00', 10],
    ['a trailing byte', '00 00', 1],
    ['additional information 28', '1c', 0],
    ['additional information 30', '81 7e', 1],
    ['an integer of indefinite length', '1f', 0],
    ['a negative integer of indefinite length', '3f', 0],
    ['a tag of indefinite length', 'df', 0],
    ['a stray break', '81 ff', 1],
    ['half a float', 'f93c00', 0],
    ['a single float', 'fa47c35000', 0],
    ['a double float', 'fb3ff199999999999a', 0],
    ['null', 'f6', 0],
    ['undefined', 'f7', 0],
    ['simple value 16', 'f0', 0],
    ['simple value 255', 'f8ff', 0],
    ['false in two bytes', 'f814', 0],
    ['reserved information of type 7', 'fc', 0],
    ['2^53', '1b0020000000000000', 0],
    ['-2^53', '3b001fffffffffffff', 0],
    ['2^64-1', '1bffffffffffffffff', 0],
    ['-2^64', '3bffffffffffffffff', 0],
    ['a continuation byte alone', '61 80', 0],
    ['an overlong text', '62 c080', 0],
    ['a surrogate in a text', '63 eda080', 0],
    ['a text beyond U+10FFFF', '64 f4908080', 0],
    ['a text cut within a character', '81 65 6161 616c c3', 1],
    ['an array at depth 9', '8181818181818181 80', 8],
    ['a map at depth 9', '8181818181818181 a0', 8],
    ['a tag', 'c0 00', 0],
    ['a tag inside', '81 d2 00', 1],
  ])('refuses %s as malformed', (_, bytes, offset) => {
    expect(codeAt(() => decodeCbor(hex(bytes)))).toBe(`cbor_malformed@${offset}`);
  });

  it('lets the first fault decide', () => {
    expect(codeAt(() => decodeCbor(hex('82 1800 f6')))).toBe('cbor_not_deterministic@1');
    expect(codeAt(() => decodeCbor(hex('82 f6 1800')))).toBe('cbor_malformed@1');
    expect(codeAt(() => decodeCbor(hex('9a00010000 1800')))).toBe('cbor_not_deterministic@5');
    expect(codeAt(() => decodeCbor(hex('81818181818181819f')))).toBe('cbor_not_deterministic@8');
    expect(codeAt(() => decodeCbor(hex('1b0000000000000000')))).toBe('cbor_not_deterministic@0');
    expect(codeAt(() => decodeCbor(hex('1801 00')))).toBe('cbor_not_deterministic@0');
    // The key's own fault comes before its order: a key is judged when it has been read whole.
    expect(codeAt(() => decodeCbor(hex('a2 820102 00 81f6 00')))).toBe('cbor_malformed@6');
  });

  it('adds the place of the bytes to the offset', () => {
    expect(thrown(() => decodeCbor(hex('81f6'), { offsetBase: 100 })).place.offset).toBe(101);
  });

  it('is not brought down by 10,000 levels, or by a million items that are not there', () => {
    expect(codeAt(() => decodeCbor(new Uint8Array(10_000).fill(0x81)))).toBe('cbor_malformed@8');
    expect(codeAt(() => decodeCbor(hex('9a000f4240')))).toBe('cbor_malformed@5');
  });

  it.each([
    ['1801', 'an integer is not in its shortest form'],
    ['3801', 'a negative integer is not in its shortest form'],
    ['580100', 'the length of a byte string is not in its shortest form'],
    ['780161', 'the length of a text is not in its shortest form'],
    ['980100', 'the length of an array is not in its shortest form'],
    ['b800', 'the length of a map is not in its shortest form'],
    ['d80100', 'a tag number is not in its shortest form'],
    ['9fff', 'an indefinite length is used'],
    ['a201000100', 'a map key is repeated'],
    ['a202000100', 'a map key comes after one that it should precede'],
    ['', 'the bytes end where an item should begin'],
    ['19', 'the bytes end within the head of an item'],
    ['4401', 'a string should have 4 bytes, but 1 are left'],
    ['0000', 'one byte follows the end of the item'],
    ['000000', '2 bytes follow the end of the item'],
    ['1c', 'the reserved additional information 28 is used'],
    ['1f', 'the reserved additional information 31 is used'],
    ['fc', 'the reserved additional information 28 is used'],
    ['fe', 'the reserved additional information 30 is used'],
    ['ff', 'a break is used where no indefinite length is open'],
    ['f6', 'null is used'],
    ['f7', 'undefined is used'],
    ['f9', 'a floating-point number is used'],
    ['fb', 'a floating-point number is used'],
    ['f8', 'a simple value other than true and false is used'],
    ['f3', 'a simple value other than true and false is used'],
    ['1b0020000000000000', 'an integer is outside of ±(2^53-1)'],
    ['61ff', 'a text is not valid UTF-8'],
    ['818181818181818180', 'arrays and maps are nested deeper than 8'],
    ['8181818181818181a0', 'arrays and maps are nested deeper than 8'],
    ['c000', 'a tag is used elsewhere than at the top'],
  ])('says what is wrong with %j in words', (bytes, words) => {
    const { code, message } = thrown(() => decodeCbor(hex(bytes)));
    expect(message).toBe(`the CBOR is ${code === 'cbor_malformed' ? 'malformed' : 'not deterministic'}: ${words}`);
  });
});

describe('decodeTaggedCbor', () => {
  it('reads one tag at the very top, or none', () => {
    expect(decodeTaggedCbor(hex('d280'))).toEqual({ tag: 18, value: [], embedded: undefined });
    expect(decodeTaggedCbor(hex('d86280'))).toEqual({ tag: 98, value: [], embedded: undefined });
    expect(decodeTaggedCbor(hex('80'))).toEqual({ tag: undefined, value: [], embedded: undefined });
    expect(decodeTaggedCbor(hex('dbffffffffffffffff 00')).tag).toBe(2 ** 64);
  });

  it.each([
    ['a tag not in its shortest form', 'd812 80', 'cbor_not_deterministic@0'],
    ['a tag in eight bytes', 'db0000000000000012 80', 'cbor_not_deterministic@0'],
    ['two tags', 'd2 d2 80', 'cbor_malformed@1'],
    ['a tag of nothing', 'd2', 'cbor_malformed@1'],
    ['an empty file', '', 'cbor_malformed@0'],
  ])('refuses %s', (_, bytes, fault) => {
    expect(codeAt(() => decodeTaggedCbor(hex(bytes)))).toBe(fault);
  });

  describe('with an embedded first item', () => {
    const read = (bytes: string): unknown => decodeTaggedCbor(hex(bytes), { embeddedFirst: true }).embedded;

    it('walks it, with its depth counted anew', () => {
      expect(read('d2 81 43 a10126')).toEqual(new Map([[1, -7]]));
      expect(read('81 49 818181818181818100')).toEqual([[[[[[[[0]]]]]]]]);
    });

    it('checks what it does not build, and says of it what type it is and that it is not empty', () => {
      const shallow = (bytes: string): unknown =>
        decodeTaggedCbor(hex(bytes), { embeddedFirst: true, shallow: true }).value;
      expect(shallow('84 80 a0 8102 a10203')).toEqual([[], new Map(), [0], new Map([[0, 0]])]);
      // Of a longer array the length is right; a longer map only is not empty.
      expect(shallow(`91 01 ${'02'.repeat(16)}`)).toEqual(Object.assign([1], { length: 17 }));
      const pairs = Array.from({ length: 17 }, (_, i) => `${i.toString(16).padStart(2, '0')}00`);
      expect(shallow(`b1 ${pairs.join('')}`)).toEqual(new Map([[0, 0]]));
      // The items of one byte that are checked together, with one that is not whole, or nested too deep, among them.
      for (const faulty of ['8600000000001c', '86000000000018', '850000000061', '8581818181818181818000000000'])
        expect(codeAt(() => shallow(faulty))).toBe(codeAt(() => decodeTaggedCbor(hex(faulty))));
      for (const faulty of ['8181f6', '8181 1801', '8181a2010001 00', '81a10061ff', '818181818181818181 00'])
        expect(codeAt(() => shallow(faulty))).toBe(codeAt(() => decodeTaggedCbor(hex(faulty))));
      expect(codeAt(() => shallow('8181f6'))).toBe('cbor_malformed@2');
    });

    it('does not decode what is not a byte string, or an empty byte string', () => {
      expect(read('81 01')).toBeUndefined();
      expect(read('81 40')).toBeUndefined();
      expect(read('80')).toBeUndefined();
      expect(read('43 ffffff')).toBeUndefined();
      expect(read('82 00 41ff')).toBeUndefined();
      expect(read('81 81 41ff')).toBeUndefined();
    });

    it('places its faults in the whole, before those of what follows', () => {
      expect(codeAt(() => read('d2 82 42 1801 f6'))).toBe('cbor_not_deterministic@3');
      expect(codeAt(() => read('d2 82 43 a1f601 1801'))).toBe('cbor_malformed@4');
      expect(codeAt(() => read('d2 82 42 0000 00'))).toBe('cbor_malformed@4');
      expect(codeAt(() => read('d2 82 42 d200 00'))).toBe('cbor_malformed@3');
    });
  });
});
