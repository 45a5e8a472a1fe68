/** What one `issue` and one `ledger verify`, each as a whole process, cost as the ledger grows. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { openSite } from '../../signer/site/site.ts';
import { nowSeconds } from '../../signer/runtime.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../test/support/site-fixture.ts';
import { benchRuntime } from './batch-site.ts';
import { fillLedger, unsignedKey } from './license-ledger.ts';
import { median } from './measure.ts';
import type { Part } from './report.ts';

const ROUNDS = 15;
const MAIN = join(import.meta.dirname, '../../signer/cli/main.ts');

interface Grown {
  readonly licenses: number;
  readonly site: SiteFixture;
  readonly issueMs: number[];
}

async function grow(licenses: number): Promise<Grown> {
  const site = await makeSite();
  const { config, paths } = openSite(site.site);
  const [record] = config.keys;
  if (record === undefined) throw new Error('the site has no key');
  const ledger = await openLedgerForWriting(paths.ledger, {
    now: () => nowSeconds(benchRuntime),
    random: benchRuntime.random,
    holder: { command: 'bench' },
  });
  try {
    await fillLedger(ledger, unsignedKey(record.publicKey), licenses);
  } finally {
    ledger.close();
  }
  return { licenses, site, issueMs: [] };
}

function vtlic(args: readonly string[]): string {
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  if (done.status !== 0) throw new Error(`vtlic ${args.join(' ')} left with ${done.status}: ${done.stderr}`);
  return done.stdout.trim();
}

/** Signs one license of a new customer, planned before. @returns milliseconds of the process that signs */
function issueOne({ site }: Pick<Grown, 'site'>, round: number): number {
  const request = writeRequest(site, { customer: `measured-${round}` });
  const digest = vtlic(['issue', request, '--dry-run', '--site', site.site]);
  const begun = performance.now();
  vtlic(['issue', '--confirm', digest, '--site', site.site, ...site.secret]);
  return performance.now() - begun;
}

function peakOfVerify({ site }: Pick<Grown, 'site'>): number {
  const child = join(import.meta.dirname, '../verify-child.ts');
  const out = execFileSync(process.execPath, [child, join(site.site, 'ledger.sqlite')], { encoding: 'utf8' });
  return (JSON.parse(out) as { readonly peakMiB: number }).peakMiB;
}

/** @param sizes in licenses; an empty ledger comes first */
export async function measureGrowth(sizes: readonly number[]): Promise<Part> {
  const grown: Grown[] = [];
  try {
    for (const size of [0, ...sizes]) grown.push(await grow(size));
    // The sites take turns, so that what the machine does besides meets all of them.
    for (let round = -1; round < ROUNDS; round++) {
      for (const one of grown) {
        const ms = issueOne(one, round + 1);
        if (round >= 0) one.issueMs.push(ms);
      }
    }
    const [empty] = grown;
    const [smaller, largest] = [grown.at(-2), grown.at(-1)];
    if (empty === undefined || smaller === undefined || largest === undefined) throw new Error('nothing was measured');
    const n = (value: number): string => value.toLocaleString('en-US');
    const peaks = new Map(grown.slice(1).map((one) => [one, peakOfVerify(one)]));
    const peak = (one: Grown): number => peaks.get(one) ?? NaN;
    return {
      name: 'A ledger that grows (composite licenses): one issue, and one whole check, each as a process',
      rows: [
        ...grown.map((one) => ({
          what: `${n(one.licenses)} licenses: vtlic issue --confirm`,
          value: median(one.issueMs),
          unit: 'ms',
        })),
        ...[...peaks].map(([one, value]) => ({
          what: `${n(one.licenses)} licenses: peak of ledger verify`,
          value,
          unit: 'MiB',
        })),
      ],
      ratios: [
        {
          what: `one issue: ${n(largest.licenses)} licenses ÷ an empty ledger`,
          value: median(largest.issueMs.map((ms, i) => ms / (empty.issueMs[i] ?? NaN))),
          atMost: 1.2,
        },
        {
          what: `peak of ledger verify: ${n(largest.licenses)} ÷ ${n(smaller.licenses)} licenses`,
          value: peak(largest) / peak(smaller),
          atMost: 1.2,
        },
      ],
      notes: [
        'the key opens fast (scrypt with a low work factor), so that opening it hides nothing',
        ...(Math.max(...sizes) < 1_000_000 ? ['--full goes to 1,000,000 licenses'] : []),
      ],
    };
  } finally {
    for (const { site } of grown) site.remove();
  }
}
