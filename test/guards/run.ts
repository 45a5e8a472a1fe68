/**
 * `npm run test:mutants`: removes each guard, one at a time, and sees its test fail. Arguments select guards: words of
 * what they do, or a part of the path of a source or a test.
 */
import { GUARDS } from './guards.ts';
import { TreeCopy } from './mutate.ts';

const COPIES = 2;

const words = process.argv.slice(2);
const guards = GUARDS.filter(
  (guard) => words.length === 0 || words.some((word) => `${guard.does} ${guard.file} ${guard.test}`.includes(word)),
);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

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
