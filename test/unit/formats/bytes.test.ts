import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concatBytes,
  copyBytes,
  equalBytes,
  fromHex,
  toHex,
  utf8,
  utf8FaultAt,
} from '../../../formats/bytes.ts';

const of = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);

describe('bytes', () => {
  it('are joined into a fresh array', () => {
    const part = of(1, 2);
    const joined = concatBytes(part, of(), of(3));
    part.fill(0);
    expect(joined).toEqual(of(1, 2, 3));
    expect(concatBytes()).toEqual(of());
  });

  it('are copied, also out of a Buffer', () => {
    const source = Buffer.from([1, 2, 3, 4]);
    const copies = [copyBytes(source), copyBytes(source, 1), copyBytes(source, 1, 3)];
    source.fill(0);
    expect(copies).toEqual([of(1, 2, 3, 4), of(2, 3, 4), of(2, 3)]);
    expect(copies.some((copy) => Buffer.isBuffer(copy))).toBe(false);
  });

  it('are compared', () => {
    expect(equalBytes(of(1, 2), of(1, 2))).toBe(true);
    expect(equalBytes(of(1, 2), of(1, 3))).toBe(false);
    expect(equalBytes(of(1, 2), of(0, 2))).toBe(false);
    expect(equalBytes(of(1, 2), of(1, 2, 0))).toBe(false);
    expect(compareBytes(of(1, 2), of(1, 2))).toBe(0);
    expect(compareBytes(of(1), of(1, 0))).toBeLessThan(0);
    expect(compareBytes(of(2), of(1, 255))).toBeGreaterThan(0);
    expect(compareBytes(of(0x7f), of(0x80))).toBeLessThan(0);
  });

  it('go to hex and back', () => {
    expect(toHex(of(0, 10, 255))).toBe('000aff');
    expect(fromHex('000AfF')).toEqual(of(0, 10, 255));
    for (const wrong of ['0', '0x', '0g', ' 00', '00\n']) expect(fromHex(wrong)).toBeUndefined();
    const characters = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code));
    const digits = characters.filter((character) => /[0-9A-Fa-f]/.test(character));
    expect(characters.filter((character) => fromHex(`${character}7`) !== undefined)).toEqual(digits);
    expect(characters.filter((character) => fromHex(`7${character}`) !== undefined)).toEqual(digits);
    for (const digit of digits)
      expect(fromHex(`${digit}7${digit}`.padEnd(4, digit))).toEqual(
        of(Number.parseInt(`${digit}7`, 16), Number.parseInt(`${digit}${digit}`, 16)),
      );
  });
});

describe('the first fault in UTF-8', () => {
  it('is found in each sequence that RFC 3629 does not have, and in no other', () => {
    const firsts = [0x7f, 0x80, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5];
    const seconds = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
    const others = [0x7f, 0x80, 0xbf, 0xc0];
    const wrong: Uint8Array[] = [];
    const check = (...bytes: readonly number[]): void => {
      if (utf8FaultAt(of(...bytes)) < 0 !== isUtf8(of(...bytes))) wrong.push(of(...bytes));
    };
    for (let first = 0; first < 256; first++) check(first, 0x90, 0xa0, 0xa0);
    for (const first of firsts) {
      check(first);
      for (const second of seconds) {
        check(first, second);
        for (const third of others) {
          check(first, second, third);
          for (const fourth of others) check(first, second, third, fourth);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is at the first byte of the character that is not whole or not valid', () => {
    const text = utf8('aé€🔑');
    expect(utf8FaultAt(text)).toBe(-1);
    expect([2, 4, 5, 7, 8, 9].map((to) => utf8FaultAt(text, 0, to))).toEqual([1, 3, 3, 6, 6, 6]);
    expect([0, 1, 3, 6].map((to) => utf8FaultAt(text, 0, to))).toEqual([-1, -1, -1, -1]);
    expect([1, 3, 6, 10].map((from) => utf8FaultAt(text, from))).toEqual([-1, -1, -1, -1]);
    expect([2, 4, 5, 7].map((from) => utf8FaultAt(text, from))).toEqual([2, 4, 5, 7]);
    expect(utf8FaultAt(of(0x61, 0x61, 0xc3, 0x28))).toBe(2);
  });
});
