import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { faultsOf, lookUpsIn, MAX_OTHERS, search, sourceFiles, type LookUp } from './look-ups.ts';

const PAGE = readFileSync(join(ROOT, 'docs/look-ups.md'), 'utf8');
const files = sourceFiles(ROOT);
const lookUps = lookUpsIn(PAGE);

describe('docs/look-ups.md', () => {
  it('has a row for each line of its tables, and no question twice', () => {
    const lines = PAGE.split('\n').filter((line) => /^\| (?!where is …)/.test(line));
    expect(lookUps.length).toBe(lines.length);
    expect(new Set(lookUps.map(({ question }) => question)).size).toBe(lookUps.length);
    expect(lookUps.filter(({ searches }) => searches.length === 0)).toEqual([]);
  });

  it.each(lookUps)('the words of a newcomer find $question', (lookUp) => {
    expect(faultsOf(lookUp, files)).toEqual([]);
  });
});

describe('a look-up', () => {
  const lookUp: LookUp = { question: 'the lock', searches: ['one lock'], file: 'signer/lock.ts', name: 'acquire' };
  const text = '/**\n * One\n * lock.\n *\n * Second paragraph.\n */\nacquire();\n';

  it('has no fault if path and first paragraph contain its words', () => {
    expect(faultsOf(lookUp, [{ path: 'signer/lock.ts', text }])).toEqual([]);
  });

  it.each([
    ['was renamed', [{ path: 'signer/door.ts', text }], 'signer/lock.ts does not exist'],
    [
      'does not contain the name',
      [{ path: 'signer/lock.ts', text: text.replace('acquire', 'enter') }],
      'signer/lock.ts does not contain acquire',
    ],
    [
      'has none of the words in its first paragraph',
      [{ path: 'signer/lock.ts', text: text.replace(' * One\n', ' * Each\n') }],
      '"one lock" does not find signer/lock.ts, but: nothing',
    ],
    [
      'is one of too many',
      ['signer/lock.ts', 'a.ts', 'b.ts', 'c.ts', 'd.ts', 'e.ts', 'f.ts'].map((path) => ({ path, text })),
      `"one lock" finds ${MAX_OTHERS + 2} files: signer/lock.ts, a.ts, b.ts, c.ts, d.ts, e.ts, f.ts`,
    ],
  ])('has a fault if its file %s', (_, tree, fault) => {
    expect(faultsOf(lookUp, tree)).toEqual([fault]);
  });

  it('finds the beginnings of words, in any case, and nothing of a later paragraph', () => {
    const tree = [{ path: 'signer/lock.ts', text }];
    expect(search(tree, 'LOC sign')).toEqual(['signer/lock.ts']);
    expect(search(tree, 'ock')).toEqual([]);
    expect(search(tree, 'second')).toEqual([]);
  });
});
