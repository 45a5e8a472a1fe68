/** What is wrong with a batch's file is told by line, column and rule, all of it, before anything is signed. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { csv, customers, row, writeBatch } from '../support/batch-file.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterAll(() => {
  fixture.remove();
});

function plan(text: string | Uint8Array, name = 'batch.csv', ...more: readonly string[]): CliResult {
  return runCli([
    'batch',
    writeBatch(fixture, text, name),
    '--site',
    fixture.site,
    '--dry-run',
    '--new-customers',
    ...more,
  ]);
}

/** Nothing is left of a refused plan: no file, no entry. */
function nothingHappened(): void {
  const plans = join(fixture.site, 'plans');
  expect(existsSync(plans) ? readdirSync(plans) : []).toEqual([]);
  expect(existsSync(join(fixture.site, 'out'))).toBe(false);
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  expect(ledger.head().entries).toBe(1);
  ledger.close();
}

const good = row('acme-gmbh');

describe('a batch file at fault', () => {
  it('is refused with exit 3, and leaves nothing', () => {
    const done = plan(csv([good, row('other', { name: '"never' })]));
    expect(done.stderr).toContain('batch.csv:3:7: the quote that opens here is never closed');
    expect(done.code).toBe(3);
    expect(done.stdout).toBe('');
    nothingHappened();
  });

  it('counts all faults of all rows, tells a hundred of them, and says a hint that is the same once', () => {
    const bad = customers(150).map((name) => row(name, { seats: '-1', tier: 'Gold Tier', until: 'soon' }));
    const done = plan(csv(bad), 'bad.csv', '--json');
    expect(done.code).toBe(3);
    expect(done.stderr.split('\n').filter((line) => line.startsWith('vtlic: /')).length).toBe(101);
    expect(done.stderr).toContain('… and 350 more');
    expect(done.stderr).toContain('450 faults in 150 of 150 rows');
    const lines = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(0, 3)).toMatchObject([
      { schema: 'vtlic-batch-fault/1', line: 2, field: 'tier', column: 55 },
      { schema: 'vtlic-batch-fault/1', line: 2, field: 'seats' },
      { schema: 'vtlic-batch-fault/1', line: 2, field: 'until' },
    ]);
    expect(lines.at(-1)).toMatchObject({ schema: 'vtlic-error/1', exit: 3 });
  });

  it('reports the faults of a header as faults of the header, not of a row', () => {
    const done = plan(csv([good]).replace('customer,', 'customer,customer,'));
    expect(done.stderr).toMatch(/batch\.csv:1:\d+: /);
    expect(done.stderr).toContain('1 fault in the header: nothing was planned, and nothing was signed');
    expect(done.code).toBe(3);
    nothingHappened();
  });

  it.each<[readonly string[], string]>([
    [['batch'], 'takes a file, or --confirm'],
    [['batch', 'x.txt'], 'ends with .csv, .tsv or .jsonl'],
    [['batch', 'nowhere.csv', '--dry-run'], 'no such file'],
    [['batch', '--confirm', 'ab'.repeat(32), '--name', 'x'], '--confirm cannot be used with'],
    [['batch', '--confirm', 'xyz'], '64 hex digits'],
    [['batch', 'x.csv', '--name', 'two words'], '--name should be an id'],
  ])('%j is a usage error', (args, words) => {
    const done = runCli([...args, '--site', fixture.site], { cwd: fixture.folder });
    expect(done.stderr).toContain(words);
    expect(done.code).toBe(2);
  });

  it('is not signed without a terminal, only planned', () => {
    const done = runCli([
      'batch',
      writeBatch(fixture, csv([good])),
      '--site',
      fixture.site,
      '--new-customers',
      ...fixture.secret,
    ]);
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('--dry-run');
  });
});
