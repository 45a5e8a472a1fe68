import { describe, expect, it } from 'vitest';
import {
  decodeBase64,
  decodeBase64Into,
  decodeBase64Url,
  encodeBase64,
  encodeBase64Into,
  encodeBase64Url,
} from '../../../formats/base64.ts';
import { utf8 } from '../../../formats/bytes.ts';

describe('base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('agrees with RFC 4648 §10 for "%s"', (text, base64) => {
    expect(encodeBase64(utf8(text))).toBe(base64);
    expect(decodeBase64(base64)).toEqual(utf8(text));
    expect(encodeBase64Url(utf8(text))).toBe(base64.replaceAll('=', ''));
    expect(decodeBase64Url(base64.replaceAll('=', ''))).toEqual(utf8(text));
  });

  it('has the whole of both alphabets', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => Math.max(0, i - 40) % 256);
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
    expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
  });

  it.each([
    ['no padding', 'Zg'],
    ['half of the padding', 'Zg='],
    ['too much padding', 'Zm9v===='],
    ['padding in the middle', 'Zg==Zm9v'],
    ['padding before the last character', 'Zm=v'],
    ['only padding', '===='],
    ['one character and padding', 'Z==='],
    ['unused bits of one byte', 'Zh=='],
    ['unused bits of two bytes', 'Zm9='],
    ['a blank', 'Zm9 '],
    ['a line end', 'Zm9v\n'],
    ['the other alphabet', 'Zm9-'],
    ['a character beyond ASCII', 'Zm9ſ'],
    ['NUL', 'Zm9\0'],
    // Beside a character whose last bits are zero, so that only the strange one is at fault.
    ['a strange first character before the padding of two', '!A=='],
    ['a strange second character before the padding of two', 'A!=='],
    ['a strange first character before the padding of one', '!AA='],
    ['a strange second character before the padding of one', 'A!A='],
    ['a strange third character before the padding of one', 'AA!='],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  it.each([
    ['a length that nothing has', 'Z'],
    ['padding', 'Zg=='],
    ['unused bits of one byte', 'Zh'],
    ['unused bits of two bytes', 'Zm9'],
    ['the other alphabet', 'Zm9+'],
    ['a strange character in the tail', 'Z!'],
    ['a strange character in a whole group', 'Zm!v'],
  ])('url: refuses %s', (_, text) => {
    expect(decodeBase64Url(text)).toBeUndefined();
  });

  it('decodes a part of the source into a part of the target', () => {
    const target = new Uint8Array(5).fill(9);
    expect(decodeBase64Into(utf8('..Zm8=..'), 2, 6, target, 1)).toBe(3);
    expect(target).toEqual(Uint8Array.of(9, 0x66, 0x6f, 9, 9));
    expect(decodeBase64Into(utf8('Zm8'), 0, 3, target, 0)).toBeUndefined();
    expect(decodeBase64Into(utf8('Zg=='), 4, 4, target, 2)).toBe(2);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'encodes a part of the source, %i bytes from its second on, into a part of the target',
    (n) => {
      const source = Uint8Array.from({ length: 8 }, (_, i) => 0xf1 - 31 * i);
      const expected = Buffer.from(source.subarray(1, 1 + n)).toString('base64');
      const target = new Uint8Array(12).fill(0x2e);
      expect(encodeBase64Into(source, 1, 1 + n, target, 1)).toBe(1 + expected.length);
      expect(Buffer.from(target).toString('latin1')).toBe(`.${expected}`.padEnd(12, '.'));
    },
  );
});
