import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT } from '../../../formats/exit-codes.ts';
import { ROOT } from '../../support/run-cli.ts';

it('the table of exit codes in README.md has each code of the one list, once', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, table = ''] = /\n### Exit codes\n([\s\S]*?)\n9, 12 and 13/.exec(text) ?? [];
  const cells = table.split('\n').flatMap((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const numbers = cells.filter((cell) => /^\d+$/.test(cell)).map(Number);
  expect(numbers.sort((a, b) => a - b)).toEqual(Object.values(EXIT).sort((a, b) => a - b));
});
