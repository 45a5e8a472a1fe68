/**
 * The commands that docs/hsm.md gives for pasting (its `sh` blocks). Those that install packages are read by the shell
 * without being run; the others are run in their order, in a home of their own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';

const TEXT = readFileSync(join(ROOT, 'docs/hsm.md'), 'utf8');
const CHAPTERS = TEXT.split(/^## /m).map((chapter) => ({
  title: chapter.slice(0, chapter.indexOf('\n')),
  blocks: [...chapter.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1] ?? ''),
}));

function blocksOf(title: string): readonly string[] {
  return CHAPTERS.find((chapter) => chapter.title === title)?.blocks ?? [];
}

const PACKAGES = /^apt-get /m;
/** A chapter runs up to ten commands, each a process. */
const TIME_LIMIT = 400_000;

describe('the commands of docs/hsm.md', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'vtlic-docs-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const bash = (script: string, ...options: readonly string[]): { status: number | null; output: string } => {
    const cache = process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '', '.cache');
    const done = spawnSync('bash', ['--norc', '-e', ...options, '-c', script], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: cache, LANG: 'C.UTF-8' },
      encoding: 'utf8',
    });
    return { status: done.status, output: `${done.stdout}${done.stderr}` };
  };

  it('are there, without prompts that a paste would carry along', () => {
    const all = CHAPTERS.flatMap(({ blocks }) => blocks);
    expect(all.length).toBeGreaterThanOrEqual(5);
    for (const block of all) {
      expect(block).not.toMatch(/^\$ /m);
      expect(bash(block, '-n')).toEqual({ status: 0, output: '' });
    }
  });

  it(
    'make a SoftHSM token, a site and two keys, and show them',
    () => {
      const run = blocksOf('Step by step: SoftHSM2').filter((block) => !PACKAGES.test(block));
      expect(run).toHaveLength(2);
      const { status, output } = bash(run.join('\n'));
      expect(output).toContain("'pkcs11:token=vendor;serial=");
      expect(output).toContain('made the key license-2: ed25519+ml-dsa-65, purpose license, custody hsm-wrapped');
      expect(output).toMatch(/private key {2}Ed25519 {2}"license-1" .*\n {6}license-1\n/);
      expect(output).toContain('pass  profile: SoftHSM 2.6');
      expect(output).not.toMatch(/^fail/m);
      expect(status).toBe(0);
    },
    TIME_LIMIT,
  );

  it(
    'make a kryoptic token with the program of OpenSC, a site and a composite key in it',
    () => {
      const run = blocksOf('Step by step: kryoptic').filter((block) => !PACKAGES.test(block));
      expect(run).toHaveLength(1);
      expect(run[0]).toMatch(/^pkcs11-tool .*--init-token/m);
      const { status, output } = bash(run.join('\n'));
      expect(output).toContain('User PIN successfully initialized');
      expect(output).toMatch(/"vendor" .* ready\n/);
      expect(output).toContain(
        'made the key license-1: ed25519+ml-dsa-65, purpose license, custody hsm, in keystore hsm',
      );
      expect(output).not.toMatch(/^(?:error|fail)/m);
      expect(status).toBe(0);
    },
    TIME_LIMIT,
  );

  it('need no package that the lines for root do not install', () => {
    const installed = new Set(
      CHAPTERS.flatMap(({ blocks }) => blocks)
        .filter((block) => PACKAGES.test(block))
        .join(' ')
        .split(/\s+/),
    );
    const programs = { 'softhsm2-util': 'softhsm2', 'pkcs11-tool': 'opensc' };
    for (const [program, from] of Object.entries(programs)) {
      expect(TEXT).toMatch(new RegExp(`^${program} `, 'm'));
      expect(installed).toContain(from);
    }
  });
});
