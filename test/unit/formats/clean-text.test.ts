import { describe, expect, it } from 'vitest';
import { cleanText, counted, groupDigits, hasControlOrBidi } from '../../../formats/clean-text.ts';

const of = String.fromCodePoint;

describe('cleanText', () => {
  it.each(['Acme GmbH', 'Größe & Söhne – Straße', '株式会社例', 'שלום', 'a\\b', '🚀', 'e\u0301'])(
    'leaves %s as it is',
    (text) => {
      expect(cleanText(text)).toBe(text);
      expect(hasControlOrBidi(text)).toBe(false);
    },
  );

  it.each([
    ['NUL', 0x0],
    ['escape', 0x1b],
    ['line feed', 0x0a],
    ['delete', 0x7f],
    ['the C1 escape', 0x9b],
    ['line separator', 0x2028],
    ['paragraph separator', 0x2029],
    ['left-to-right mark', 0x200e],
    ['right-to-left mark', 0x200f],
    ['Arabic letter mark', 0x61c],
    ['right-to-left override', 0x202e],
    ['left-to-right embedding', 0x202a],
    ['left-to-right isolate', 0x2066],
    ['pop isolate', 0x2069],
  ])('escapes %s, which a name may not have', (_, code) => {
    expect(cleanText(`a${of(code)}b`)).toBe(`a\\u{${code.toString(16).toUpperCase().padStart(4, '0')}}b`);
    expect(hasControlOrBidi(`a${of(code)}b`)).toBe(true);
  });

  it.each([
    ['soft hyphen', 0xad],
    ['zero width space', 0x200b],
    ['zero width joiner', 0x200d],
    ['word joiner', 0x2060],
    ['byte order mark', 0xfeff],
    ['a tag', 0xe0041],
    ['a variation selector', 0xfe0f],
    ['Hangul filler', 0x3164],
    ['a private character', 0xe000],
    ['a noncharacter', 0xffff],
    ['an unassigned character', 0x378],
    ['a lone surrogate', 0xd800],
  ])('escapes %s', (_, code) => {
    expect(cleanText(of(code))).toBe(`\\u{${code.toString(16).toUpperCase().padStart(4, '0')}}`);
    expect(hasControlOrBidi(of(code))).toBe(false);
  });

  it('takes the sting out of a terminal sequence', () => {
    expect(cleanText('Acme\u001b[2J\u001b]0;owned\u0007')).toBe('Acme\\u{001B}[2J\\u{001B}]0;owned\\u{0007}');
  });

  it('cuts by code points, never within one, and says that it did', () => {
    expect(cleanText('abc', 3)).toBe('abc');
    expect(cleanText('abcd', 3)).toBe('abc…');
    expect(cleanText('🚀🚀🚀', 3)).toBe('🚀🚀🚀');
    expect(cleanText('🚀🚀🚀🚀', 3)).toBe('🚀🚀🚀…');
    expect(cleanText('a'.repeat(100_000))).toBe(`${'a'.repeat(200)}…`);
    expect(cleanText('\uffffab', 2)).toBe('\\u{FFFF}a…');
    expect(cleanText('\u{10000}ab', 2)).toBe('\u{10000}a…');
    expect(cleanText('abc', 0)).toBe('…');
    expect(cleanText('')).toBe('');
    expect(cleanText('\ud83d\ud83d\ud83d🚀', 3)).toBe('\\u{D83D}\\u{D83D}\\u{D83D}…');
  });
});

it('shows numbers in groups of digits, and one thing as one', () => {
  expect([0, 999, 1024, 1_234_567].map(groupDigits)).toEqual(['0', '999', '1,024', '1,234,567']);
  expect([0, 1, 2, 2001].map((count) => counted(count, 'license', 'licenses'))).toEqual([
    '0 licenses',
    '1 license',
    '2 licenses',
    '2,001 licenses',
  ]);
});
