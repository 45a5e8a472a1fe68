/**
 * `npm run test:mutants`: removes each guard, one at a time, and sees its test fail. Arguments select guards: words of
 * what they do, or a part of the path of a source or a test. Without them, `test/mutation/run.ts` follows, which changes single places.
 */
import { refuseArguments } from '../../packages/script-arguments.ts';
import { GUARDS } from './guards.ts';
import { needsTokens, TreeCopy } from './mutate.ts';
import { missingNeeds } from '../pkcs11/support/check-needs.ts';

const COPIES = 2;

const words = process.argv.slice(2);
const selected = GUARDS.filter(
  (guard) => words.length === 0 || words.some((word) => `${guard.does} ${guard.file} ${guard.test}`.includes(word)),
);
if (selected.length === 0) refuseArguments(`there is no guard for ${words.join(' or ')}`);
const missing = selected.some(({ test }) => needsTokens(test)) ? missingNeeds() : [];
const guards = selected.filter(({ test }) => missing.length === 0 || !needsTokens(test));
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

if (guards.length < selected.length)
  say(`not tried, ${selected.length - guards.length} guards of tokens: ${missing.join('; ')}`);

let wrong = 0;
const tests = new Set(guards.map(({ test }) => test));
const queue = [...tests];
const left = [...guards];
const red = new Set<string>();

async function work(): Promise<void> {
  const copy = new TreeCopy();
  try {
    for (let test = queue.pop(); test !== undefined; test = queue.pop()) {
      const { green, output } = await copy.isGreen(test);
      if (green) continue;
      red.add(test);
      wrong++;
      say(`RED BEFORE   ${test}\n${output}`);
    }
    for (let guard = left.pop(); guard !== undefined; guard = left.pop()) {
      if (red.has(guard.test)) continue;
      const { outcome, output } = await copy.tryWithout(guard);
      say(`${outcome.padEnd(12)} ${guard.does} (${guard.file}, ${guard.test})`);
      if (outcome !== 'noticed') {
        wrong++;
        say(output);
      }
    }
  } catch (error) {
    wrong++;
    throw error;
  } finally {
    copy.remove();
  }
}

const outcomes = await Promise.allSettled(Array.from({ length: COPIES }, work));
for (const outcome of outcomes) if (outcome.status === 'rejected') say(String(outcome.reason));
say(`${guards.length} guards removed, one at a time; ${wrong === 0 ? 'each was noticed' : `${wrong} problems`}`);
process.exitCode = wrong === 0 ? 0 : 1;
if (words.length === 0) await import('../mutation/run.ts');
