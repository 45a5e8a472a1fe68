/** The ledger opened for signing: the clock is judged, and a doubted one must be confirmed. */
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { openForSigning } from '../../../../signer/issue/open-ledger.ts';
import { confirmClockJump } from '../../../../signer/cli/terminal.ts';
import { type ClockJump, type LedgerOpenOptions, openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { openSite, requireSiteOwner } from '../../../../signer/site/site.ts';
import { csv, row, writeBatch } from '../../../support/batch-file.ts';
import { runCli } from '../../../support/run-cli.ts';
import { makeSite, type SiteFixture, testRuntime, writeRequest } from '../../../support/site-fixture.ts';
import { ACME, intentFor } from '../ledger/ledger-inputs.ts';

const MADE = Date.UTC(2027, 0, 1);
const DAY = 86_400_000;

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ runtime: { nowMs: () => MADE } });
});
afterEach(() => {
  fixture.remove();
});

async function open(nowMs: number, confirmTime?: number, run: Partial<LedgerOpenOptions> = {}): Promise<string[]> {
  const told: string[] = [];
  const ledger = await openForSigning(
    openSite(fixture.site),
    testRuntime({ nowMs: () => nowMs, tell: (line) => told.push(line) }),
    { command: 'test', confirmTime, ...run },
  );
  ledger.close();
  return told;
}

function kinds(): string[] {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    return [...ledger.entriesFrom(1)].map((entry) => entry.kind);
  } finally {
    ledger.close();
  }
}

describe("the signer's clock", () => {
  it('is believed from the last entry on, for 400 days', async () => {
    await open(MADE);
    await open(MADE + 400 * DAY);
    expect(kinds()).toEqual(['genesis']);
  });

  it.each([
    ['earlier than the last entry', -1000],
    ['more than 400 days later', 400 * DAY + 1000],
  ])('is doubted when it reads %s, until the officer confirms it', async (words, offset) => {
    const now = MADE + offset;
    await expect(open(now)).rejects.toMatchObject({
      code: 'clock_refused',
      hint: expect.stringContaining('--confirm-time') as unknown,
    });
    await expect(open(now, now / 1000 + 301)).rejects.toMatchObject({
      code: 'clock_refused',
      message: expect.stringContaining('within 5 minutes') as unknown,
    });
    expect(kinds()).toEqual(['genesis']);
    const typed: ClockJump[] = [];
    const confirmJump = (jump: ClockJump): Promise<void> => Promise.resolve(void typed.push(jump));
    expect((await open(now, now / 1000 + 299, { confirmJump })).join()).toContain('confirmed');
    // Only a jump of more than a year is typed.
    expect(typed).toEqual(offset < 0 ? [] : [{ from: MADE / 1000, to: now / 1000 }]);
    expect(kinds()).toEqual(['genesis', 'clock']);
    expect(words).not.toBe('');
    // What was confirmed is what later readings are compared with.
    await open(now + DAY);
  });
});

describe("a confirmed time that is more than a year from the ledger's", () => {
  it.each([
    ['in 1970', 0],
    ['in 2047', Date.UTC(2047, 0, 1)],
    ['a year and a second back', MADE - 365 * DAY - 1000],
  ])('is recorded only on a typed word: %s', async (_when, now) => {
    await expect(open(now, now / 1000)).rejects.toMatchObject({
      code: 'clock_refused',
      hint: expect.stringContaining('at a terminal') as unknown,
    });
    const confirmJump = confirmClockJump(undefined);
    await expect(open(now, now / 1000, { confirmJump })).rejects.toMatchObject({ code: 'usage' });
    expect(kinds()).toEqual(['genesis']);
    const terminal = { show: () => undefined, ask: () => Promise.resolve('Yes'), close: () => undefined };
    const asked = { ...terminal, askSecret: () => Promise.reject(new Error('no secret')) };
    await expect(open(now, now / 1000, { confirmJump: confirmClockJump(asked) })).rejects.toMatchObject({
      code: 'declined',
    });
    expect(kinds()).toEqual(['genesis']);
    const typed = { ...asked, ask: () => Promise.resolve('CLOCK IS RIGHT') };
    await open(now, now / 1000, { confirmJump: confirmClockJump(typed) });
    expect(kinds()).toEqual(['genesis', 'clock']);
  });

  it('is listed by ledger status, and so is a smaller one', async () => {
    await open(MADE - 1000, MADE / 1000 - 1);
    const status = runCli(['ledger', 'status', '--site', fixture.site]);
    expect(status.stdout).toMatch(/entry 2 +clock confirmed: 2026-12-31T23:59:59Z, .*by/);
    expect(JSON.parse(runCli(['ledger', 'status', '--json', '--site', fixture.site]).stdout)).toMatchObject({
      acts: [{ seq: 2, act: 'clock confirmed: 2026-12-31T23:59:59Z' }],
    });
  });
});

describe('counters that a run reserved before it stopped', () => {
  async function reserveAndStop(...customers: readonly string[]): Promise<void> {
    const runtime = testRuntime({ nowMs: () => MADE });
    const ledger = await openForSigning(openSite(fixture.site), runtime, { command: 'test' });
    for (const sub of customers) ledger.intend(intentFor({ ...ACME, sub }, 1));
    ledger.close();
  }

  it('are void, and the next start reports all of them in one sentence', async () => {
    await reserveAndStop('acme-gmbh', 'beta-inc', 'gamma-ltd');
    expect(await open(MADE)).toEqual([
      'recovered: 3 counters were reserved by a run that stopped before it signed or recorded a license; they are void',
    ]);
    expect(kinds()).toEqual(['genesis', 'intent', 'intent', 'intent', 'void', 'void', 'void']);
    expect(await open(MADE)).toEqual([]);
  });

  it('is named, with its customer, where it is only one', async () => {
    await reserveAndStop('beta-inc');
    expect(await open(MADE)).toEqual([
      'recovered: counter 1 of beta-inc / vaultdesk was reserved by a run that stopped before it signed or recorded ' +
        'a license; it is void',
    ]);
  });
});

describe('a run of another user than the owner of the site', () => {
  it('is refused before anything is written, and says whose site it is', async () => {
    const site = openSite(fixture.site);
    const before = readdirSync(fixture.site);
    expect(() => {
      requireSiteOwner(site.paths, 4_000_000);
    }).toThrow(/^this command runs as user 4000000, but the site belongs to user \d+:/);
    requireSiteOwner(site.paths, undefined);
    if (process.geteuid?.() !== 0) return;
    chownSync(fixture.site, 65_534, 65_534);
    await expect(open(MADE)).rejects.toMatchObject({
      code: 'configuration_invalid',
      hint: expect.stringContaining("sudo -u '#65534'") as unknown,
    });
    const restore = runCli(['ledger', 'restore', '--site', fixture.site]);
    expect(`${restore.code} ${restore.stderr}`).toMatch(/^2 .*the site belongs to user 65534/s);
    const table = writeBatch(fixture, csv([row('acme-gmbh')]));
    for (const command of [
      ['key', 'generate', '--name', 'other', '--purpose', 'ledger', ...fixture.secret],
      ['issue', writeRequest(fixture), '--dry-run'],
      ['batch', table, '--new-customers', '--dry-run'],
    ]) {
      const done = runCli([...command, '--site', fixture.site]);
      expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('the site belongs to user 65534')]);
    }
    expect(readdirSync(fixture.site)).toEqual(before);
  });
});

describe('a key that another ledger has claimed', () => {
  const claimed = (): Promise<never> => Promise.reject(new VtlicError('key_claimed', 'it belongs to another'));

  it('is looked at before anything is recorded or finished, and not where there is nothing to do', async () => {
    const site = openSite(fixture.site);
    (
      await openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test', requireOwnKey: claimed })
    ).close();
    const later = MADE + 401 * DAY;
    await expect(
      openForSigning(site, testRuntime({ nowMs: () => later }), {
        command: 'test',
        confirmTime: later / 1000,
        confirmJump: () => Promise.resolve(),
        requireOwnKey: claimed,
      }),
    ).rejects.toMatchObject({ code: 'key_claimed' });
    expect(kinds()).toEqual(['genesis']);

    const ledger = await openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test' });
    ledger.intend(intentFor(ACME, 1));
    ledger.close();
    await expect(
      openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test', requireOwnKey: claimed }),
    ).rejects.toMatchObject({ code: 'key_claimed' });
    expect(kinds()).toEqual(['genesis', 'intent']);
    await open(MADE);
    expect(kinds()).toEqual(['genesis', 'intent', 'void']);
  });

  it('is looked at before the anchor is moved to an entry that has no leaf', async () => {
    const site = openSite(fixture.site);
    const ledger = await openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test' });
    // Cut off before it was anchored.
    ledger.clock(MADE / 1000, 'tester');
    ledger.close();
    const anchor = readFileSync(fixture.anchor);
    await expect(
      openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test', requireOwnKey: claimed }),
    ).rejects.toMatchObject({ code: 'key_claimed' });
    expect(readFileSync(fixture.anchor)).toEqual(anchor);
    await open(MADE);
    expect(readFileSync(fixture.anchor)).not.toEqual(anchor);
    (
      await openForSigning(site, testRuntime({ nowMs: () => MADE }), { command: 'test', requireOwnKey: claimed })
    ).close();
  });
});

describe('a site', () => {
  it('is refused where its issuer was renamed', async () => {
    const site = openSite(fixture.site);
    await expect(
      openForSigning(
        { ...site, config: { ...site.config, issuer: 'somebody-else' } },
        testRuntime({ nowMs: () => MADE }),
        { command: 'test' },
      ),
    ).rejects.toMatchObject({ code: 'configuration_invalid' });
  });
});
