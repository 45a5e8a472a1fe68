/**
 * `npm run test:crash`: kills the real command at every numbered step and at random times, lets the disk go wrong at
 * every call, damages ledgers as a power loss does, and tells what it found.
 *
 *   --kills N        how many (10,000; 0 leaves the kills out)
 *   --disk N         lets the disk go wrong at every N-th call (1; 0 leaves it out)
 *   --damage N       so many ledgers damaged at random (2,000; 0 leaves it out)
 *   --mutations N    so many changes of a ledger's rows, indexes, schema and pages (2,000; 0 leaves it out)
 *   --products N     so many products with a license runtime killed (5,000; 0 leaves them out)
 *   --tokens N       lets every N-th PKCS#11 call go wrong, over all simulated devices (1; 0 leaves it out)
 *   --device NAME    of the simulated devices only this one; repeatable
 *   --copies N       stops one of two copies of a site before every N-th call that reads or changes the anchor file, and
 *                    stops and ends its token host at every N-th PKCS#11 call of an issue, while the other copy issues
 *                    (1; 0 leaves it out)
 *   --seed S         for the choice of commands and points (a random one, printed)
 *   --keystore NAME  software, softhsm, kryoptic; repeatable (all that are here)
 *   --lanes N        sites or devices at a time (2)
 */
import { readArguments, readWholeNumber, refuseArguments } from '../../../packages/script-arguments.ts';
import { walkBehaviors } from '../../pkcs11/support/walk-behaviors.ts';
import { makeSofthsm } from '../../pkcs11/support/softhsm.ts';
import { type WalkOptions, walkTwoCopies } from '../../pkcs11/support/walk-two-copies.ts';
import { ensureKryoptic } from '../../support/tokens/build-kryoptic.ts';
import { ensureDiskFaults } from '../disk-faults/build-disk-faults.ts';
import { walkDisk } from '../disk-faults/disk-walk.ts';
import { PowerLoss, type Judged } from '../power-loss/damage.ts';
import { makeSite } from '../../support/site-fixture.ts';
import { judgeMutations } from '../ledger-mutations/judge-mutations.ts';
import { killProducts } from '../runtime/kill-product.ts';
import { Campaign } from './campaign.ts';
import { KEYSTORES, makePlace, type KeystoreName } from './place.ts';
import { Random } from './random.ts';
import { faultOf, STOPPED_COMMANDS, walkStops } from './stopped-copies.ts';

const { values } = readArguments({
  options: {
    kills: { type: 'string', default: '10000' },
    disk: { type: 'string', default: '1' },
    damage: { type: 'string', default: '2000' },
    mutations: { type: 'string', default: '2000' },
    products: { type: 'string', default: '5000' },
    tokens: { type: 'string', default: '1' },
    device: { type: 'string', multiple: true },
    copies: { type: 'string', default: '1' },
    seed: { type: 'string' },
    keystore: { type: 'string', multiple: true },
    lanes: { type: 'string', default: '2' },
  },
});
const kills = readWholeNumber('kills', values.kills);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readWholeNumber('seed', values.seed);
const lanes = readWholeNumber('lanes', values.lanes, 1);
const disk = readWholeNumber('disk', values.disk);
const damage = readWholeNumber('damage', values.damage);
const mutations = readWholeNumber('mutations', values.mutations);
const products = readWholeNumber('products', values.products);
const tokens = readWholeNumber('tokens', values.tokens);
const copies = readWholeNumber('copies', values.copies);
const unknown = values.keystore?.find((name) => !KEYSTORES.some((known) => known === name));
if (unknown !== undefined) refuseArguments(`--keystore is ${unknown}, expected one of ${KEYSTORES.join(', ')}`);

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** The keystores that were asked for, or those that are here; what is missing is said. */
async function usable(): Promise<readonly KeystoreName[]> {
  const asked = values.keystore;
  if (asked !== undefined) return KEYSTORES.filter((name) => asked.includes(name));
  const found: KeystoreName[] = [];
  for (const name of KEYSTORES) {
    try {
      (await makePlace(name)).remove();
      found.push(name);
    } catch (error) {
      say(`NOT COVERED: ${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
    }
  }
  return found;
}

/** Whether the module behind the simulated devices is installed; prints a line if it is not. */
function hasKryoptic(): boolean {
  try {
    ensureKryoptic();
    return true;
  } catch (error) {
    say(
      `NOT COVERED: simulated devices and two copies of a site: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
    );
    return false;
  }
}

/** Whether there is a C compiler; said where there is none. */
function canPreload(): boolean {
  try {
    ensureDiskFaults();
    return true;
  } catch (error) {
    say(
      `NOT COVERED: kills between the calls of libc, and disks that go wrong: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
    );
    return false;
  }
}

const began = performance.now();
const sinceBegun = (): string => `${Math.round((performance.now() - began) / 1000)} s`;
const preload = canPreload();

async function killProcesses(): Promise<number> {
  const keystores = await usable();
  say(`${kills} kills, seed ${seed}, keystores ${keystores.join(', ')}, ${lanes} sites at a time`);
  const start = performance.now();
  let told = 0;
  const campaign = new Campaign({
    kills,
    seed,
    keystores,
    lanes,
    killsPerSite: 100,
    syscalls: preload,
    tell: say,
    progress: (totals) => {
      if (totals.kills < told + 500) return;
      told = totals.kills;
      say(
        `${totals.kills} kills, ${totals.problems.length} problems, ${((totals.kills * 1000) / (performance.now() - start)).toFixed(2)} a second`,
      );
    },
  });
  const totals = await campaign.run();
  for (const line of totals.lines()) say(line);
  say(
    `${((totals.kills * 1000) / (performance.now() - start)).toFixed(2)} kills a second; seed ${seed}; ${sinceBegun()}`,
  );
  return totals.problems.length;
}

async function breakDisks(): Promise<number> {
  const cases = await walkDisk({ every: disk, seed, lanes, tell: say });
  const codes = new Map<string, number>();
  for (const { command, way, code } of cases)
    codes.set(`${command} · ${way} · exit ${code}`, (codes.get(`${command} · ${way} · exit ${code}`) ?? 0) + 1);
  say('disks that went wrong, by command, way and exit code:');
  for (const [name, count] of [...codes].sort(([a], [b]) => (a < b ? -1 : 1)))
    say(`  ${String(count).padStart(6)}  ${name}`);
  const bad = cases.filter(({ problems }) => problems.length > 0).length;
  say(`${cases.length} calls at which the disk went wrong, ${bad} with problems; ${sinceBegun()}`);
  return bad;
}

async function damageLedgers(): Promise<number> {
  const site = await makeSite({ algorithm: 'ed25519' });
  const loss = await PowerLoss.prepare(site);
  const random = new Random(seed);
  const judged: Judged[] = [];
  for (const damaged of loss.certain()) judged.push(await loss.judge(damaged));
  while (judged.length < damage) judged.push(await loss.judge(loss.random(random)));
  site.remove();
  const bad = judged.filter(({ problem }) => problem !== undefined);
  for (const { what, problem } of bad) say(`PROBLEM: ${what}: ${problem ?? ''}`);
  const count = (outcome: Judged['outcome']): number => judged.filter((each) => each.outcome === outcome).length;
  say(
    `${judged.length} ledgers damaged: ${count('refused')} refused by the next start (exit 4), ${count('noticed')} noticed by ledger verify (exit 19), ${count('harmless')} without harm to anything that left, ${bad.length} with problems; ${sinceBegun()}`,
  );
  return bad.length;
}

async function changeLedgers(): Promise<number> {
  const { noticed, harmless, problems: bad } = await judgeMutations({ changes: mutations, seed });
  for (const problem of bad) say(`PROBLEM: ${problem}`);
  say(
    `${noticed + harmless.length} changes of a ledger: ${noticed} noticed by ledger verify, ${harmless.length} of bytes that nothing reads, ${bad.length} with problems; ${sinceBegun()}`,
  );
  return bad.length;
}

async function killRuntimes(): Promise<number> {
  const points = new Map<string, number>();
  let bad = 0;
  await killProducts({ kills: products, lanes, random: new Random(seed) }, ({ at, problems: found }) => {
    points.set(at, (points.get(at) ?? 0) + 1);
    if (found.length > 0) bad++;
    for (const problem of found) say(`PROBLEM: ${at}: ${problem}`);
  });
  say('products killed, by the call at which they were:');
  for (const [at, count] of [...points].sort(([a], [b]) => (a < b ? -1 : 1)))
    say(`  ${String(count).padStart(6)}  ${at}`);
  const all = [...points.values()].reduce((sum, count) => sum + count, 0);
  say(`${all} products killed, ${bad} with problems; ${sinceBegun()}`);
  return bad;
}

async function failTokens(): Promise<number> {
  const walked = await walkBehaviors({ every: tokens, lanes, devices: values.device, tell: say });
  if (walked.length === 0) throw new Error(`there is no simulated device ${values.device?.join(', ') ?? ''}`);
  say('PKCS#11 calls that went wrong, by simulated device:');
  for (const { name, cases } of walked) say(`  ${String(cases).padStart(6)}  ${name}`);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const bad = sum(walked.map((each) => each.problems));
  say(`${sum(walked.map(({ cases }) => cases))} PKCS#11 calls that went wrong, ${bad} with problems; ${sinceBegun()}`);
  return bad;
}

async function stopCopies(): Promise<number> {
  const tell: WalkOptions['tell'] = ({ way, at, call, problems: found }) => {
    for (const problem of found) say(`PROBLEM: ${way} at ${call} (${at}): ${problem}`);
  };
  const isTried = (_call: string, at: number): boolean => at % copies === 0;
  const walks: readonly (readonly [name: string, walk: WalkOptions])[] = [
    ['SoftHSM', { make: () => makeSofthsm('one'), ways: ['stop', 'die'], counted: 'name', isTried, tell }],
    ...(hasKryoptic() ? [['kryoptic', { ways: ['stop', 'kill', 'die'], isTried, tell }] as const] : []),
  ];
  let bad = 0;
  for (const [name, walk] of walks) {
    const pairs = await walkTwoCopies(walk);
    const wrong = pairs.filter(({ problems: found }) => found.length > 0).length;
    say(
      `${pairs.length} pairs of copies with an anchor in ${name}, one stopped or ended at a PKCS#11 call, ` +
        `${wrong} with problems; ${sinceBegun()}`,
    );
    bad += wrong;
  }
  return bad;
}

async function stopCopiesWithFile(): Promise<number> {
  let bad = 0;
  for (const on of ['anchor', 'anchor read'] as const)
    for (const command of STOPPED_COMMANDS) {
      const pairs = await walkStops({ command, on, every: copies });
      const fault = faultOf(command, pairs);
      if (fault !== undefined) say(`PROBLEM: ${fault}`);
      bad += fault === undefined ? 0 : 1;
      const calls = on === 'anchor' ? 'changes' : 'reads';
      say(`${pairs.length} pairs of copies with an anchor file, ${command} stopped before ${calls}; ${sinceBegun()}`);
    }
  return bad;
}

let problems = 0;
if (kills > 0) problems += await killProcesses();
if (disk > 0 && preload) problems += await breakDisks();
if (damage > 0) problems += await damageLedgers();
if (mutations > 0) problems += await changeLedgers();
if (products > 0) problems += await killRuntimes();
if (tokens > 0 && hasKryoptic()) problems += await failTokens();
if (copies > 0) problems += (await stopCopiesWithFile()) + (await stopCopies());
process.exit(problems === 0 ? 0 : 1);
