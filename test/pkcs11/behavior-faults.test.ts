/**
 * The fault walk over the behaviors, a sample of it by a fixed rule; `npm run test:crash` walks every call.
 *
 * Of each function that changes something, signs, or opens and closes, the first call goes wrong, of those that make or
 * sign the last one too; of the functions that only ask, two. Of the doctor, only calls that make and destroy go wrong.
 * How a call goes wrong changes from function to function and from behavior to behavior.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { BehaviorWalk, commandsOf, FAULTS, WALKED, type Case, type WalkedCommand } from './support/behavior-walk.ts';

const ASKS = /^C_(?:Get|Find)/;
const MAKES: readonly string[] = ['C_GenerateKeyPair', 'C_GenerateKey', 'C_CreateObject', 'C_Sign'];
const LEAVES: readonly string[] = ['C_GenerateKeyPair', 'C_GenerateKey', 'C_CreateObject', 'C_DestroyObject'];
const ASKED_FOR = 2;

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
  const functions = [...new Set(calls)];
  const asking = functions.filter((name) => ASKS.test(name));
  const asked = Array.from({ length: ASKED_FOR }, (_, i) => asking[(place + i * 3) % asking.length]);
  return functions.flatMap((call, i) => {
    if (ASKS.test(call) && !asked.includes(call)) return [];
    if (command === 'hsm doctor' && !LEAVES.includes(call)) return [];
    const first = calls.indexOf(call) + 1;
    const last = MAKES.includes(call) ? calls.lastIndexOf(call) + 1 : first;
    const chosen = [...new Set([first, last])].map((nth, j) => {
      const fault = FAULTS[(place + i + j) % FAULTS.length] ?? 'rv';
      return { command, nth, call, fault };
    });
    // A login that is answered by an error is in every sample.
    return call === 'C_Login' ? [...chosen, { command, nth: first, call, fault: 'rv' }] : chosen;
  });
}

describe.each(WALKED.map((behavior, place) => [behavior.name, behavior, place] as const))(
  '%s',
  (_, behavior, place) => {
    it(
      'shows no refused PIN again, releases nothing that does not verify, and leaves no key that is not named',
      async () => {
        const walk = new BehaviorWalk(behavior);
        try {
          await walk.prepare();
          for (const command of commandsOf(behavior))
            for (const one of sample(command, await walk.callsOf(command), place)) await walk.walk(one);
          await walk.judgeEnd();
          expect(walk.cases).toBeGreaterThan(15);
        } finally {
          cases += walk.cases;
          named += walk.named;
          walk.device.remove();
        }
      },
      TIME_LIMIT,
    );
  },
);
