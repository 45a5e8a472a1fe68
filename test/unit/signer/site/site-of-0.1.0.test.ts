/** A site and a ledger that version 0.1.0 made (test/data/site-0.1.0) are opened, checked, continued and migrated. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../support/run-cli.ts';
import { CONSENTING, runHere, type RanHere } from '../../../support/run-here.ts';

const OLD = join(ROOT, 'test/data/site-0.1.0');
const PASSPHRASE = 'a passphrase of yesterday';
/** Where the old ledger records that its anchor is. */
const RECORDED_ANCHOR = '/tmp/vtlic-0.1.0/site.anchor';
/** A folder that exists as long as a test run of this machine uses the recorded place. */
const LOCK = '/tmp/vtlic-0.1.0.lock';
const LOCK_WAIT_MS = 60_000;
/** Much longer than the move takes: whoever made the lock was killed. */
const LOCK_STALE_MS = 120_000;

/** Later than every entry of the old ledger, and the same on every machine. */
const NOW_MS = Date.UTC(2026, 11, 1, 12);
const MIGRATED_KEYS = ['license-1', 'license-2', 'ledger-1', 'counters-1'];

let folder: string;
let site: string;
let secret: readonly string[];
let verifiedBefore: RanHere;
let moved: RanHere;

const run = (...args: readonly string[]): Promise<RanHere> =>
  runHere([...args, '--site', site], { nowMs: () => NOW_MS });

interface SiteDocument {
  readonly schema: string;
  readonly keys: readonly { readonly name: string; readonly purpose?: string; readonly job?: string }[];
}

function siteDocument(): SiteDocument {
  return JSON.parse(readFileSync(join(site, 'site.json'), 'utf8')) as SiteDocument;
}

/** Two test runs, or two workers of one, never have an anchor in the recorded place at the same time. */
async function withRecordedPlace(use: () => Promise<void>): Promise<void> {
  const until = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      mkdirSync(LOCK);
      break;
    } catch (error) {
      if (Date.now() > until) throw error;
      const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LOCK_STALE_MS) rmSync(LOCK, { recursive: true, force: true });
      else await sleep(100);
    }
  }
  const before = existsSync(RECORDED_ANCHOR) ? readFileSync(RECORDED_ANCHOR) : undefined;
  const madeFolder = mkdirSync(dirname(RECORDED_ANCHOR), { recursive: true });
  try {
    writeFileSync(RECORDED_ANCHOR, readFileSync(join(OLD, 'site.anchor')), { mode: 0o600 });
    await use();
  } finally {
    if (before !== undefined) writeFileSync(RECORDED_ANCHOR, before, { mode: 0o600 });
    else if (madeFolder !== undefined) rmSync(madeFolder, { recursive: true, force: true });
    else rmSync(RECORDED_ANCHOR, { force: true });
    rmdirSync(LOCK);
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-old-site-'));
  site = join(folder, 'site');
  cpSync(join(OLD, 'site'), site, { recursive: true });
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
  secret = ['--secret', `local=file:${passphrase}`];
  await withRecordedPlace(async () => {
    verifiedBefore = await run('ledger', 'verify', '--files');
    moved = await runHere(
      ['ledger', 'anchor', '--to', join(folder, 'anchor'), '--site', site],
      { nowMs: () => NOW_MS },
      CONSENTING,
    );
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** One after the other: each goes on where the one before ended. */
describe('a site of version 0.1.0', () => {
  it('has a ledger that verifies as it is, and an anchor that can be moved', async () => {
    expect([verifiedBefore.code, verifiedBefore.stdout]).toEqual([0, expect.stringContaining('5 checked, all valid')]);
    expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining('moved')]);
    expect(existsSync(join(folder, 'anchor'))).toBe(true);
    expect(verifiedBefore.stdout).toMatch(/files +5 compared, all as the ledger says/);
    expect((await run('ledger', 'verify')).code).toBe(0);
  });

  it('lists its keys, whose purposes it calls jobs', async () => {
    expect(siteDocument()).toMatchObject({ schema: 'vtlic-site/1', keys: [{ job: 'license' }, {}, {}, {}] });
    const { code, stdout } = await run('key', 'list');
    expect([code, stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))]).toEqual([
      0,
      [
        ['name', 'purpose'],
        ['license-1', 'license'],
        ['license-2', 'license'],
        ['ledger-1', 'ledger'],
        ['counters-1', 'counters'],
        [''],
      ],
    ]);
  });

  it('renews a license of that version, with a claim that it did not know', async () => {
    const planned = await run(
      'renew',
      'acme-license-1',
      '--until',
      '2028-11-30',
      '--updates-until',
      '2028-06-30',
      '--dry-run',
    );
    expect([planned.code, planned.stderr]).toEqual([
      0,
      expect.stringContaining('+ updates until  2028-06-30 (builds dated up to this day)'),
    ]);
    const signed = await run('renew', '--confirm', planned.stdout.trim(), ...secret);
    expect([signed.code, signed.stderr]).toEqual([0, expect.any(String)]);
    const file = signed.stdout.trim().split('\n')[0] ?? '';
    const asked = ['--product', 'vaultdesk', '--deployment', 'prod-eu', '--at', '2028-02-01'];
    const verified = await run('verify', file, ...asked, '--build-date', '2028-06-30');
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/^active: /)]);
    expect(verified.stdout).toMatch(/^ +counter +3$/m);
    expect((await run('ledger', 'verify')).code).toBe(0);
  });

  it('is written in the schema of today by the next change', async () => {
    const made = await run('key', 'generate', '--name', 'license-3', '--algorithm', 'ed25519', ...secret);
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
    const { schema, keys } = siteDocument();
    expect(schema).toBe('vtlic-site/2');
    expect(keys.map(({ name }) => name)).toEqual([...MIGRATED_KEYS, 'license-3']);
    for (const key of keys) expect(key).not.toHaveProperty('job');
    expect(keys.map(({ purpose }) => purpose)).toEqual(['license', 'license', 'ledger', 'counters', 'license']);
    expect((await run('key', 'list')).code).toBe(0);
    // Earlier files keep their names, and new ones are written beside them.
    expect((await run('ledger', 'verify', '--files')).code).toBe(0);
  });
});
