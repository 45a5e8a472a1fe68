import { describe, expect, it } from 'vitest';
import { isId, isUuidV7Bytes, makeUuidV7, uuidFromBytes, uuidToBytes } from '../../../formats/license/id.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

describe('isId', () => {
  it.each(['a', 'Z', '0', 'a.b', 'a_b', 'a:b', 'a-b', '1-', 'a'.repeat(128)])('takes %s', (text) =>
    expect(isId(text)).toBe(true),
  );
  it.each([
    '',
    '.a',
    '_a',
    ':a',
    '-a',
    'a b',
    ' a',
    'a ',
    'a\n',
    'a/b',
    'ä',
    'a\u0000',
    'a'.repeat(129),
    'Ａ',
    'aſ',
    '𝒂',
  ])('refuses %j', (text) => expect(isId(text)).toBe(false));

  it.each([[undefined], [null], [5], [['a']]])('refuses %j, which a caller without types may give', (value) =>
    expect(isId(value)).toBe(false),
  );

  it('agrees with the pattern of the format on every character', () => {
    for (let code = 0; code < 0x300; code++) {
      const character = String.fromCharCode(code);
      expect([code, isId(character), isId(`a${character}`)]).toEqual([
        code,
        /^[A-Za-z0-9]$/.test(character),
        /^[A-Za-z0-9._:-]$/.test(character),
      ]);
    }
  });
});

describe('license ids', () => {
  it('are made of the time and 74 random bits (the example of RFC 9562, Appendix A.6)', () => {
    // unix_ts_ms 0x017f22e279b0, rand_a 0xcc3, rand_b 0x18c4dc0c0c07398f
    expect(makeUuidV7(0x01_7f_22_e2_79_b0, hex('0cc318c4dc0c0c07398f'))).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
    expect(makeUuidV7(0x01_7f_22_e2_79_b0, hex('fcc3d8c4dc0c0c07398f'))).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
    expect(makeUuidV7(0, new Uint8Array(10))).toBe('00000000-0000-7000-8000-000000000000');
    expect(makeUuidV7(2 ** 48 - 1, new Uint8Array(10).fill(0xff))).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff');
  });

  it('leave the random bytes as they were', () => {
    const random = new Uint8Array(10).fill(0xff);
    makeUuidV7(1, random);
    expect(random).toEqual(new Uint8Array(10).fill(0xff));
  });

  it('want a time and ten bytes', () => {
    for (const time of [-1, 0.5, 2 ** 48, Number.NaN])
      expect(thrown(() => makeUuidV7(time, new Uint8Array(10))).code).toBe('internal');
    expect(thrown(() => makeUuidV7(0, new Uint8Array(9))).code).toBe('internal');
    expect(thrown(() => uuidFromBytes(new Uint8Array(15))).code).toBe('internal');
  });

  it('go from text to bytes and back', () => {
    const text = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
    const bytes = uuidToBytes(text);
    expect(bytes).toEqual(hex('017f22e279b07cc398c4dc0c0c07398f'));
    expect(uuidFromBytes(bytes ?? new Uint8Array(16))).toBe(text);
    expect(isUuidV7Bytes(bytes ?? new Uint8Array(16))).toBe(true);
  });

  it.each([
    '',
    '017f22e279b07cc398c4dc0c0c07398f',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e2-79b0-4cc3-98c4-dc0c0c07398f',
    '017f22e2-79b0-7cc3-c8c4-dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
    '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
    'ab017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398fab',
  ])('have one spelling, not %j', (text) => expect(uuidToBytes(text)).toBeUndefined());
});
