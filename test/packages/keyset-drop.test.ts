import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DROPPED, dropKeysetAndRenewal } from '../support/keyset-drop.ts';
import { ROOT } from '../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-keyset-drop-'));
beforeAll(() => {
  const installed = join(folder, 'node_modules/vtlic');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(ROOT, 'dist/vtlic-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('a product with the packed vtlic follows a keyset and a renewal that are put beside it, without a restart', () => {
  expect(dropKeysetAndRenewal(process.execPath, folder)).toEqual(DROPPED);
});
