/**
 * Places that are no ordinary files: pipes, devices and folders that cannot be made. Each has its word, and nothing
 * waits for ever.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBatch } from '../support/batch-ledger.ts';
import { MAIN, ROOT, runCli, type CliResult } from '../support/run-cli.ts';
import { runHere } from '../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let license: string;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  license = (await issue()).trim();
});
afterAll(() => {
  fixture.remove();
});

async function plan(): Promise<string> {
  return (await runHere(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run'])).stdout.trim();
}

async function issue(): Promise<string> {
  return (await runHere(['issue', '--confirm', await plan(), '--site', fixture.site, ...fixture.secret])).stdout;
}

/** Ended after ten seconds: exit 124. */
function inTime(...args: readonly string[]): CliResult {
  return runCli(args, { prefix: ['timeout', '10'] });
}

function pipe(name: string): string {
  const path = join(fixture.folder, name);
  if (!existsSync(path)) expect(spawnSync('mkfifo', [path]).status).toBe(0);
  return path;
}

describe('a pipe that nobody writes to', () => {
  it.each<[string, (path: string) => readonly string[]]>([
    ['a request', (path) => ['issue', path, '--dry-run']],
    ['a batch', (path) => ['batch', path, '--dry-run']],
    ['changes', (path) => ['renew', 'acme-gmbh', '--changes', path, '--dry-run']],
    ['a license', (path) => ['inspect', path]],
    ['trust', (path) => ['verify', license, '--product', 'vaultdesk', '--trust', path]],
  ])('is refused at once with exit 2 as %s', (_what, args) => {
    const done = inTime(
      ...args(pipe('fifo.csv')),
      ...(args('')[0] === 'inspect' || args('')[0] === 'verify' ? [] : ['--site', fixture.site]),
    );
    expect([done.code, done.stderr]).toEqual([2, expect.stringMatching(/a pipe or a device, not a file/)]);
  });
});

describe('a folder that cannot be made', () => {
  it('ends init and ledger backup with exit 11, and is not tried for ever', () => {
    const done = inTime(
      'init',
      '/proc/nowhere/site',
      '--issuer',
      'x',
      '--anchor',
      join(fixture.folder, 'other-anchor'),
    );
    expect([done.code, done.stderr]).toEqual([11, expect.stringContaining('/proc/nowhere')]);
    expect(existsSync(join(fixture.folder, 'other-anchor'))).toBe(false);
    expect(inTime('ledger', 'backup', '/proc/nowhere/copy', '--site', fixture.site).code).toBe(11);
  });
});

describe('standard output', () => {
  it('ends an issue with exit 11 where it is full; the license is released, and the message says not to issue it again', async () => {
    const digest = await plan();
    const full = openSync('/dev/full', 'w');
    const done = spawnSync(
      'setsid',
      ['--wait', process.execPath, MAIN, 'issue', '--confirm', digest, '--site', fixture.site, ...fixture.secret],
      { cwd: ROOT, stdio: ['ignore', full, 'pipe'], env: { PATH: process.env['PATH'] }, encoding: 'utf8' },
    );
    closeSync(full);
    expect([done.status, done.stderr]).toEqual([
      11,
      expect.stringMatching(
        /could not be written to standard output; what the command did remains done[\s\S]*do not issue it again/,
      ),
    ]);
    const found = await checkBatch(fixture);
    expect(found.released).toBe(found.issued.length);
    expect(readdirSync(join(license, '..'))).toHaveLength(found.released);
  });

  it('gets every byte where it is a slow pipe that does not block', () => {
    // perl is on every Debian; 1031 is F_SETPIPE_SZ: the smallest pipe there is. The exit code is that of `cat`.
    const nonBlocking = `perl -e 'use Fcntl; fcntl(STDOUT, 1031, 4096); fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK); exec @ARGV or die' "$@" | { sleep 1; cat; }`;
    const big = writeRequest(fixture, { ext: { note: 'y'.repeat(8000) } }, 'big.json');
    const args = ['issue', big, '--site', fixture.site, '--dry-run', '--json'];
    const done = spawnSync('sh', ['-c', nonBlocking, 'sh', process.execPath, MAIN, ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    expect(done.status).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ items: [{ ext: { note: 'y'.repeat(8000) } }] });
  });

  it('ends with its reader, while the license is still signed and released', async () => {
    const digest = await plan();
    const before = (await checkBatch(fixture)).released;
    const done = spawnSync(
      'sh',
      [
        '-c',
        '"$@" | true',
        'sh',
        process.execPath,
        MAIN,
        'issue',
        '--confirm',
        digest,
        '--site',
        fixture.site,
        ...fixture.secret,
      ],
      { cwd: ROOT, env: { PATH: process.env['PATH'] }, encoding: 'utf8' },
    );
    expect(done.stderr).not.toMatch(/EPIPE|\n\s+at /);
    expect((await checkBatch(fixture)).released).toBe(before + 1);
  });
});

describe('a half file in the place of a license', () => {
  it('is completed from the ledger; one with other bytes is not changed: exit 11', async () => {
    const whole = readFileSync(license);
    const [, id = ''] = /license id +(\S+)/.exec((await runHere(['inspect', license])).stdout) ?? [];
    writeFileSync(license, whole.subarray(0, 100));
    expect((await runHere(['release', id, '--site', fixture.site])).code).toBe(0);
    expect(readFileSync(license)).toEqual(whole);
    writeFileSync(license, 'something else');
    const done = await runHere(['release', id, '--site', fixture.site]);
    expect([done.code, done.stderr]).toEqual([11, expect.stringContaining('never replaced')]);
    expect(readFileSync(license, 'utf8')).toBe('something else');
    writeFileSync(license, whole);
  });
});
