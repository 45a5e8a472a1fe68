/** The terminal closes in the middle of a run: the run finishes what it has begun, and no counter is lost. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchProgress } from '../../signer/cli/progress.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { csv, customers, row, writeBatch } from '../support/batch-file.ts';
import { PtyRun, runCli } from '../support/run-cli.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let site: SiteFixture;
let run: PtyRun | undefined;
beforeEach(async () => {
  site = await makeSite();
});
afterEach(() => {
  run?.kill();
  site.remove();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 600) throw new Error(`not after a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The process that has the ledger open has ended. */
function ended(): Promise<void> {
  return until('the run has ended', () => !existsSync(join(site.site, 'ledger.holder')));
}

function kinds(): readonly string[] {
  const view = openLedgerForReading(join(site.site, 'ledger.sqlite'));
  try {
    return [...view.entriesFrom(1)].map((entry) => entry.kind);
  } finally {
    view.close();
  }
}

function licenses(): number {
  const out = join(site.site, 'out');
  return existsSync(out)
    ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic')).length
    : 0;
}

describe('a window that is closed', () => {
  it('ends a run that waits at a prompt, and nothing was recorded', async () => {
    run = new PtyRun(['issue', writeRequest(site), '--site', site.site]);
    await run.until(/Sign this\? Type Yes/);
    run.kill();
    await ended();
    expect(kinds()).toEqual(['genesis']);
  });

  it('lets a batch finish the licenses already begun, and no counter is void', async () => {
    const file = writeBatch(site, csv(customers(400).map((customer) => row(customer))));
    run = new PtyRun(['batch', file, '--new-customers', '--site', site.site]);
    await run.until(/Type Yes/);
    run.type('Yes\r');
    await run.until(/Passphrase of key license-1: /);
    run.type(`${PASSPHRASE}\r`);
    await until('the first licenses are there', () => licenses() > 0);
    run.kill();
    await ended();
    const found = kinds();
    expect(found.filter((kind) => kind === 'void')).toEqual([]);
    expect(found.filter((kind) => kind === 'release').length).toBe(licenses());
    expect(found.filter((kind) => kind === 'intent').length).toBe(licenses());
  }, 120_000);
});

describe('a batch that goes on after its window was closed', () => {
  it('names, after three wrong passphrases, the command that signs the rest', async () => {
    const fast = await makeSite({ algorithm: 'ed25519' });
    try {
      const file = writeBatch(fast, csv(customers(1200).map((customer) => row(customer))));
      const begun = new PtyRun(['batch', file, '--new-customers', '--site', fast.site]);
      await begun.until(/Type Yes/);
      begun.type('Yes\r');
      await begun.until(/Passphrase of key license-1: /);
      begun.type(`${PASSPHRASE}\r`);
      await begun.until(/signed \d/);
      process.kill(begun.pid, 'SIGTERM');
      expect(await begun.ended()).toBe(130);
      const again = new PtyRun(['batch', file, '--new-customers', '--resume', '--site', fast.site]);
      for (let tries = 1; tries <= 3; tries++) {
        await again.until(new RegExp(`(?:Passphrase of key license-1: [^]*){${tries}}$`));
        again.type('not the passphrase\r');
      }
      expect(await again.ended()).toBe(6);
      const named =
        /nothing was signed in this run; sign the rest with: vtlic (batch .*)/.exec(again.output)?.[1] ?? '';
      expect(named.trim()).toMatch(new RegExp(`^batch --confirm [0-9a-f]{64} --resume --site ${fast.site}$`));
      expect(again.output).not.toContain('.;');
      const done = runCli([...named.trim().split(' '), ...fast.secret]);
      expect([done.code, done.stderr]).toEqual([
        0,
        expect.stringContaining('1,200 in all, 1,200 with a license, 0 failed'),
      ]);
    } finally {
      fast.remove();
    }
  }, 120_000);
});

describe('the progress of a batch', () => {
  it('ends its line before a fault is reported, and shows none for a table without rows', async () => {
    const rows = [...customers(300).map((customer) => row(customer)), row('one more', { seats: 'many' })];
    run = new PtyRun(['batch', writeBatch(site, csv(rows)), '--new-customers', '--site', site.site]);
    expect(await run.ended()).toBe(3);
    expect(run.output).toMatch(/rows read and planned: \d/);
    expect(run.output).toMatch(/a second\S*\r?\nvtlic: .*: customer: /);
    const empty = new PtyRun(['batch', writeBatch(site, '', 'empty.csv'), '--site', site.site]);
    expect(await empty.ended()).toBe(3);
    expect(empty.output).toMatch(/^vtlic: .*the file is empty/);
  });

  it('ends, and throws nothing, where the terminal takes no more', () => {
    let calls = 0;
    const progress = batchProgress(
      'signing',
      10,
      () => calls * 1000,
      () => {
        calls++;
        throw new Error('EIO');
      },
    );
    progress.show(1);
    progress.show(10);
    progress.end();
    expect(calls).toBe(1);
  });
});
