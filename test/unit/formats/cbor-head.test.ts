/** Heads as they are written and read, and the table of the items that have only one byte. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import {
  compareKeys,
  encodeHead,
  headLength,
  MAJOR_BYTES,
  MAX_HEAD_BYTES,
  readByteStringHead,
  WHOLE_ITEM,
  WHOLE_ITEM_AT_THE_BOTTOM,
  writeHead,
} from '../../../formats/cbor/head.ts';
import { hex } from './hex.ts';

describe('a head that is written', () => {
  it.each([
    [0, '40'],
    [23, '57'],
    [24, '5818'],
    [255, '58ff'],
    [256, '590100'],
    [0x1234, '591234'],
    [65_535, '59ffff'],
    [65_536, '5a00010000'],
    [0x1234_5678, '5a12345678'],
    [0xedcb_a987, '5aedcba987'],
    [2 ** 32 - 1, '5affffffff'],
    [2 ** 32, '5b0000000100000000'],
    [0x12_3456_789a_bcde, '5b0012 3456 789a bcde'],
    [Number.MAX_SAFE_INTEGER, '5b001fffffffffffff'],
  ])('has the argument %i in its shortest form', (argument, expected) => {
    const head = encodeHead(MAJOR_BYTES, argument);
    expect(head).toEqual(hex(expected));
    expect(headLength(argument)).toBe(head.length);
    expect(head.length).toBeLessThanOrEqual(MAX_HEAD_BYTES);
    const out = new Uint8Array(12).fill(0xee);
    expect(writeHead(out, 2, MAJOR_BYTES, argument)).toBe(2 + head.length);
    expect(toHex(out)).toBe(`eeee${toHex(head)}`.padEnd(24, 'e'));
  });
});

describe('the head of a byte string, in bytes that may end anywhere,', () => {
  it.each([
    ['40', 1, 0],
    ['57', 1, 23],
    ['5818', 2, 24],
    ['58ff', 2, 255],
    ['590100', 3, 256],
    ['591234', 3, 0x1234],
    ['5a00010000', 5, 65_536],
    ['5affeeddcc', 5, 0xffee_ddcc],
  ])('is read from %s, with and without bytes behind it', (bytes, headBytes, length) => {
    expect(readByteStringHead(hex(bytes))).toEqual({ headBytes, length });
    expect(readByteStringHead(hex(`${bytes}ff`))).toEqual({ headBytes, length });
  });

  it.each(['', '58', '59', '5901', '5a000100'])('is incomplete in "%s"', (bytes) => {
    expect(readByteStringHead(hex(bytes))).toBe('incomplete');
  });

  it.each([
    ['of a text', '6161'],
    ['of a negative integer', '37'],
    ['of 24 bytes in one byte too many', '5817'],
    ['of 255 bytes in two', '5900ff'],
    ['of 65,535 bytes in four', '5a0000ffff'],
    ['of 4 GiB and more', '5b0000000100000000'],
    ['of indefinite length', '5f41ff'],
  ])('is malformed where it is that %s', (_, bytes) => {
    expect(readByteStringHead(hex(bytes))).toBe('malformed');
  });
});

it('compares encoded keys bytewise, wherever they are', () => {
  const bytes = hex('ff 6161 00 6162 00 6161 00 186400 626161');
  const orders = ([from, to, at]: readonly number[]): number =>
    Math.sign(compareKeys(bytes, from ?? 0, to ?? 0, at ?? 0));
  expect(
    [
      [1, 3, 4],
      [4, 6, 1],
      [1, 3, 7],
      [1, 3, 10],
      [10, 12, 1],
      [1, 3, 13],
    ].map(orders),
  ).toEqual([1, -1, 0, -1, 1, 1]);
});

describe('the table of whole items', () => {
  const isRead = (bytes: readonly number[]): boolean => {
    try {
      decodeCbor(Uint8Array.from(bytes));
      return true;
    } catch {
      return false;
    }
  };
  const table = (around: readonly number[]): Uint8Array =>
    Uint8Array.from({ length: 256 }, (_, initial) => (isRead([...around, initial]) ? 1 : 0));

  it('has each byte that is an item by itself', () => {
    expect(WHOLE_ITEM).toEqual(table([]));
  });

  it('has no arrays and maps where they would be nested too deep', () => {
    expect(WHOLE_ITEM_AT_THE_BOTTOM).toEqual(table([0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81]));
  });
});
