/** The yearly renewal as an officer does it: a table goes to a spreadsheet, comes back, and becomes licenses. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, day, row, writeBatch } from '../support/batch-file.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

function vtlic(...args: readonly string[]): CliResult {
  return runCli([...args, '--site', fixture.site]);
}

/** Plans a batch and signs it as planned. */
function signBatch(file: string, ...more: readonly string[]): CliResult {
  const planned = vtlic('batch', file, '--dry-run', ...more);
  if (planned.code !== 0) return planned;
  return vtlic('batch', '--confirm', planned.stdout.trim(), ...fixture.secret);
}

/** As a spreadsheet reads it, row by row and by the names of the columns. */
function sheet(text: string): Record<string, string>[] {
  return parse(text, { bom: true, columns: true });
}

describe('the results of a batch', () => {
  it('are a table for a mail merge: name, reference, last day, and the SHA-256 of each file', () => {
    const rows = [
      row('acme-gmbh', { name: '"Åcme, ""die"" GmbH"', until: day(30), reference: 'PO-7' }),
      row('other', { name: '', reference: '', until: `${day(40)}T12:00:00Z` }),
      row('third', { name: '@home', until: day(50) }),
    ];
    expect(signBatch(writeBatch(fixture, csv(rows)), '--new-customers', '--name', 'merge').code).toBe(0);
    const results = sheet(readFileSync(join(fixture.site, 'batches/merge/results.csv'), 'utf8'));
    expect(results).toMatchObject([
      { customer: 'acme-gmbh', name: 'Åcme, "die" GmbH', reference: 'PO-7', until: day(30), status: 'released' },
      { customer: 'other', name: '', reference: '', until: `${day(40)}T12:00:00Z` },
      { customer: 'third', name: "'@home", until: day(50) },
    ]);
    for (const result of results) {
      const file = readFileSync(join(fixture.site, result['file'] ?? ''));
      expect(result['file sha256']).toBe(createHash('sha256').update(file).digest('hex'));
    }
    const [first] = readFileSync(join(fixture.site, 'batches/merge/results.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({
      name: 'Åcme, "die" GmbH',
      until: day(30),
      exp: Date.parse(`${day(31)}T00:00:00Z`) / 1000,
      fileSha256: results[0]?.['file sha256'],
    });
  });
});

/** Five licenses of four customers; each test of the list begins with them. */
function sell(): void {
  const rows = [
    row('acme-gmbh', { until: day(20), name: '"Acme, GmbH"' }),
    row('acme-gmbh', { until: day(200), deployment: 'prod-us' }),
    row('formula', { until: day(10), name: '@home' }),
    row('later', { until: day(300) }),
    row('trial', { until: day(59), 'limits.vaults': '', features: '', graceDays: '', reference: '' }),
  ];
  const file = writeBatch(fixture, csv(rows), 'first.csv');
  expect(signBatch(file, '--new-customers').code).toBe(0);
}

describe('the list of licenses that run out', () => {
  it('is a table of the newest license of each lineage, the first to end first', () => {
    sell();
    const renewed = vtlic('renew', 'formula', '--until', day(300), '--dry-run');
    expect(vtlic('renew', '--confirm', renewed.stdout.trim(), ...fixture.secret).code).toBe(0);
    const due = vtlic('ledger', 'due', '--within', '60d');
    expect([due.code, due.stderr]).toEqual([0, `2 licenses end by ${day(59)}\n`]);
    expect(due.stdout.split('\n')).toEqual([
      expect.stringMatching(/^until +days +customer +product +tier +seats +name$/),
      expect.stringMatching(`^${day(20)} +21  acme-gmbh  vaultdesk / prod-eu  enterprise +250  Acme, GmbH$`),
      expect.stringMatching(`^${day(59)} +60  trial +vaultdesk / prod-eu  enterprise +250  trial, Inc.$`),
      '',
    ]);
    const all = JSON.parse(vtlic('ledger', 'due', '--within', '52w', '--json').stdout) as {
      readonly licenses: readonly Record<string, unknown>[];
    };
    expect(all.licenses.map(({ customer, until, counter }) => [customer, until, counter])).toEqual([
      ['acme-gmbh', day(20), 1],
      ['trial', day(59), 1],
      ['acme-gmbh', day(200), 1],
      ['formula', day(300), 2],
      ['later', day(300), 1],
    ]);
    expect(vtlic('ledger', 'due', '--within', '10d').stdout).toBe('');
  });

  it('goes through a spreadsheet and a batch to licenses for one year more', () => {
    sell();
    const due = vtlic('ledger', 'due', '--within', '60d', '--csv');
    expect([due.code, due.stdout.startsWith('\ufeffcustomer,')]).toEqual([0, true]);
    expect(due.stderr).toMatch(/vtlic batch FILE.csv --name NAME --site /);
    const rows = sheet(due.stdout);
    const nextYear = (days: number): string => {
      const end = new Date(`${day(days + 1)}T00:00:00Z`);
      end.setUTCFullYear(end.getUTCFullYear() + 1);
      return new Date(end.getTime() - 86_400_000).toISOString().slice(0, 10);
    };
    expect(rows.map(({ customer, name, from, until }) => [customer, name, from, until])).toEqual([
      ['formula', "'@home", day(11), nextYear(10)],
      ['acme-gmbh', 'Acme, GmbH', day(21), nextYear(20)],
      ['trial', 'trial, Inc.', day(60), nextYear(59)],
    ]);
    // One edit: more seats for one customer, and one who does not renew. Saved as Excel does in a German Windows.
    const saved = ['sep=;', ...due.stdout.slice(1).replace('enterprise,250', 'enterprise,300').split('\r\n')]
      .filter((line) => !line.startsWith('trial,'))
      .map((line) => line.replaceAll('audit-export;sso', '"audit-export;sso"').replaceAll(/,(?! )/g, ';'));
    const file = writeBatch(fixture, `\ufeff${saved.join('\r\n')}`, 'season.csv');
    const done = signBatch(file, '--name', 'season');
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('signed and released: 2;')]);
    const results = sheet(readFileSync(join(fixture.site, 'batches/season/results.csv'), 'utf8'));
    expect(results.map(({ customer, counter, until }) => [customer, counter, until])).toEqual([
      ['formula', '2', nextYear(10)],
      ['acme-gmbh', '2', nextYear(20)],
    ]);
    const shown = results
      .map((result) => runCli(['inspect', join(fixture.site, result['file'] ?? '')]).stdout)
      .join('');
    expect(shown).toContain('@home');
    expect(shown).not.toContain("'@home");
    expect(shown).toMatch(/seats +300/);
    // What was renewed is no longer due; who did not renew still is.
    expect(vtlic('ledger', 'due', '--within', '60d').stderr).toContain('1 license ends by');
  });

  it.each<[readonly string[], string]>([
    [['--within', '60'], 'expected days or weeks, such as 60d or 8w'],
    [['--csv', '--json'], 'name one of them'],
    [['--years', '2'], '--years needs --csv'],
    [['--csv', '--years', '0'], 'expected 1 to 100'],
    [['--product', 'two words'], 'expected the id of a product'],
  ])('%j is refused: %s', (options, words) => {
    const done = vtlic('ledger', 'due', ...options);
    expect([done.code, done.stdout.includes('customer')]).toEqual([2, false]);
    expect(done.stderr).toContain(words);
  });
});

describe('a batch whose passphrase is mistyped', () => {
  it('is signed by the digest of the plan that was confirmed, without a second review', async () => {
    const file = writeBatch(fixture, csv([row('acme-gmbh'), row('other')]));
    const terminal = new PtyRun(['batch', file, '--new-customers', '--site', fixture.site]);
    await terminal.until(/Type Yes/);
    terminal.type('Yes\r');
    for (let tries = 1; tries <= 3; tries++) {
      await terminal.until(new RegExp(`(?:Passphrase of key license-1: [^]*){${tries}}$`));
      terminal.type('not the passphrase\r');
    }
    expect(await terminal.ended()).toBe(6);
    const [, digest = ''] = /vtlic batch --confirm ([0-9a-f]{64})/.exec(terminal.output) ?? [];
    expect(terminal.output).toContain('nothing was signed, and the plan that you confirmed is kept');
    const done = vtlic('batch', '--confirm', digest, ...fixture.secret);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('signed and released: 2;')]);
  });
});

describe('the template of a batch', () => {
  it('is a header that the batch reads, with the limits of the catalog, and an explanation beside it', () => {
    const template = vtlic('batch', '--template');
    expect([template.code, template.stdout]).toEqual([
      0,
      '\ufeffcustomer,name,product,deployment,tier,seats,from,until,graceDays,features,reference,updatesUntil,use,' +
        'limits.vaults\r\n',
    ]);
    expect(template.stderr).toMatch(/until +the last day \(UTC\), an exact time, or perpetual \(required\)/);
    const filled = `acme-gmbh,Acme,vaultdesk,,team,5,${day(0)},${day(30)},,,,,,3\r\n`;
    expect(signBatch(writeBatch(fixture, template.stdout + filled), '--new-customers').code).toBe(0);
  });

  it('needs no site', () => {
    const template = runCli(['batch', '--template'], { cwd: fixture.folder });
    expect([template.code, template.stdout.includes('limits.')]).toEqual([0, false]);
    expect(runCli(['batch', 'a.csv', '--template'], { cwd: fixture.folder }).code).toBe(2);
  });
});
