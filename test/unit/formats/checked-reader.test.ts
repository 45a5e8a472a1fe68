import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../formats/bytes.ts';
import { CheckedReader } from '../../../formats/cbor/checked-reader.ts';
import {
  encodeHead,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TEXT,
  MAJOR_UNSIGNED,
} from '../../../formats/cbor/head.ts';

const ARGUMENTS = [0, 1, 22, 23, 24, 25, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

describe('a reader of checked CBOR', () => {
  it('begins with the argument 0', () => {
    expect(new CheckedReader(new Uint8Array()).argument).toBe(0);
  });

  it.each([MAJOR_UNSIGNED, MAJOR_NEGATIVE, MAJOR_ARRAY, MAJOR_MAP])(
    'reads heads of the major type %i, one behind the other',
    (major) => {
      const reader = new CheckedReader(concatBytes(...ARGUMENTS.map((argument) => encodeHead(major, argument))));
      const read = ARGUMENTS.map(() => [reader.head(), reader.argument]);
      expect(read).toEqual(ARGUMENTS.map((argument) => [major, argument]));
    },
  );

  it('reads false and true as simple values', () => {
    const reader = new CheckedReader(Uint8Array.of(0xf4, 0xf5));
    expect([reader.head(), reader.argument, reader.head(), reader.argument]).toEqual([7, 20, 7, 21]);
  });

  it.each([0, 1, 23, 24, 300])('reads the content of strings of %i bytes, and goes on behind it', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    const text = 'ä'.repeat(length);
    const reader = new CheckedReader(
      concatBytes(
        encodeHead(MAJOR_BYTES, length),
        bytes,
        encodeHead(MAJOR_TEXT, 2 * length),
        utf8(text),
        encodeHead(MAJOR_UNSIGNED, 7),
      ),
    );
    expect([reader.head(), reader.hex()]).toEqual([MAJOR_BYTES, toHex(bytes)]);
    expect([reader.head(), reader.text()]).toEqual([MAJOR_TEXT, text]);
    expect([reader.head(), reader.argument]).toEqual([MAJOR_UNSIGNED, 7]);
  });
});
