/**
 * `npm run bench`: what the toolkit costs beside what it cannot do without, in one run. Figures are ratios first:
 * those carry from one machine to another (docs/performance.md).
 *
 *   npm run bench -- [--json] [--full] [--only verifying,issuing,token,memory,ledger,growth,recomputing,simulating,process]
 */
import { readArguments, refuseArguments } from '../packages/script-arguments.ts';
import { removeBenchFolders } from './parts/batch-site.ts';
import { measureGrowth } from './parts/growth.ts';
import { measureIssuing } from './parts/issuing.ts';
import { measureLedger } from './parts/ledger.ts';
import { machineFacts } from './parts/machine.ts';
import { GROWTH_BASE, measureMemory } from './parts/memory.ts';
import { measureProcess } from './parts/process.ts';
import { measureRecomputing } from './parts/recomputing.ts';
import { holds, partLines, type Part } from './parts/report.ts';
import { measureSimulating } from './parts/simulating.ts';
import { measureToken } from './parts/token.ts';
import { measureVerifying } from './parts/verifying.ts';

const { values } = readArguments({
  options: {
    json: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const LICENSES = 4096;
const TOKEN_LICENSES = 4096;
const RECOMPUTED = 24_576;
const RECOMPUTED_MANY = 98_304;
const SIMULATED = 10_000;

const PARTS: readonly (readonly [name: string, measure: () => Part | Promise<Part>])[] = [
  ['verifying', measureVerifying],
  ['issuing', () => measureIssuing(LICENSES)],
  ['token', () => measureToken(TOKEN_LICENSES)],
  [
    'memory',
    () =>
      values.full
        ? measureMemory([1000, 10_000, GROWTH_BASE, 1_000_000], GROWTH_BASE)
        : measureMemory([1000, 10_000, 50_000], 10_000),
  ],
  ['ledger', () => measureLedger(values.full ? [10_000, 1_000_000, 10_000_000] : [10_000, 300_000])],
  ['growth', () => measureGrowth(values.full ? [100_000, 1_000_000] : [50_000, 100_000])],
  ['recomputing', () => measureRecomputing(RECOMPUTED, RECOMPUTED_MANY)],
  ['simulating', () => measureSimulating(SIMULATED)],
  ['process', measureProcess],
];

const only = values.only?.split(',');
const unknown = only?.find((name) => !PARTS.some(([part]) => part === name));
if (unknown !== undefined)
  refuseArguments(`--only is ${unknown}, expected one of ${PARTS.map(([name]) => name).join(', ')}`);

const say = (line: string): void => {
  if (!values.json) process.stdout.write(`${line}\n`);
};
const machine = machineFacts();
say(
  Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
);
const parts: Part[] = [];
try {
  for (const [name, measure] of PARTS) {
    if (only !== undefined && !only.includes(name)) continue;
    const part = await measure();
    parts.push(part);
    for (const line of partLines(part)) say(line);
  }
} finally {
  removeBenchFolders();
}
const missed = parts.flatMap(({ ratios }) => ratios).filter((ratio) => holds(ratio) === false);
if (values.json)
  process.stdout.write(
    `${JSON.stringify({ schema: 'vtlic-bench/1', machine, parts, missed: missed.map(({ what }) => what) }, null, 2)}\n`,
  );
else
  say(
    `\n${missed.length === 0 ? 'every goal is met' : `goals that are not met: ${missed.map(({ what }) => what).join('; ')}`}`,
  );
process.exit(0);
