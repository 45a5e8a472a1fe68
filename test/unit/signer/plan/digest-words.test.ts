import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestWordLines, digestWords } from '../../../../signer/plan/digest-words.ts';

const ALL = Array.from({ length: 256 }, (_, byte) => digestWords(byte.toString(16).padStart(2, '0'))[0] ?? '');

/** Letters to change, add or take away to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

describe('the word list', () => {
  it('has 256 words of 4 to 8 plain letters in alphabetical order', () => {
    expect(ALL).toHaveLength(256);
    expect(ALL.every((word) => /^[a-z]{4,8}$/.test(word))).toBe(true);
    expect(ALL).toEqual([...ALL].sort());
  });

  it('has no two words that are mixed up easily: the first three letters differ, and at least two letters in all', () => {
    expect(new Set(ALL.map((word) => word.slice(0, 3))).size).toBe(256);
    const near = ALL.flatMap((a, i) =>
      ALL.slice(0, i)
        .filter((b) => distance(a, b) < 2)
        .map((b) => `${a} ${b}`),
    );
    expect(near).toEqual([]);
  });

  it('never changes: words that were written down stay what they meant', () => {
    expect(createHash('sha256').update(ALL.join('\n')).digest('hex')).toBe(
      '26abdd526c887e46a938bb25eb1f59d06d2ed8051df9a537ddc24177cc7b40ff',
    );
  });
});

describe('a digest in words', () => {
  it('is one word a byte, in numbered lines of eight', () => {
    const lines = digestWordLines('00ff'.repeat(16));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(`   1  ${`${ALL[0] ?? ''} ${ALL[255] ?? ''} `.repeat(4).trim()}`);
    expect(lines[3]).toMatch(/^ {2}25 {2}/);
  });
});
