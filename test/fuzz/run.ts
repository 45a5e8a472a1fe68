/**
 * `npm run test:fuzz -- [--inputs N] [--workers N] [--seed N] [--seconds N]`: hostile inputs through `verify()`, each
 * with a verdict that a model predicts, on all cores. Prints a table; exit code 1 for a wrong verdict, or a campaign
 * that was too small or too kind.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { readArguments, readWholeNumber } from '../../packages/script-arguments.ts';
import { VERDICTS, type Share, type Slowest } from './campaign.ts';
import type { WorkerTask } from './worker.ts';

const FULL = 10_000_000;
const MIN_PASSED_ARMOR = 0.3;
const MIN_VALIDLY_SIGNED = 0.1;
/** Of each verdict in a full campaign; of a smaller one, in proportion. */
const MIN_EACH = 1000;
/**
 * What anybody can make is compared with the cheapest of all, a small license by Ed25519; what only the vendor can make,
 * with a license by the same algorithm that is as large.
 */
const MAX_RATIO = 10;
const SIGNERS = ['ed25519', 'composite'] as const;
const VALID = ['ed25519', 'composite', 'large ed25519', 'large composite'] as const;

const { values } = readArguments({
  options: {
    inputs: { type: 'string', default: String(FULL) },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '86400' },
  },
});
const inputs = readWholeNumber('inputs', values.inputs, 1);
const workers = readWholeNumber('workers', values.workers, 1);
const seed = readWholeNumber('seed', values.seed);
const start = Date.now();
const until = start + readWholeNumber('seconds', values.seconds, 1) * 1000;

const done = new Map<number, number>();

function runWorker(number: number): Promise<Share> {
  const task: WorkerTask = { seed: seed + number * 1_000_003, inputs: Math.ceil(inputs / workers), until };
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData: task });
    worker.on('message', (message: number | Share) => {
      if (typeof message !== 'number') {
        resolve(message);
        return;
      }
      done.set(number, message);
      const total = [...done.values()].reduce((sum, one) => sum + one, 0);
      if (total % 500_000 < 20_000 * workers) process.stderr.write(`\r${count(total)} inputs`);
    });
    worker.on('error', reject);
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function add(shares: readonly Share[], of: (share: Share) => ReadonlyMap<string, number>): Map<string, number> {
  const sum = new Map<string, number>();
  for (const share of shares) for (const [name, value] of of(share)) sum.set(name, (sum.get(name) ?? 0) + value);
  return sum;
}

function table(title: string, sums: ReadonlyMap<string, number>, total: number): string {
  const rows = [...sums].sort((a, b) => b[1] - a[1]);
  const lines = rows.map(
    ([name, value]) =>
      `${name.padEnd(24)}${count(value).padStart(12)}${((100 * value) / total).toFixed(2).padStart(8)} %`,
  );
  return `${title}\n${lines.join('\n')}\n`;
}

const shares = await Promise.all(Array.from({ length: workers }, (_, number) => runWorker(number)));
const total = shares.reduce((sum, share) => sum + share.inputs, 0);
const verdicts = add(shares, (share) => share.verdicts);
const passedArmor = shares.reduce((sum, share) => sum + share.passedArmor, 0) / total;
const validlySigned = shares.reduce((sum, share) => sum + share.validlySigned, 0) / total;
const differing = shares.reduce((sum, share) => sum + share.differing, 0);
const slowest = (of: (share: Share) => Slowest): Slowest =>
  shares.map(of).reduce((a, b) => (a.ratio > b.ratio ? a : b));
const worst = slowest((share) => share.worst);
const dearest = SIGNERS.map((signer) => slowest((share) => share.dearest[signer]));
const leastValid = (name: keyof Share['valid']): number => Math.min(...shares.map(({ valid }) => valid[name]));
const shown = ({ kind, verdict, bytes, microseconds }: Slowest): string =>
  `${count(Math.round(microseconds))} µs (${kind}, ${verdict}, ${count(bytes)} bytes):\n` +
  VALID.map((name) => {
    const valid = leastValid(name);
    return `    ${(microseconds / valid).toFixed(2).padStart(6)} × a valid ${name} license of ${valid.toFixed(0)} µs\n`;
  }).join('');
const minEach = Math.floor((MIN_EACH * total) / FULL);

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
process.stdout.write(
  [
    `\n${count(total)} inputs, ${workers} workers, seed ${seed}, ${Math.round((Date.now() - start) / 1000)} s\n`,
    table('verdict', verdicts, total),
    table(
      'kind of input',
      add(shares, (share) => share.kinds),
      total,
    ),
    `passed the armor   ${percent(passedArmor)}`,
    `validly signed     ${percent(validlySigned)}`,
    `wrong verdicts     ${count(differing)}`,
    `\nslowest input that anybody can make   ${shown(worst)}`,
    ...SIGNERS.map((signer, i) => `slowest that the vendor can make with ${signer}   ${shown(dearest[i] ?? worst)}`),
  ].join('\n'),
);

const faults = [
  ...shares.flatMap(({ seed: of, differences }) =>
    differences.map(
      ({ kind, expected, found, hex, number }) =>
        `${kind}: expected ${expected}, found ${found} (input ${number} of seed ${of}): ${hex}`,
    ),
  ),
  ...VERDICTS.filter((verdict) => (verdicts.get(verdict) ?? 0) < minEach).map(
    (verdict) => `only ${verdicts.get(verdict) ?? 0} inputs with the verdict ${verdict}, at least ${minEach} expected`,
  ),
  ...(passedArmor < MIN_PASSED_ARMOR ? [`only ${percent(passedArmor)} passed the armor`] : []),
  ...(validlySigned < MIN_VALIDLY_SIGNED ? [`only ${percent(validlySigned)} were validly signed`] : []),
  ...[worst, ...dearest]
    .filter(({ ratio }) => ratio > MAX_RATIO)
    .map(({ ratio, kind }) => `one input (${kind}) costs ${ratio.toFixed(1)} times a valid license`),
];
for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
