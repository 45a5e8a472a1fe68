/** Disks that are full or read-only, and folders of other users: a clear word, and the record intact. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { mountPrefix } from '../support/mounts.ts';
import { ROOT, runCli, type CliResult } from '../support/run-cli.ts';
import { isRoot, NOBODY, runUnprivileged } from '../support/unprivileged.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture | undefined;
afterEach(() => {
  if (fixture !== undefined) {
    execFileSync('chmod', ['-R', 'u+rwX', fixture.folder]);
    fixture.remove();
  }
  fixture = undefined;
});

interface Round {
  readonly free: number;
  readonly full: number;
  readonly words: string;
  readonly after: number;
  readonly afterWords: string;
  /** Entries that the run on the full disk left. */
  readonly recorded: number;
  readonly issued: number;
  readonly released: number;
  readonly files: readonly string[];
  readonly paths: readonly string[];
}

/** What the scenario prints. */
function onOwnMounts(scenario: string, folder: string): string {
  const command = [...(mountPrefix ?? []), process.execPath, join(ROOT, scenario), folder];
  const done = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(`${done.stderr}${done.error?.message ?? ''}`).toBe('');
  return done.stdout;
}

// Where nothing may be mounted, the last line of `npm test` says that these two were left out.
describe.runIf(mountPrefix !== undefined)('a disk that fills up', () => {
  it(
    'stops the issue with exit 11 or lets it through, and the next one goes on by itself',
    { timeout: 300_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'vtlic-full-'));
      try {
        const rounds = JSON.parse(onOwnMounts('test/cli/full-disk-scenario.ts', folder)) as readonly Round[];
        expect(rounds).toHaveLength(7);
        for (const round of rounds) {
          expect([0, 11], `with ${round.free} bytes free: ${round.words}`).toContain(round.full);
          if (round.full === 11) expect(round.words).toMatch(/^vtlic: .*full/m);
          // An intent may have been recorded before the disk was full.
          if (round.words.includes('nothing was recorded'))
            expect([round.words, round.recorded]).toEqual([round.words, 0]);
          expect(round.words).not.toMatch(/\n\s+at /);
          expect(`${round.free}: ${round.after} ${round.afterWords}`).toContain(`${round.free}: 0`);
          expect(round.released).toBe(round.issued);
          expect(round.files).toEqual(round.paths);
        }
        expect(rounds.filter((round) => round.full === 11).length).toBeGreaterThan(1);
        expect(rounds[0]?.full).toBe(11);
        expect(rounds.some((round) => round.full === 11 && round.recorded > 0)).toBe(true);
      } finally {
        spawnSync('umount', ['-l', join(folder, 'disk')]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

interface ReadOnlyRound {
  readonly what: 'site' | 'anchor';
  readonly issue: CliResult;
  readonly entries: readonly string[];
  readonly released: number;
  readonly after: number;
  readonly kinds: readonly string[];
}

describe.runIf(mountPrefix !== undefined)('a disk that is remounted read-only', () => {
  it(
    'stops the issue with exit 11 and releases nothing, and the next one goes on by itself',
    { timeout: 300_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'vtlic-read-only-'));
      try {
        const done = onOwnMounts('test/cli/read-only-scenario.ts', folder);
        const [site, anchor] = JSON.parse(done) as readonly ReadOnlyRound[];
        expect([site?.issue.code, site?.released, site?.entries]).toEqual([11, 0, ['genesis']]);
        expect(site?.issue.stderr).toMatch(/^vtlic: .*ledger\.lock: .*read-only.*\n {2}→ .*\n$/);
        expect([site?.after, site?.kinds]).toEqual([0, ['genesis', 'intent', 'issue', 'release']]);
        // The license is signed and recorded, and has not left: the anchor does not cover it.
        expect([anchor?.issue.code, anchor?.released, anchor?.entries]).toEqual([
          11,
          0,
          ['genesis', 'intent', 'issue'],
        ]);
        expect(anchor?.issue.stderr).toMatch(
          /anchor.*: the anchor was not written: the file system is read-only; what is recorded but not released stays/,
        );
        expect([anchor?.after, anchor?.kinds]).toEqual([
          0,
          ['genesis', 'intent', 'issue', 'release', 'intent', 'issue', 'release'],
        ]);
      } finally {
        spawnSync('umount', ['-l', join(folder, 'disk')]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe('as an unprivileged user', () => {
  async function siteOfNobody(): Promise<SiteFixture> {
    const made = await makeSite();
    if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, made.folder]);
    return made;
  }

  it('a site works, is private, and its secret files too', async () => {
    fixture = await siteOfNobody();
    const plan = runUnprivileged(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']);
    expect(plan.code).toBe(0);
    expect(
      runUnprivileged(['issue', '--site', fixture.site, '--confirm', plan.stdout.trim(), ...fixture.secret]).code,
    ).toBe(0);
    expect(statSync(fixture.site).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(join(fixture.site, 'keys')))
      expect(statSync(join(fixture.site, 'keys', name)).mode & 0o077).toBe(0);
  });

  it('a read-only site can be looked at and verified, but not issued from: exit 11', async () => {
    fixture = await siteOfNobody();
    const plan = runUnprivileged(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']);
    expect(plan.code).toBe(0);
    chmodSync(join(fixture.site, 'ledger.sqlite'), 0o400);
    chmodSync(fixture.site, 0o500);
    const issue = runUnprivileged([
      'issue',
      '--site',
      fixture.site,
      '--confirm',
      plan.stdout.trim(),
      ...fixture.secret,
    ]);
    expect(issue.code).toBe(11);
    expect(issue.stderr).toMatch(/^vtlic: .*(read-only|permission|may not)/m);
    expect(runUnprivileged(['key', 'list', '--site', fixture.site]).stdout).toContain('license-1');
  });

  it('a license whose folder cannot be written to stays in the ledger (exit 11), and release writes it later', async () => {
    fixture = await siteOfNobody();
    const plan = runUnprivileged(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']);
    const out = join(fixture.site, 'out');
    execFileSync('mkdir', ['-m', '500', out]);
    if (isRoot) chownSync(out, NOBODY, NOBODY);
    const issue = runUnprivileged([
      'issue',
      '--site',
      fixture.site,
      '--confirm',
      plan.stdout.trim(),
      ...fixture.secret,
    ]);
    expect(issue.code).toBe(11);
    const id = /vtlic release ([0-9a-f-]{36})/.exec(issue.stderr)?.[1];
    expect(issue.stderr).toContain('safe in the ledger');
    chmodSync(out, 0o700);
    const release = runUnprivileged(['release', id ?? '', '--site', fixture.site]);
    expect(release.code).toBe(0);
    expect(
      runCli([
        'verify',
        release.stdout.trim(),
        '--site',
        fixture.site,
        '--product',
        'vaultdesk',
        '--deployment',
        'prod-eu',
      ]).code,
    ).toBe(0);
    // Again: the same bytes are there.
    expect(runUnprivileged(['release', id ?? '', '--site', fixture.site])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('exists already') as unknown,
    });
  });

  it('a key file of somebody else is unreadable: exit 2, with its name', async () => {
    fixture = await siteOfNobody();
    const plan = runUnprivileged(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']);
    chmodSync(join(fixture.site, 'keys/license-1.age'), 0);
    const issue = runUnprivileged([
      'issue',
      '--site',
      fixture.site,
      '--confirm',
      plan.stdout.trim(),
      ...fixture.secret,
    ]);
    expect(issue.code).toBe(2);
    expect(issue.stderr).toContain('license-1.age');
  });
});
