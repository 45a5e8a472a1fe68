/**
 * `npm run test:model`: explores every scenario of two copies of a site that share an anchor, in a file and in a token,
 * with every interleaving, and says how many states there are.
 *
 *   --kills N      how many times a copy is killed at most, in one history (1)
 *   --attempts N   how often a change in a token begins anew when another one interrupts it (1)
 *   --place NAME   file, token, or scan: a token that looks at one object after the other (all)
 *   --only WORDS   only the scenarios whose name contains the words
 */
import { readArguments, readWholeNumber, refuseArguments } from '../../packages/script-arguments.ts';
import { exploreScenario, SCENARIOS } from '../unit/signer/anchor/anchor-scenarios.ts';
import { inFile, inToken, notAtOnce, type Protocol } from '../unit/signer/anchor/exchange-protocols.ts';

const { values } = readArguments({
  options: {
    kills: { type: 'string', default: '1' },
    attempts: { type: 'string', default: '1' },
    place: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const kills = readWholeNumber('kills', values.kills);
const attempts = readWholeNumber('attempts', values.attempts, 1);

const PLACES: readonly (readonly [name: string, protocol: Protocol])[] = [
  ['file', inFile],
  ['token', inToken(attempts)],
  ['scan', inToken(attempts, notAtOnce)],
];
const places = PLACES.filter(([name]) => name === (values.place ?? name));
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only));
if (places.length === 0)
  refuseArguments(`--place is ${values.place ?? ''}, expected one of ${PLACES.map(([name]) => name).join(', ')}`);
if (scenarios.length === 0) refuseArguments(`no scenario has "${values.only}" in its name`);
let explored = 0;
let failed = 0;
for (const [place, protocol] of places)
  for (const scenario of scenarios) {
    const began = process.cpuUsage();
    try {
      const { states, ends } = await exploreScenario(protocol, scenario, kills);
      explored += states;
      const { user, system } = process.cpuUsage(began);
      const seconds = ((user + system) / 1e6).toFixed(1);
      process.stdout.write(
        `${place}, ${scenario.name}, kills ${kills}: ${states} states, ${ends} ends, 0 problems, ${seconds} s of the processor\n`,
      );
    } catch (error) {
      failed++;
      process.stdout.write(`PROBLEM: ${place}, ${scenario.name}, kills ${kills}: ${String(error)}\n`);
    }
  }
process.stdout.write(`${explored} states, ${failed} problems\n`);
process.exitCode = failed === 0 ? 0 : 1;
