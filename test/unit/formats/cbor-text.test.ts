/** Texts of CBOR items: the characters at the bounds of each length of UTF-8, and the two ways to decode. */
import { describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { decodeUtf8, isUtf8 } from '../../../formats/cbor/text.ts';

/** The first and the last characters of one to four bytes, and some whose bytes use every bit. */
const CHARACTERS = ['\0', 'a', '\u007f', '\u0080', '\u00e9', '\u07ff', '\u0800', '\ufeff', '\uffff', '\u{10000}'];
const LAST = '\u{10ffff}';

describe('the text of bytes', () => {
  it.each([...CHARACTERS, LAST, '\u{2f81a}'])('is decoded where it has the character %j', (character) => {
    for (const text of [character, `a${character}`, `${character}z`, `é${character}é`, character.repeat(200)])
      expect(decodeUtf8(utf8(`xx${text}yy`), 2, 2 + utf8(text).length)).toBe(text);
  });

  it('keeps a byte order mark, in a short text and in a long one', () => {
    for (const text of ['\ufeffa', `\ufeff${'a'.repeat(500)}`])
      expect(decodeUtf8(utf8(text), 0, utf8(text).length)).toBe(text);
  });

  it('is decoded by the decoder of the engine from 128 bytes on, which is slow to start', () => {
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    try {
      const bytes = utf8('a'.repeat(400));
      expect(decodeUtf8(bytes, 200, 327)).toBe('a'.repeat(127));
      expect(decode).toHaveBeenCalledTimes(0);
      expect(decodeUtf8(bytes, 200, 328)).toBe('a'.repeat(128));
      expect(decode).toHaveBeenCalledTimes(1);
    } finally {
      decode.mockRestore();
    }
  });

  it('is valid where each character of it is', () => {
    const bytes = utf8(CHARACTERS.join(''));
    expect(isUtf8(bytes, 0, bytes.length)).toBe(true);
    expect(isUtf8(bytes, 0, bytes.length - 1)).toBe(false);
    expect(isUtf8(Uint8Array.of(0xff), 0, 1)).toBe(false);
    expect(isUtf8(Uint8Array.of(0x61, 0xff), 0, 2)).toBe(false);
    expect(isUtf8(Uint8Array.of(0x61, 0xff, 0x61), 0, 1)).toBe(true);
    expect(isUtf8(Uint8Array.of(0xff, 0x61), 1, 2)).toBe(true);
  });
});
