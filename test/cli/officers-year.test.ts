/** Walks through docs/officers-year.md as its reader does: the same commands, the same answers, the same screens. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OFFICERS_YEAR, yearWith } from '../support/officers-year.ts';
import { constantPart, walkDocument, type Walked } from '../support/walk-document.ts';

/** The document has 2,000; `node test/docs/make-year.ts` walks with all of them. */
const CUSTOMERS = Number(process.env['VTLIC_SEASON'] ?? '24');

const folder = mkdtempSync(join(tmpdir(), 'vtlic-year-'));
let walked: Walked;
beforeAll(async () => {
  walked = await walkDocument(readFileSync(OFFICERS_YEAR, 'utf8'), yearWith(CUSTOMERS, folder));
}, 1_200_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("the officer's year", () => {
  it('runs from its document only: every command does what the page shows', () => {
    for (const { command, code, shown, expected } of walked.steps) {
      expect(constantPart(shown)).toBe(constantPart(expected));
      expect([command, code]).toEqual([command, 0]);
    }
    expect(walked.steps.length).toBeGreaterThan(40);
  });

  it('renews the season by one edit of one file, one review and one passphrase', () => {
    const season = walked.steps.find(({ command }) => command.startsWith('vtlic batch season.csv'))?.shown ?? '';
    expect(season).toContain(`: ${CUSTOMERS.toLocaleString('en')} licenses to sign`);
    expect(season.match(/Type Yes/g)).toHaveLength(1);
    expect(season.match(/Passphrase of key/g)).toHaveLength(1);
    const results = readFileSync(join(folder, 'dead-disk/batches/season-2027/results.csv'), 'utf8')
      .trim()
      .split('\r\n');
    // Acme is renewed with them, and Customer 2 is not.
    expect(results).toHaveLength(1 + CUSTOMERS);
    expect(results.slice(1).every((line) => line.includes(',released,'))).toBe(true);
    expect(results.join('\n')).toContain('acme-gmbh');
    expect(results.join('\n')).not.toContain('customer-0002');
  });

  it('shows no passphrase', () => {
    expect(walked.document).not.toContain('correct horse');
  });
});
