/** What is shown when the rest of a batch must be confirmed anew: the same of each row as at first. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, customers, row, writeBatch } from '../../../support/batch-file.ts';
import { checkBatch } from '../../../support/batch-ledger.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';
import { addKey } from '../../../support/site-keys.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite();
});
afterEach(() => {
  fixture.remove();
});

async function vtlic(args: readonly string[], runtime: Parameters<typeof runHere>[1] = {}): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site], runtime);
}

async function issue(customer: string, key: string, changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const plan = await vtlic(['issue', writeRequest(fixture, { customer, ...changes }), '--key', key, '--dry-run']);
  expect((await vtlic(['issue', '--confirm', plan.stdout.trim(), ...fixture.secret])).code).toBe(0);
}

describe('the summary of a resumed batch', () => {
  it('marks the weaker algorithm, and counts customers as new who were new when it was begun', async () => {
    await issue('old-gmbh', 'license-1');
    await addKey(fixture, 'license-2', 'license');
    // The first group is of eight; one of its customers has another lineage behind it.
    const rows = [
      ...customers(8).map((name) => row(name)),
      row('customer-0000', { deployment: 'prod-us' }),
      row('new-a'),
      row('new-b'),
      row('old-gmbh'),
    ];
    const batch = [
      'batch',
      writeBatch(fixture, csv(rows)),
      '--name',
      'b',
      '--new-customers',
      '--key',
      'license-2',
      '--dry-run',
    ];
    const planned = await vtlic(batch);
    expect(planned.stderr).toMatch(/new customers: 11; new lineages of known customers: 0[\s\S]*! algorithm down: 1\n/);
    let interrupted = false;
    const stopped = await vtlic(['batch', '--confirm', planned.stdout.trim(), ...fixture.secret], {
      interrupted: () => interrupted,
      step: async (step) => {
        interrupted ||= step === 'intent-durable';
        return Promise.resolve();
      },
    });
    expect([stopped.code, (await checkBatch(fixture)).released]).toEqual([130, 9]);

    // The counter of this row is used by now, so the rest must be confirmed; its customer has become a known one.
    await issue('new-b', 'license-2');
    const left = await vtlic([...batch, '--resume']);
    expect([left.code, left.stderr]).toEqual([
      0,
      expect.stringMatching(
        /4 licenses to sign[\s\S]*new customers: 2; new lineages of known customers: 0\n[\s\S]*! algorithm down: 1\n +line 13, old-gmbh/,
      ),
    ]);
    const done = await vtlic(['batch', '--confirm', left.stdout.trim(), '--resume', ...fixture.secret]);
    expect([done.code, (await checkBatch(fixture)).released]).toEqual([0, 14]);
  });

  it('refuses a row whose lineage is for another use by now, and names the line', async () => {
    // The first group is of eight.
    const rows = [...customers(8), 'late'].map((name) => row(name));
    const batch = ['batch', writeBatch(fixture, csv(rows)), '--name', 'b', '--new-customers', '--dry-run'];
    const planned = await vtlic(batch);
    let interrupted = false;
    const stopped = await vtlic(['batch', '--confirm', planned.stdout.trim(), ...fixture.secret], {
      interrupted: () => interrupted,
      step: async (step) => {
        interrupted ||= step === 'intent-durable';
        return Promise.resolve();
      },
    });
    expect([stopped.code, (await checkBatch(fixture)).released]).toEqual([130, 8]);
    await issue('late', 'license-1', { use: 'non-production' });
    const left = await vtlic([...batch, '--resume']);
    expect([left.code, left.stderr]).toEqual([
      3,
      expect.stringMatching(/10: .*in the deployment prod-eu, [0-9a-f-]{36} \(counter 1\), has the use non-production/),
    ]);
    expect((await checkBatch(fixture)).released).toBe(9);
  });
});
