/**
 * Walks through docs/officers-year.md with 2,000 customers and writes what was shown into it: after a change of what a
 * command prints. Takes some minutes.
 *
 *   node test/docs/make-year.ts
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FULL_SEASON, OFFICERS_YEAR, yearWith } from '../support/officers-year.ts';
import { walkDocument } from '../support/walk-document.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-year-'));
try {
  const orders = Number(process.argv[2] ?? FULL_SEASON);
  const { steps, document } = await walkDocument(readFileSync(OFFICERS_YEAR, 'utf8'), yearWith(orders, folder));
  for (const { command, code } of steps) if (code !== 0) process.stdout.write(`exit ${code}: ${command}\n`);
  writeFileSync(OFFICERS_YEAR, document);
} finally {
  rmSync(folder, { recursive: true });
}
