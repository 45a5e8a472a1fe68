/**
 * Walks through docs/rotation.md and writes what was shown into it: after a change of what a command prints. With
 * `tokens`, it walks through docs/rotation-tokens.md instead, which needs what the tests on tokens need.
 *
 *   node test/docs/make-rotation.ts [tokens]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROTATION_WITH_TOKENS, walkWithTokens } from '../pkcs11/support/walk-with-tokens.ts';
import { yearWith } from '../support/officers-year.ts';
import { ROOT } from '../support/run-cli.ts';
import { walkDocument } from '../support/walk-document.ts';

const withTokens = process.argv[2] === 'tokens';
const DOCUMENT = withTokens ? ROTATION_WITH_TOKENS : join(ROOT, 'docs/rotation.md');
const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-'));
try {
  const page = readFileSync(DOCUMENT, 'utf8');
  const { steps, document } = await (withTokens
    ? walkWithTokens(page, folder)
    : walkDocument(page, yearWith(0, folder)));
  for (const { command, code } of steps) if (code !== 0) process.stdout.write(`exit ${code}: ${command}\n`);
  writeFileSync(DOCUMENT, document);
} finally {
  rmSync(folder, { recursive: true });
}
