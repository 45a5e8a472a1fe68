/** A batch is killed or interrupted at each step, and `--resume` finishes it: no row and no counter twice. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Step } from '../../signer/runtime.ts';
import { checkBatch, type BatchFound } from '../support/batch-ledger.ts';
import { csv, customers, row, writeBatch } from '../support/batch-file.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const STOPS = join(import.meta.dirname, 'batch-that-stops.ts');
const ROWS = 30;

let fixture: SiteFixture | undefined;
afterEach(() => {
  fixture?.remove();
  fixture = undefined;
});

interface Batch {
  readonly site: SiteFixture;
  readonly file: string;
}

async function prepare(rows = ROWS): Promise<Batch> {
  fixture = await makeSite({ algorithm: 'ed25519' });
  return { site: fixture, file: writeBatch(fixture, csv(customers(rows).map((name) => row(name)))) };
}

interface Stop {
  readonly step: Step | 'any';
  readonly count: number;
  readonly signal: NodeJS.Signals;
}

function run(args: readonly string[], stop?: Stop): CliResult {
  return stop === undefined
    ? runCli(args)
    : runCli([stop.step, String(stop.count), stop.signal, ...args], { main: STOPS });
}

function planned({ site, file }: Batch, ...more: readonly string[]): string {
  const done = run(['batch', file, '--site', site.site, '--name', 'renewals', '--dry-run', ...more]);
  expect(done.stderr).toContain('nothing was signed');
  return done.stdout.trim();
}

function begin(batch: Batch, stop?: Stop): CliResult {
  return run(
    ['batch', '--confirm', planned(batch, '--new-customers'), '--site', batch.site.site, ...batch.site.secret],
    stop,
  );
}

/**
 * As an officer without a terminal goes on: resume, and where something must be confirmed anew, plan and confirm that.
 */
function resume(batch: Batch, stop?: Stop): CliResult {
  const { site, file } = batch;
  const args = ['--site', site.site, '--name', 'renewals', '--new-customers', '--resume'];
  const done = run(['batch', file, ...args, ...site.secret], stop);
  if (done.code !== 2) return done;
  expect(done.stderr).toContain('nobody has confirmed it');
  return run(
    [
      'batch',
      '--confirm',
      planned(batch, '--new-customers', '--resume'),
      '--resume',
      '--site',
      site.site,
      ...site.secret,
    ],
    stop,
  );
}

function killed(done: CliResult): boolean {
  return done.signal === 'SIGKILL' || done.code === 137;
}

interface ResultLine {
  readonly line: number;
  readonly customer: string;
  readonly status: string;
  readonly counter: number;
  readonly file: string;
}

function results({ site }: Batch): readonly ResultLine[] {
  const text = readFileSync(join(site.site, 'batches/renewals/results.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
}

function checkFinished(batch: Batch, found: BatchFound, rows = ROWS): void {
  expect(found.issued.length).toBe(rows);
  expect(found.released).toBe(rows);
  expect(found.intents.length).toBe(rows + found.voided);
  const lines = results(batch);
  expect(lines.map(({ line, status }) => [line, status])).toEqual(
    Array.from({ length: rows }, (_, i) => [i + 2, 'released']),
  );
  for (const { customer, counter, file } of lines) {
    expect(found.issued.find(({ body }) => body.sub === customer)?.body.ctr).toBe(counter);
    expect(existsSync(join(batch.site.site, file))).toBe(true);
  }
  expect(readFileSync(join(batch.site.site, 'batches/renewals/results.csv'), 'utf8').trim().split('\r\n').length).toBe(
    rows + 1,
  );
}

/** Those after which a batch goes on in different ways; the campaign kills at all of them, again and again. */
const STEPS: readonly (readonly [Step, number])[] = [
  ['batch-begun', 1],
  ['intent-durable', 2],
  ['self-checked', 8],
  ['anchor-durable', 1],
  ['release-durable', 2],
  ['results-written', 1],
];

describe('kill -9 in a batch', () => {
  it.each(STEPS)('is resumed after a kill at %s (time %d) until every row has one license', async (step, count) => {
    const batch = await prepare();
    expect(killed(begin(batch, { step, count, signal: 'SIGKILL' }))).toBe(true);
    const before = await checkBatch(batch.site);
    const done = resume(batch);
    // Where the last license was signed already, only its file or the results were missing: there is nothing left to
    // sign.
    if (before.issued.length === ROWS) {
      expect(done.code).toBe(3);
      expect(done.stderr).toContain('is finished');
    } else expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('30 with a license')]);
    const found = await checkBatch(batch.site);
    checkFinished(batch, found);
    if (step === 'intent-durable' || step === 'signed' || step === 'self-checked')
      expect(found.voided).toBeGreaterThan(0);

    if (step !== 'results-written') return;
    const again = resume(batch);
    expect(again.code).toBe(3);
    expect(again.stderr).toContain('the batch renewals is finished: all 30 rows');
    expect(run(['batch', batch.file, '--site', batch.site.site, '--name', 'renewals', '--dry-run']).code).toBe(3);
    expect((await checkBatch(batch.site)).intents.length).toBe(found.intents.length);
  });
});

/** More than the first two groups can take, however fast the key is: 8 and 128. */
const INTERRUPTED_ROWS = 160;

describe('Ctrl-C, a closed window and kill in a batch', () => {
  it.each([
    ['intent-durable', 1, 'SIGINT'],
    ['signed', 3, 'SIGINT'],
    ['file-written', 1, 'SIGINT'],
    ['signed', 3, 'SIGHUP'],
    ['signed', 3, 'SIGTERM'],
  ] as const)(
    'finishes the licenses already begun at %s (time %d, %s) with exit 130, voids none, and resumes with no new word',
    async (step, count, signal) => {
      const batch = await prepare(INTERRUPTED_ROWS);
      const stopped = begin(batch, { step, count, signal });
      expect(stopped.code).toBe(130);
      expect(stopped.stderr).toContain('the licenses already begun were finished');
      const found = await checkBatch(batch.site);
      expect(found.voided).toBe(0);
      expect(found.released).toBe(found.intents.length);
      expect(found.released).toBeGreaterThan(0);
      expect(found.released).toBeLessThan(INTERRUPTED_ROWS);
      const lines = results(batch);
      expect(lines.filter(({ status }) => status === 'released').length).toBe(found.released);
      expect(lines.filter(({ status }) => status === 'not signed').length).toBe(INTERRUPTED_ROWS - found.released);

      const refused = run(['batch', batch.file, '--site', batch.site.site, '--name', 'renewals', '--dry-run']);
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain('was begun before');
      // Not planned anew: what was reviewed is what is signed.
      const done = run([
        'batch',
        batch.file,
        '--site',
        batch.site.site,
        '--name',
        'renewals',
        '--resume',
        ...batch.site.secret,
      ]);
      expect(done.code).toBe(0);
      checkFinished(batch, await checkBatch(batch.site), INTERRUPTED_ROWS);
    },
  );
});
