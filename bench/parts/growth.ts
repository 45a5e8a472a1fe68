/** What one `issue` and one `ledger verify`, each as a whole process, cost as the ledger grows. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { createKeyFile } from '../../keys/private/software/key-file.ts';
import { keyFiles } from '../../signer/keys/file-keystore.ts';
import { claimKey } from '../../signer/keys/key-claim.ts';
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { createSite } from '../../signer/site/create-site.ts';
import { openSite, writeSite } from '../../signer/site/site.ts';
import { nowSeconds } from '../../signer/runtime.ts';
import { benchRuntime, freshFolder } from './batch-site.ts';
import { fillLedger, unsignedKey } from './license-ledger.ts';
import { median } from './measure.ts';
import type { Part } from './report.ts';

const ROUNDS = 15;
const MAIN = join(import.meta.dirname, '../../signer/cli/main.ts');

interface Grown {
  readonly licenses: number;
  /** Contains the site, its anchor and the passphrase. */
  readonly folder: string;
  readonly issueMs: number[];
}

const PASSPHRASE = 'a passphrase of the benchmark';
/** log2 of scrypt's N; real keys take 18. */
const FAST_WORK_FACTOR = 10;

/** A site whose key opens fast, so that opening it hides nothing. */
async function grow(licenses: number): Promise<Grown> {
  const folder = freshFolder();
  const store = { type: 'file', name: 'bench', path: 'keys' } as const;
  const paths = await createSite(
    {
      folder: join(folder, 'site'),
      issuer: 'example-vendor',
      anchor: { kind: 'file', path: join(folder, 'anchor') },
      keystores: [store],
      exampleCatalog: true,
    },
    benchRuntime,
  );
  mkdirSync(paths.keys, { mode: 0o700 });
  const files = keyFiles(paths, store, 'bench');
  const algorithm = 'ed25519+ml-dsa-65';
  const key = await createKeyFile(files.key, algorithm, 'license', utf8(PASSPHRASE), benchRuntime.random, {
    workFactor: FAST_WORK_FACTOR,
  });
  const { publicKey } = key;
  await key.close();
  const ledger = await openLedgerForWriting(paths.ledger, {
    now: () => nowSeconds(benchRuntime),
    random: benchRuntime.random,
    holder: { command: 'bench' },
  });
  try {
    await claimKey(files.claim, { kid: publicKey.kid, ledger: toHex(ledger.genesis.ledgerId) });
    await fillLedger(ledger, unsignedKey(publicKey), licenses);
  } finally {
    ledger.close();
  }
  const made = '2027-01-01T00:00:00Z';
  const record = { name: 'bench', purpose: 'license', algorithm, publicKey, keystore: 'bench', made } as const;
  writeSite(paths, {
    ...openSite(paths.folder).config,
    keys: [{ ...record, custody: 'software' }],
    defaultKey: 'bench',
  });
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  return { licenses, folder, issueMs: [] };
}

function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

function writeRequest(folder: string, customer: string): string {
  const path = join(folder, 'request.json');
  const request = {
    schema: 'vtlic-request/1',
    customer,
    product: 'vaultdesk',
    tier: 'enterprise',
    seats: 250,
    from: day(0),
    until: day(364),
  };
  writeFileSync(path, JSON.stringify(request));
  return path;
}

function vtlic(args: readonly string[]): string {
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  if (done.status !== 0) throw new Error(`vtlic ${args.join(' ')} left with ${done.status}: ${done.stderr}`);
  return done.stdout.trim();
}

/** Signs one license of a new customer, planned before. @returns milliseconds of the process that signs */
function issueOne({ folder }: Grown, round: number): number {
  const site = ['--site', join(folder, 'site')];
  const digest = vtlic(['issue', writeRequest(folder, `measured-${round}`), '--dry-run', ...site]);
  const begun = performance.now();
  vtlic(['issue', '--confirm', digest, ...site, '--secret', `bench=file:${join(folder, 'passphrase')}`]);
  return performance.now() - begun;
}

function peakOfVerify({ folder }: Grown): number {
  const child = join(import.meta.dirname, '../verify-child.ts');
  const out = execFileSync(process.execPath, [child, join(folder, 'site/ledger.sqlite')], { encoding: 'utf8' });
  return (JSON.parse(out) as { readonly peakMiB: number }).peakMiB;
}

/** @param sizes in licenses; an empty ledger comes first */
export async function measureGrowth(sizes: readonly number[]): Promise<Part> {
  const grown: Grown[] = [];
  for (const size of [0, ...sizes]) grown.push(await grow(size));
  // The sites take turns, so that other work of the machine slows all of them alike.
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
}
