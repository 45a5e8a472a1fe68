/** One site in two hands: two copies of it, and two commands that change `site.json`. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { openSite } from '../../../../signer/site/site.ts';
import type { Step } from '../../../../signer/runtime.ts';
import { csv, customers, row, writeBatch } from '../../../support/batch-file.ts';
import { CONSENTING, runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

function licenses(site: string): readonly string[] {
  const out = join(site, 'out');
  return existsSync(out)
    ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'))
    : [];
}

describe('two copies of a site that are in use at the same time', () => {
  async function plan(site: string, ...args: readonly string[]): Promise<string> {
    return (await runHere([...args, '--site', site, '--dry-run'])).stdout.trim();
  }

  /** The whole of another copy's issue happens when this copy has taken a step. */
  async function interleaved(args: readonly string[], step: Step): Promise<RanHere> {
    const copy = join(fixture.folder, 'copy');
    cpSync(fixture.site, copy, { recursive: true });
    const digest = await plan(copy, 'issue', writeRequest(fixture, { customer: 'customer-0000' }));
    let other: RanHere | undefined;
    const mine = await runHere([...args, '--site', fixture.site, ...fixture.secret], {
      step: async (taken) => {
        if (taken === step && other === undefined)
          other = await runHere(['issue', '--confirm', digest, '--site', copy, ...fixture.secret]);
      },
    });
    expect(other?.code).toBe(0);
    expect(licenses(copy)).toHaveLength(1);
    return mine;
  }

  it.each<Step>(['recovered', 'key-open', 'intent-durable', 'issue-durable'])(
    'issue releases nothing where the other copy issued after %s: exit 4',
    async (step) => {
      const digest = await plan(fixture.site, 'issue', writeRequest(fixture, { customer: 'customer-0000' }));
      const mine = await interleaved(['issue', '--confirm', digest], step);
      expect([mine.code, mine.stderr]).toEqual([4, expect.stringContaining('another copy of this ledger is in use')]);
      expect(licenses(fixture.site)).toEqual([]);
    },
  );

  it.each<Step>(['key-open', 'intent-durable', 'issue-durable'])(
    'batch releases nothing where the other copy issued after %s: exit 4',
    async (step) => {
      const digest = await plan(
        fixture.site,
        'batch',
        writeBatch(fixture, csv(customers(12).map((name) => row(name)))),
        '--new-customers',
      );
      const mine = await interleaved(['batch', '--confirm', digest], step);
      expect([mine.code, mine.stderr]).toEqual([4, expect.stringContaining('another copy of this ledger is in use')]);
      expect(licenses(fixture.site)).toEqual([]);
      const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
      expect([...ledger.entriesFrom(1)].some((entry) => entry.kind === 'release')).toBe(false);
      ledger.close();
    },
  );

  it.each([
    ['issue', (): readonly string[] => ['issue', writeRequest(fixture, { customer: 'customer-0000' })]],
    ['batch', (): readonly string[] => ['batch', writeBatch(fixture, csv([row('customer-0000')])), '--new-customers']],
  ])('%s reserves no counter once the other copy has issued while the key was opened', async (command, args) => {
    const digest = await plan(fixture.site, ...args());
    expect((await interleaved([command, '--confirm', digest], 'key-open')).code).toBe(4);
    const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
    expect([...ledger.entriesFrom(1)].map(({ kind }) => kind)).toEqual(['genesis']);
    ledger.close();
  });
});

describe('two `key generate` at the same time', () => {
  it('the second one reports which process has the site open, and no key is lost', async () => {
    const generate = (name: string): readonly string[] => [
      'key',
      'generate',
      '--name',
      name,
      '--algorithm',
      'ed25519',
      '--site',
      fixture.site,
    ];
    const asked = Promise.withResolvers<void>();
    const typed = Promise.withResolvers<void>();
    const first = runHere(
      generate('second'),
      {},
      {
        ...CONSENTING,
        askSecret: async () => {
          asked.resolve();
          await typed.promise;
          return utf8(PASSPHRASE);
        },
      },
    );
    await asked.promise;
    const refused = await runHere([...generate('third'), ...fixture.secret]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`${process.pid}`)]);
    typed.resolve();
    expect((await first).code).toBe(0);
    const names = (): readonly string[] => openSite(fixture.site).config.keys.map(({ name }) => name);
    expect(names()).toEqual(['license-1', 'second']);
    expect((await runHere([...generate('third'), ...fixture.secret])).code).toBe(0);
    expect(names()).toEqual(['license-1', 'second', 'third']);
  });
});
