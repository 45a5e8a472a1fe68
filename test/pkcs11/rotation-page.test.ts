/** Walks through docs/rotation-tokens.md as its reader does. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { constantPart } from '../support/walk-document.ts';
import { ROTATION_WITH_TOKENS, walkWithTokens } from './support/walk-with-tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-page-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Serial numbers differ by token. */
function samePart(shown: string): string {
  return constantPart(shown.replaceAll(/serial [0-9a-f]+/g, 'serial ID'));
}

describe('the rotation of docs/rotation-tokens.md', () => {
  it('runs from its document only: every command does what the page shows', { timeout: 900_000 }, async () => {
    const { steps } = await walkWithTokens(readFileSync(ROTATION_WITH_TOKENS, 'utf8'), folder);
    for (const { command, code, shown, expected } of steps) {
      expect([command, code]).toEqual([command, 0]);
      expect(samePart(shown)).toBe(samePart(expected));
    }
    expect(steps.length).toBeGreaterThan(20);
  });
});
