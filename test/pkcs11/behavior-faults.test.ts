/**
 * The fault walk over the behaviors, a sample of it by a fixed rule; `npm run test:crash` walks every call.
 *
 * In every behavior a login fails, and so does each function that makes, signs or destroys: its first call in one
 * behavior, its last call in the next. Every other function goes wrong in each third behavior. How a call goes wrong
 * changes from function to function and from behavior to behavior. Of the doctor, only calls that make and destroy go
 * wrong, each in every second behavior.
 */
import { afterAll, expect, it } from 'vitest';
import { BehaviorWalk, commandsOf, FAULTS, WALKED, type Case, type WalkedCommand } from './support/behavior-walk.ts';
import { useQuickHosts } from './support/quick-hosts.ts';

useQuickHosts();

const CHANGES: readonly string[] = [
  'C_GenerateKeyPair',
  'C_GenerateKey',
  'C_CreateObject',
  'C_DestroyObject',
  'C_Sign',
];
/** In one behavior of so many. */
const DOCTOR_SHARE = 2;
const OTHERS_SHARE = 3;
/** In each behavior. */
const FEWEST_CASES = 8;

/** Some thirty commands, on a machine that does other things too. */
const TIME_LIMIT = 600_000;

let cases = 0;
let named = 0;
afterAll(() => {
  process.stdout.write(
    `fault walk of the behaviors: ${cases} cases; ${named} objects stayed in a token, each named with its way out\n`,
  );
});

function sample(command: WalkedCommand, calls: readonly string[], place: number): readonly Case[] {
  return [...new Set(calls)].flatMap((call, i) => {
    const isChange = CHANGES.includes(call);
    const share = command === 'hsm doctor' ? DOCTOR_SHARE : isChange || call === 'C_Login' ? 1 : OTHERS_SHARE;
    if ((place + i) % share !== 0 || (command === 'hsm doctor' && (!isChange || call === 'C_Sign'))) return [];
    const nth = (isChange && place % 2 === 1 ? calls.lastIndexOf(call) : calls.indexOf(call)) + 1;
    const fault = FAULTS[Math.floor((place + i) / share) % FAULTS.length] ?? 'rv';
    const one = { command, nth, call, fault } as const;
    // A login that is answered by an error is in every sample.
    return call === 'C_Login' && fault !== 'rv' ? [one, { ...one, fault: 'rv' as const }] : [one];
  });
}

it('lets every function go wrong in every command that calls it, over all behaviors', () => {
  const calls = ['C_Login', 'C_SignInit', 'C_Sign', 'C_FindObjects', 'C_GenerateKeyPair', 'C_OpenSession'];
  for (const command of ['key generate', 'key adopt', 'issue'] as const) {
    const chosen = WALKED.flatMap((_, place) => sample(command, calls, place));
    for (const call of calls) {
      const ways = new Set(chosen.filter((one) => one.call === call).map(({ fault }) => fault));
      expect(ways.size).toBeGreaterThan(2);
    }
  }
});

it.concurrent.each(WALKED.map((walked, place) => [walked.name, walked, place] as const))(
  '%s: shows no refused PIN again, releases nothing that does not verify, and leaves no key that is not named',
  async (_, walked, place) => {
    const walk = new BehaviorWalk(walked);
    try {
      await walk.prepare();
      for (const command of commandsOf(walked))
        for (const one of sample(command, await walk.callsOf(command), place)) await walk.walk(one);
      await walk.judgeEnd();
      expect(walk.cases).toBeGreaterThanOrEqual(FEWEST_CASES);
    } finally {
      cases += walk.cases;
      named += walk.named;
      walk.remove();
    }
  },
  TIME_LIMIT,
);
