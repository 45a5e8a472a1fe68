/** Files that a person names, and files that stay behind: new ones, keys to trust, plans, what the tutorial makes. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, row, writeBatch } from '../support/batch-file.ts';
import { ROOT, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite();
});
afterEach(() => {
  fixture.remove();
});

function vtlic(...args: readonly string[]): CliResult {
  return runCli([...args, '--site', fixture.site]);
}

function issue(...more: readonly string[]): CliResult {
  const plan = vtlic('issue', writeRequest(fixture), '--dry-run').stdout.trim();
  return vtlic('issue', '--confirm', plan, ...fixture.secret, ...more);
}

describe('a new file in a folder that is not there', () => {
  it.each<[readonly string[]]>([
    [['ledger', 'backup', 'FILE']],
    [['key', 'export', 'license-1', '--out', 'FILE']],
    [['counters', 'export', 'FILE', '--to', 'a'.repeat(32), '--secret', 'local=file:/nowhere']],
    [['ledger', 'checkpoint', '--out', 'FILE']],
  ])('is refused, because the medium may not be mounted: %j', (command) => {
    const stick = join(fixture.folder, 'stick');
    const done = vtlic(...command.map((word) => (word === 'FILE' ? join(stick, 'days/file') : word)));
    expect([done.code, done.stdout]).toEqual([11, '']);
    expect(done.stderr).toContain(`vtlic: ${join(stick, 'days')}: this folder does not exist`);
    expect(existsSync(stick)).toBe(false);
    // A file where the folder should be is none.
    writeFileSync(stick, '');
    expect(vtlic(...command.map((word) => (word === 'FILE' ? join(stick, 'file') : word))).code).toBe(11);
  });

  it('is written where the folder is there', () => {
    expect(vtlic('ledger', 'backup', join(fixture.folder, 'copy.sqlite')).code).toBe(0);
    expect(vtlic('key', 'export', 'license-1', '--out', join(fixture.folder, 'vendor.pem')).code).toBe(0);
  });
});

describe('--trust with the form env of key export', () => {
  const context = ['--issuer', 'example-vendor', '--product', 'vaultdesk', '--deployment', 'prod-eu'];

  it('verifies a license by the lines that override a product', () => {
    const license = issue().stdout.trim();
    const trust = join(fixture.folder, 'vendor.env');
    expect(vtlic('key', 'export', 'license-1', '--form', 'env', '--out', trust).code).toBe(0);
    expect(runCli(['verify', license, '--trust', trust, ...context]).code).toBe(0);
  });

  it.each<[string, (lines: readonly string[]) => string, string]>([
    ['a component alone', ([, second = '']) => second, 'is missing'],
    ['a variable twice', ([first = '']) => `${first}\n${first}\n`, 'one line for each variable'],
    ['another variable', ([first = '']) => `${first}\nPATH=/bin\n`, 'one line for each variable'],
    ['the name of a file', () => 'LICENSE_PUBLIC_KEY=file:/etc/passwd\n', 'the keys themselves'],
    ['no key', () => 'LICENSE_PUBLIC_KEY=\n', 'key'],
  ])('is refused with %s', (_, change, words) => {
    const license = issue().stdout.trim();
    const lines = vtlic('key', 'export', 'license-1', '--form', 'env').stdout.split('\n');
    const trust = join(fixture.folder, 'vendor.env');
    writeFileSync(trust, change(lines));
    const done = runCli(['verify', license, '--trust', trust, ...context]);
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe('plans that nothing needs any more', () => {
  function age(name: string): void {
    const monthsAgo = Date.now() / 1000 - 31 * 86_400;
    utimesSync(join(fixture.site, 'plans', name), monthsAgo, monthsAgo);
  }

  it('are removed after 30 days by a command that signs, but for the newest plan of each batch', () => {
    const batch = vtlic(
      'batch',
      writeBatch(fixture, csv([row('other')])),
      '--new-customers',
      '--name',
      'b',
      '--dry-run',
    );
    const kept = batch.stdout.trim();
    expect(vtlic('batch', '--confirm', kept, ...fixture.secret).code).toBe(0);
    const old = vtlic('issue', writeRequest(fixture, { seats: 1 }), '--dry-run').stdout.trim();
    const young = vtlic('issue', writeRequest(fixture, { seats: 2 }), '--dry-run').stdout.trim();
    writeFileSync(join(fixture.site, 'plans/notes.txt'), 'mine');
    for (const name of [kept, old, 'notes.txt']) age(name);
    expect(issue().code).toBe(0);
    const left = readdirSync(join(fixture.site, 'plans'));
    expect(left).toEqual(expect.arrayContaining([kept, young, 'notes.txt']));
    expect(left).not.toContain(old);
  });
});

describe("what the README's tutorial makes in a checkout", () => {
  it.each([
    'my-site/site.json',
    'my-site.anchor',
    'my-site.anchor.guard',
    'request.json',
    'vendor.pem',
    'first-product/package.json',
    'demo-site/site/site.json',
  ])('%s is ignored by git', (name) => {
    expect(spawnSync('git', ['check-ignore', '--quiet', '--no-index', name], { cwd: ROOT }).status).toBe(0);
  });

  it('README.md and a site.json of the test data are not ignored by git', () => {
    for (const name of ['README.md', 'test/data/site-0.1.0/site.json'])
      expect(spawnSync('git', ['check-ignore', '--quiet', '--no-index', name], { cwd: ROOT }).status).toBe(1);
  });
});
