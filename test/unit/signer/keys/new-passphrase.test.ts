import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { checkNewPassphrase } from '../../../../signer/keys/file-keystore.ts';

function refused(passphrase: Uint8Array): boolean {
  try {
    checkNewPassphrase(passphrase);
    return false;
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'passphrase_refused') return true;
    throw error;
  }
}

describe('a new passphrase', () => {
  it.each([
    ['', true],
    ['elevenchars', true],
    ['twelve chars', false],
    // Twelve bytes and more, but fewer characters.
    ['äöüßéè', true],
    ['äöüßéèäöüßé', true],
    ['🔑🔑🔑', true],
    ['パスワードを長くする', true],
    [' '.repeat(12), true],
    ['\t '.repeat(20), true],
    ['äöüßéèäöüßéè', false],
    ['🔑🗝🔒🔓🚪'.repeat(3), false],
    // Long, and guessed first.
    [' '.repeat(12), true],
    ['🔑'.repeat(12), true],
    ['abcdabcdabcd', true],
    ['äöüääöüääöüä', true],
    ['abcdeabcdeab', false],
  ])('%j should have twelve characters: refused %s', (text, expected) => {
    expect(refused(utf8(text))).toBe(expected);
  });

  it('is counted as it was typed, also where it is not UTF-8', () => {
    expect(refused(Uint8Array.of(0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec))).toBe(false);
    expect(refused(new Uint8Array(12).fill(0x80))).toBe(true);
  });
});
