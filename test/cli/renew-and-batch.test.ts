/** Renewals and batches as an officer does them: on a terminal, and without one. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outputPath } from '../../signer/issue/output-path.ts';
import { openBatchPlan } from '../../signer/batch/plan-file.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { csv, customers, day, row, writeBatch } from '../support/batch-file.ts';
import { checkBatch } from '../support/batch-ledger.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let terminal: PtyRun | undefined;
beforeEach(async () => {
  fixture = await makeSite();
});
afterEach(() => {
  terminal?.kill();
  terminal = undefined;
  fixture.remove();
});

function vtlic(...args: readonly string[]): CliResult {
  return runCli([...args, '--site', fixture.site]);
}

function confirm(command: string, digest: string, ...more: readonly string[]): CliResult {
  return vtlic(command, '--confirm', digest, ...fixture.secret, ...more);
}

function issue(changes: Readonly<Record<string, unknown>> = {}): string {
  const done = confirm('issue', vtlic('issue', writeRequest(fixture, changes), '--dry-run').stdout.trim(), '--json');
  expect(done.code).toBe(0);
  return (JSON.parse(done.stdout) as { readonly id: string }).id;
}

describe('renew', () => {
  it('shows the difference, what to look at twice, and the digest in words on a terminal', async () => {
    issue();
    terminal = new PtyRun([
      'renew',
      'acme-gmbh',
      '--site',
      fixture.site,
      '--until',
      day(700),
      '--seats',
      '2500',
      '--tier',
      'enterprise',
      '--unset',
      'reference',
    ]);
    await terminal.until(/Sign this\? Type Yes/);
    for (const words of [
      /Replaces license [0-9a-f-]{36} \(counter 1/,
      /! 10 times the seats: 2500 instead of 250/,
      /~ seats +2500\r?\n +was +250 \(now 2250 more\)/,
      /~ until .*\r?\n +was .* \(now \d+ days later\)/,
      /~ counter +2\r?\n +was +1\r/,
      /- reference +\r?\n +was +PO-4711/,
      / {4}tier +enterprise\r/,
      /Digest of this plan: [0-9a-f]{64}/,
      / 25 {2}([a-z]+ ){7}[a-z]+/,
    ]) {
      // A long value goes on behind a bar.
      expect(terminal.output.replaceAll(/\r?\n +\| /g, '')).toMatch(words);
    }
    terminal.type('Yes\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type(`${PASSPHRASE}\r`);
    expect(await terminal.ended()).toBe(0);
    const [file] = readdirSync(join(fixture.site, 'out/vaultdesk/acme-gmbh')).filter((name) => name.startsWith('2-'));
    const shown = vtlic(
      'verify',
      join(fixture.site, 'out/vaultdesk/acme-gmbh', file ?? ''),
      '--product',
      'vaultdesk',
      '--deployment',
      'prod-eu',
      '--at',
      `${day(500)}T00:00:00Z`,
    );
    expect(shown.stdout).toMatch(/seats +2500/);
  });

  it('renews by id, by file and by customer off a terminal, and refuses a plan whose counter is used', () => {
    const id = issue();
    const file = join(
      fixture.site,
      'out/vaultdesk/acme-gmbh',
      readdirSync(join(fixture.site, 'out/vaultdesk/acme-gmbh'))[0] ?? '',
    );
    const plans = [id, file, 'acme-gmbh'].map((target) => vtlic('renew', target, '--seats', '300', '--dry-run'));
    for (const plan of plans) expect([plan.code, plan.stderr]).toEqual([0, expect.stringMatching(/~ seats +300/)]);
    expect(confirm('renew', plans[0]?.stdout.trim() ?? '').code).toBe(0);
    const stale = confirm('renew', plans[1]?.stdout.trim() ?? '');
    expect([stale.code, stale.stderr]).toEqual([10, expect.stringContaining('counter 2')]);
    // An older id names its lineage: the renewal starts from the newest.
    const again = vtlic('renew', id, '--seats', '310', '--dry-run');
    expect(again.stderr).toContain('is not the last license');
    expect(again.stderr).toMatch(/~ counter +3\n +was +2\n/);
  });

  it('takes changes from a file, with line and column of what is wrong in it', () => {
    issue();
    const changes = join(fixture.folder, 'changes.json');
    writeFileSync(
      changes,
      '{ "tier": "team",\n  "seats": 20, "limits": {"vaults": 5}, "features": ["audit-export"], "graceDays": null }',
    );
    const plan = vtlic('renew', 'acme-gmbh', '--changes', changes, '--dry-run');
    for (const words of [
      'a lower tier: team instead of enterprise',
      'fewer seats: 20 instead of 250',
      'the limit vaults is lower',
      'features that the last license has and this one has not: sso',
      '- grace',
    ])
      expect(plan.stderr).toContain(words);
    writeFileSync(changes, '{ "tier": "team",\n  "seat": 20 }');
    expect(vtlic('renew', 'acme-gmbh', '--changes', changes, '--dry-run').stderr).toContain(
      'changes.json:2:3: seat: "seat" is an unknown member',
    );
  });

  it.each<[readonly string[], number, string]>([
    [['nobody'], 3, 'nobody has no license in this ledger\n  → look the id up with vtlic ledger show TEXT'],
    [['nobody', '--new-customers'], 3, 'the request must be complete'],
    [['01936f2a-0c1d-7b3e-8a4f-5d6e7f809112'], 3, 'the ledger has no license'],
    [['acme-gmbh', '--seats', '5001'], 3, 'at most 5000'],
    [['acme-gmbh', '--product', 'vaultpro'], 3, 'not in the catalog'],
    [['acme-gmbh', '--seats', '1e3'], 3, 'should be a whole number'],
    [['acme-gmbh', '--unset', 'tier'], 2, 'every license needs this member'],
    [['two words'], 2, 'none of them'],
    [['./nowhere.vtlic'], 2, 'no such file'],
    [[], 2, 'renew takes a license id'],
  ])('%j is refused with exit %d: %s', (args, code, words) => {
    issue();
    const done = vtlic('renew', ...args, '--dry-run');
    expect(done.stderr).toContain(words);
    expect(done.code).toBe(code);
  });

  it('refuses a file that differs from the ledger, and asks which of several lineages is meant', () => {
    issue();
    const other = issue({ deployment: 'prod-us' });
    const several = vtlic('renew', 'acme-gmbh', '--seats', '3', '--dry-run');
    expect([several.code, several.stderr]).toEqual([3, expect.stringContaining('has 2 lineages')]);
    expect(several.stderr).toContain(other);
    expect(vtlic('renew', 'acme-gmbh', '--deployment', 'prod-us', '--seats', '3', '--dry-run').stderr).toContain(
      `Replaces license ${other}`,
    );
    const changed = vtlic('renew', other, '--deployment', 'prod-asia', '--dry-run');
    expect(changed.stderr).toContain('another deployment than in the last license: prod-asia instead of prod-us');
    expect(changed.stderr).toMatch(/counter +1\n/);
  });
});

describe('batch', () => {
  it('takes one Yes and one passphrase on a terminal, and writes results that a spreadsheet may open', async () => {
    const rows = customers(40).map((name, i) =>
      row(name, i === 3 ? { name: '"=cmd()|\'calc\'!A1"', reference: '=1+1' } : {}),
    );
    terminal = new PtyRun([
      'batch',
      writeBatch(fixture, csv(rows)),
      '--site',
      fixture.site,
      '--new-customers',
      '--name',
      'first',
    ]);
    await terminal.until(/Sign these 40 licenses\? Type Yes/);
    for (const words of [
      'Batch first: 40 licenses to sign',
      'vaultdesk / enterprise: 40 licenses, 10,000 seats',
      'new customers: 40',
      'the largest:',
    ])
      expect(terminal.output).toContain(words);
    terminal.type('Yes\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type(`${PASSPHRASE}\r`);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output).toMatch(/signed 40 of 40 \(100 %\), [\d.]+ a second/);
    expect(terminal.output).not.toContain(PASSPHRASE);
    expect((await checkBatch(fixture)).released).toBe(40);
    const sheet = readFileSync(join(fixture.site, 'batches/first/results.csv'), 'utf8');
    for (const cell of sheet.split(/[,\r\n]+/)) expect(cell).not.toMatch(/^"?[=+\-@\t]/);
    const files = readFileSync(join(fixture.site, 'batches/first/results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly file: string }).file);
    expect(files.every((file) => existsSync(join(fixture.site, file)))).toBe(true);
    expect(
      vtlic('verify', join(fixture.site, files[3] ?? ''), '--product', 'vaultdesk', '--deployment', 'prod-eu').stdout,
    ).toContain("=cmd()|'calc'!A1");
  });

  it('ends with exit 10 and makes no entry when it is declined on a terminal', async () => {
    terminal = new PtyRun([
      'batch',
      writeBatch(fixture, csv(customers(2).map((name) => row(name)))),
      '--site',
      fixture.site,
      '--new-customers',
    ]);
    await terminal.until(/Type Yes/);
    terminal.type('yes\r');
    expect(await terminal.ended()).toBe(10);
    expect((await checkBatch(fixture)).intents).toEqual([]);
  });

  it('gives the same rows under a new name the next counters, and signs nothing under the same name', () => {
    const file = writeBatch(fixture, csv(customers(3).map((name) => row(name))));
    expect(confirm('batch', vtlic('batch', file, '--new-customers', '--dry-run').stdout.trim()).code).toBe(0);
    const same = vtlic('batch', file, '--dry-run');
    expect([same.code, same.stderr]).toEqual([
      3,
      expect.stringContaining('is finished: all 3 rows have their license'),
    ]);
    const again = vtlic('batch', file, '--name', 'next-year', '--dry-run');
    // An order that was entered twice is a reason to look at it twice.
    expect(again.stderr).toContain('look at these twice (3 rows)');
    expect(again.stderr).toMatch(
      /! same again: 3\n +line 2, .*: nothing but the counter differs from the last license/,
    );
    const next = confirm('batch', again.stdout.trim(), '--json');
    expect(next.code).toBe(0);
    expect(
      next.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { line: 2, counter: 2, status: 'released' },
      { line: 3, counter: 2 },
      { line: 4, counter: 2 },
    ]);
  });

  it('marks only the orders of a table that were entered twice', () => {
    const names = customers(3);
    const file = writeBatch(fixture, csv(names.map((name) => row(name))));
    expect(confirm('batch', vtlic('batch', file, '--new-customers', '--dry-run').stdout.trim()).code).toBe(0);
    const changed = csv(names.map((name, i) => row(name, i === 1 ? {} : { seats: '21', reference: `PO-${i}` })));
    const done = vtlic('batch', writeBatch(fixture, changed), '--name', 'changed', '--dry-run');
    expect(done.stderr).toMatch(/! same again: 1\n +line 3, /);
  });

  it('refuses a plan when one counter of it was used since, before the first signature', async () => {
    const file = writeBatch(fixture, csv(customers(3).map((name) => row(name))));
    expect(
      confirm('batch', vtlic('batch', file, '--new-customers', '--name', 'a', '--dry-run').stdout.trim()).code,
    ).toBe(0);
    const plan = vtlic('batch', file, '--name', 'b', '--dry-run').stdout.trim();
    expect(confirm('renew', vtlic('renew', 'customer-0001', '--seats', '9', '--dry-run').stdout.trim()).code).toBe(0);
    const before = (await checkBatch(fixture)).intents.length;
    const refused = confirm('batch', plan);
    expect([refused.code, refused.stderr]).toEqual([
      10,
      expect.stringContaining('line 3 plans counter 2 of customer-0001'),
    ]);
    expect((await checkBatch(fixture)).intents.length).toBe(before);
  });

  it('ends with exit 18 where a file is in the way of a license, releases the others, and resumes to release it', async () => {
    const file = writeBatch(fixture, csv(customers(3).map((name) => row(name))));
    const digest = vtlic('batch', file, '--new-customers', '--name', 'a', '--dry-run').stdout.trim();
    const [, second] = openBatchPlan(join(fixture.site, 'plans'), digest).rows();
    if (second?.kind !== 'sign') throw new Error('no such row');
    const inTheWay = join(fixture.site, outputPath(second.item.license, false));
    mkdirSync(dirname(inTheWay), { recursive: true });
    writeFileSync(inTheWay, 'something else');
    const done = confirm('batch', digest);
    expect([done.code, done.stderr]).toEqual([18, expect.stringContaining('1 failed')]);
    const lines = readFileSync(join(fixture.site, 'batches/a/results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { status: 'released' },
      {
        line: 3,
        customer: 'customer-0001',
        status: 'issued',
        error: expect.stringContaining('its file is not written') as string,
      },
      { status: 'released' },
    ]);
    rmSync(inTheWay);
    expect(vtlic('batch', file, '--name', 'a', '--resume', ...fixture.secret).code).toBe(3);
    expect((await checkBatch(fixture)).released).toBe(3);
    expect(
      readFileSync(join(fixture.site, 'batches/a/results.jsonl'), 'utf8').match(/"status":"released"/g)?.length,
    ).toBe(3);
  });

  it('ends with exit 11 where a folder cannot be made, and releases what it signed at the next start', async () => {
    const file = writeBatch(fixture, csv(customers(3).map((name) => row(name))));
    const digest = vtlic('batch', file, '--new-customers', '--name', 'a', '--dry-run').stdout.trim();
    const inTheWay = join(fixture.site, 'out/vaultdesk');
    mkdirSync(dirname(inTheWay), { recursive: true });
    writeFileSync(inTheWay, 'a file where a folder should be');
    const done = confirm('batch', digest);
    expect([done.code, done.stderr]).toEqual([11, expect.stringContaining('--resume')]);
    const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
    expect(ledger.unreleased().length).toBe(3);
    ledger.close();
    rmSync(inTheWay);
    expect(vtlic('batch', file, '--name', 'a', '--resume', ...fixture.secret).code).toBe(3);
    expect((await checkBatch(fixture)).released).toBe(3);
  });
});
