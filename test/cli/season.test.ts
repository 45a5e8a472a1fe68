/** The yearly renewal as an officer does it: tables go out to a spreadsheet, come back, and become licenses and results. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, day, row, writeBatch } from '../support/batch-file.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
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

describe('the template of a batch', () => {
  it('is a header that the batch reads, with the limits of the catalog, and an explanation beside it', () => {
    const template = vtlic('batch', '--template');
    expect([template.code, template.stdout]).toEqual([
      0,
      '\ufeffcustomer,name,product,deployment,tier,seats,from,until,graceDays,features,reference,updatesUntil,use,' +
        'limits.vaults\r\n',
    ]);
    expect(template.stderr).toMatch(/until +the last day \(UTC\), an instant, or perpetual \(required\)/);
    const filled = `acme-gmbh,Acme,vaultdesk,,team,5,${day(0)},${day(30)},,,,,,3\r\n`;
    expect(signBatch(writeBatch(fixture, template.stdout + filled), '--new-customers').code).toBe(0);
  });

  it('needs no site', () => {
    const template = runCli(['batch', '--template'], { cwd: fixture.folder });
    expect([template.code, template.stdout.includes('limits.')]).toEqual([0, false]);
    expect(runCli(['batch', 'a.csv', '--template'], { cwd: fixture.folder }).code).toBe(2);
  });
});
