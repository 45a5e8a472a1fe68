/**
 * Walks through docs/rotation.md and writes what was shown into it: after a change of what a command prints.
 *
 *   node test/docs/make-rotation.ts
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { yearWith } from '../support/officers-year.ts';
import { ROOT } from '../support/run-cli.ts';
import { walkDocument } from '../support/walk-document.ts';

const DOCUMENT = join(ROOT, 'docs/rotation.md');
const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-'));
try {
  const { steps, document } = await walkDocument(readFileSync(DOCUMENT, 'utf8'), yearWith(0, folder));
  for (const { command, code } of steps) if (code !== 0) process.stdout.write(`exit ${code}: ${command}\n`);
  writeFileSync(DOCUMENT, document);
} finally {
  rmSync(folder, { recursive: true });
}
