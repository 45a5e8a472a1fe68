/** The ledger opened for signing: the clock is judged, and a doubted one must be confirmed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { openForSigning } from '../../../../signer/issue/open-ledger.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { openSite } from '../../../../signer/site/site.ts';
import { makeSite, type SiteFixture, testRuntime } from '../../../support/site-fixture.ts';
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

async function open(nowMs: number, confirmTime?: number): Promise<string[]> {
  const told: string[] = [];
  const ledger = await openForSigning(
    openSite(fixture.site),
    testRuntime({ nowMs: () => nowMs, tell: (line) => told.push(line) }),
    { command: 'test', confirmTime },
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
    expect((await open(now, now / 1000 + 299)).join()).toContain('confirmed');
    expect(kinds()).toEqual(['genesis', 'clock']);
    expect(words).not.toBe('');
    // What was confirmed is what later readings are compared with.
    await open(now + DAY);
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
  it('whose issuer was renamed is refused', async () => {
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
