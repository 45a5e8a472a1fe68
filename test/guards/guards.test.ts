/** Each guard is in the source, SECURITY.md names it, and a sample is removed. `npm run test:mutants` removes all. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import type { Guard } from './guard.ts';
import { GUARDS } from './guards.ts';
import { TreeCopy, withoutGuard } from './mutate.ts';
import { firstCells, tableBelow, tableOf, TITLE } from './security-table.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const SECURITY = read('SECURITY.md');

/** Tests that take about a second: one guard of each is removed here. */
const QUICK = [
  'test/unit/formats/armor.test.ts',
  'test/unit/verifier/rollback.test.ts',
  'test/unit/signer/plan/plan-freshness.test.ts',
];

describe('the list of guards', () => {
  it.each(GUARDS)('finds in its source what it removes: $does', (guard) => {
    expect(withoutGuard(read(guard.file), guard)).not.toBe(read(guard.file));
    expect(existsSync(join(ROOT, guard.test))).toBe(true);
  });

  it('names each guard once, with a sentence that a row of the table can contain', () => {
    expect(new Set(GUARDS.map(({ does }) => does)).size).toBe(GUARDS.length);
    expect(GUARDS.filter(({ does }) => /[|\n]|\.$/.test(does))).toEqual([]);
  });

  it('fails loudly where the source no longer contains a guard, or contains it twice', () => {
    const [guard] = GUARDS as readonly [Guard];
    expect(() => withoutGuard('', guard)).toThrow('it is there 0 times');
    expect(() => withoutGuard(`${guard.find}\n${guard.find}`, guard)).toThrow('it is there 2 times');
  });

  it('finds a guard that the formatter has broken into lines', () => {
    const guard: Guard = { ...(GUARDS as readonly [Guard])[0], find: 'if (a && b) fail();', replace: '' };
    expect(withoutGuard('before();\nif (\n  a &&\n  b\n)\n  fail();\nafter();', guard)).toBe('before();\n\nafter();');
  });
});

describe('SECURITY.md', () => {
  it('has the table of all guards (if not, the right one is in this failure)', () => {
    expect(tableBelow(SECURITY, TITLE)).toEqual(tableOf(GUARDS));
  });

  it('has at least one guard for each row of what is protected', () => {
    const rows = firstCells(tableBelow(SECURITY, '## What is protected, and against whom'));
    expect([...new Set(GUARDS.map(({ against }) => against))].toSorted()).toEqual(rows.toSorted());
  });
});

describe('a source without one of its guards', () => {
  it('makes the test of that guard fail, and the same test is green with it', { timeout: 300_000 }, async () => {
    const copy = new TreeCopy();
    try {
      const { green, output } = await copy.isGreen(...QUICK);
      expect(green, output).toBe(true);
      for (const test of QUICK) {
        const guard = GUARDS.find((candidate) => candidate.test === test);
        if (guard === undefined) throw new Error(`no guard has the test ${test}`);
        expect(await copy.tryWithout(guard)).toEqual({ guard, outcome: 'noticed', output: '' });
      }
    } finally {
      copy.remove();
    }
  });
});
