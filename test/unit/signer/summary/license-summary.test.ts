/** What an officer reads: no value, however it was written, looks like a line of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterAll(() => {
  fixture.remove();
});

async function lines(changes: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const done = await runHere(['issue', writeRequest(fixture, changes), '--site', fixture.site, '--dry-run']);
  expect(done.code).toBe(0);
  const all = done.stderr.split('\n');
  return all.slice(
    0,
    all.findIndex((line) => line.startsWith('Digest of this plan')),
  );
}

/** A key id takes two more. */
const COLUMNS = 80;

describe('the view of a license', () => {
  it.each([
    ['blanks that push text to the next line of the terminal', `Acme${' '.repeat(COLUMNS - 20)}seats         5`],
    ['one long word', 'x'.repeat(200)],
    ['characters of two columns', '\u6f22'.repeat(60)],
    ['characters of two columns, then a false line', `${'\uff21'.repeat(31)}    seats         5`],
    ['faces', '\u{1f600}'.repeat(50)],
  ])('sets a bar before each line on which a name with %s goes on', async (_what, name) => {
    const shown = await lines({ name });
    const seats = shown.filter((line) => /^ {4}seats /.test(line));
    expect(seats).toEqual([expect.stringMatching(/ 250$/)]);
    const from = shown.findIndex((line) => line.startsWith('    name '));
    const to = shown.findIndex((line) => line.startsWith('    product '));
    expect(to - from).toBeGreaterThan(1);
    for (const line of shown.slice(from + 1, to)) expect(line).toMatch(/^ +\| /);
    expect(
      shown
        .slice(from, to)
        .map((line) => line.replace(/^ {4}name {10}|^ +\| /, ''))
        .join(''),
    ).toBe(name);
    for (const line of shown.slice(from)) expect(columnsOf(line), line).toBeLessThanOrEqual(COLUMNS + 2);
  });

  it('refuses a reference with a line end or an escape before there is a view', async () => {
    for (const reference of ['PO-1\n  seats  5', 'PO-1\u001b[1A', 'PO-1\u202e', 'PO-1\u2066', 'PO-1\u0085']) {
      const done = await runHere(['issue', writeRequest(fixture, { reference }), '--site', fixture.site, '--dry-run']);
      expect([done.code, done.stderr]).toEqual([3, expect.stringContaining('reference')]);
      expect(done.stderr).not.toMatch(/[\u001b\u202e\u2066\u0085]/u);
    }
  });
});

/** As a terminal counts them: two for a wide character. */
function columnsOf(text: string): number {
  return Array.from(text).reduce(
    (sum, character) =>
      sum +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(character)
        ? 2
        : 1),
    0,
  );
}
