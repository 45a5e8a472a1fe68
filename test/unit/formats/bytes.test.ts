import { describe, expect, it } from 'vitest';
import { compareBytes, concatBytes, copyBytes, equalBytes, fromHex, toHex } from '../../../formats/bytes.ts';

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
  });
});
