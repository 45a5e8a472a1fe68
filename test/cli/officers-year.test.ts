/** Walks through docs/officers-year.md as its reader does: the same commands, the same answers, the same screens. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afternoonDays, inOneAfternoon, OFFICERS_YEAR, yearWith } from '../support/officers-year.ts';
import { constantPart, walkDocument, type Walked } from '../support/walk-document.ts';

/** The document has 2,000; `node test/docs/make-year.ts` walks with all of them. */
const CUSTOMERS = Number(process.env['VTLIC_SEASON'] ?? '24');

const folder = mkdtempSync(join(tmpdir(), 'vtlic-year-'));
const afternoon = mkdtempSync(join(tmpdir(), 'vtlic-afternoon-'));
let walked: Walked;
let walkedInAfternoon: Walked;
beforeAll(async () => {
  const document = readFileSync(OFFICERS_YEAR, 'utf8');
  const now = new Date();
  [walked, walkedInAfternoon] = await Promise.all([
    walkDocument(document, yearWith(CUSTOMERS, folder)),
    walkDocument(inOneAfternoon(document, now), yearWith(3, afternoon, afternoonDays(now).term)),
  ]);
}, 1_200_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(afternoon, { recursive: true });
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

  it('runs in one afternoon, with the days and windows that its table names', () => {
    // Lists of all licenses are shorter with three customers, and the next season has another customer.
    const isOther = /^vtlic (?:batch|ledger due) |^head -3 season-2028/;
    for (const { command, code, shown, expected } of walkedInAfternoon.steps) {
      expect([command, code]).toEqual([command, 0]);
      if (!isOther.test(command)) expect(constantPart(shown)).toBe(constantPart(expected));
    }
    const shownBy = (begin: string): string =>
      walkedInAfternoon.steps.find(({ command }) => command.startsWith(begin))?.shown ?? '';
    expect(walkedInAfternoon.steps).toHaveLength(walked.steps.length);
    expect(shownBy('vtlic batch orders.csv')).toContain('signed and released: 3;');
    expect(shownBy('vtlic batch season.csv')).toContain('signed and released: 3;');
    expect(shownBy('vtlic batch first-two.csv')).toContain('signed and released: 2;');
    expect(shownBy('vtlic batch first-two.csv')).toContain('line 2, customer-0002 / vaultdesk: it begins only on');
  });

  it('shows no passphrase', () => {
    expect(walked.document).not.toContain('correct horse');
  });
});
