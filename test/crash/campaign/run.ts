/**
 * `npm run test:crash`: kills the real command at every numbered step and at random times, and tells what it found.
 *
 *   --kills N        how many (10,000)
 *   --seed S         for the choice of commands and points (a random one, printed)
 *   --keystore NAME  software, softhsm, kryoptic; repeatable (all that are here)
 *   --lanes N        sites at a time (2)
 */
import { parseArgs } from 'node:util';
import { ensureDiskFaults } from '../disk-faults/build-disk-faults.ts';
import { Campaign } from './campaign.ts';
import { KEYSTORES, makePlace, type KeystoreName } from './place.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '10000' }, seed: { type: 'string' }, keystore: { type: 'string', multiple: true }, lanes: { type: 'string', default: '2' } },
});
const kills = Number(values.kills);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const lanes = Number(values.lanes);
if (![kills, seed, lanes].every((number) => Number.isSafeInteger(number) && number >= 0) || kills < 1 || lanes < 1) throw new Error('--kills, --seed and --lanes take whole numbers');

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** The keystores that were asked for, or those that are here; what is missing is said. */
async function usable(): Promise<readonly KeystoreName[]> {
  const asked = values.keystore;
  if (asked !== undefined) {
    const unknown = asked.find((name) => !KEYSTORES.some((known) => known === name));
    if (unknown !== undefined) throw new Error(`--keystore ${unknown}: there are ${KEYSTORES.join(', ')}`);
    return KEYSTORES.filter((name) => asked.includes(name));
  }
  const found: KeystoreName[] = [];
  for (const name of KEYSTORES) {
    try {
      (await makePlace(name, false)).remove();
      found.push(name);
    } catch (error) {
      say(`NOT COVERED: ${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
    }
  }
  return found;
}

/** Whether there is a C compiler; said where there is none. */
function canPreload(): boolean {
  try {
    ensureDiskFaults();
    return true;
  } catch (error) {
    say(`NOT COVERED: kills between the calls of libc, and disks that go wrong: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
    return false;
  }
}

const keystores = await usable();
const preload = canPreload();
say(`${kills} kills, seed ${seed}, keystores ${keystores.join(', ')}, ${lanes} sites at a time`);
const began = performance.now();
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
    say(`${totals.kills} kills, ${totals.problems.length} problems, ${((totals.kills * 1000) / (performance.now() - began)).toFixed(2)} a second`);
  },
});
const totals = await campaign.run();
for (const line of totals.lines()) say(line);
const seconds = (performance.now() - began) / 1000;
say(`${Math.round(seconds)} s, ${(totals.kills / seconds).toFixed(2)} kills a second; seed ${seed}`);
process.exit(totals.problems.length === 0 ? 0 : 1);
