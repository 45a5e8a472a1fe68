/**
 * `npm test`: everything that a bare machine with Node, npm and git can check. Stops where something fails;
 * its last line names what it did not cover.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { lastLine } from './support/not-covered.ts';
import { mountPrefix } from './support/mounts.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

type Step = readonly [what: string, command: string, args: readonly string[]];

/** At once: none of them uses both cores to its end. */
const CHECKS: readonly Step[] = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['lint with typed rules', bin('oxlint'), ['--deny-warnings']],
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  ['dead code', bin('knip'), ['--no-progress']],
  ['build and pack', process.execPath, ['packages/build.ts']],
];
const TESTS: Step = ['tests', bin('vitest'), ['run']];

async function run([, command, args]: Step, show: (text: string) => void): Promise<boolean> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', show);
  await once(child, 'close');
  return child.exitCode === 0;
}

function stop(what: string): never {
  process.stdout.write(`\nFAILED: ${what}\n`);
  process.exit(1);
}

const checked = await Promise.all(
  CHECKS.map(async (step) => {
    let said = '';
    const ok = await run(step, (text) => {
      said += text;
    });
    return { what: step[0], ok, said };
  }),
);
for (const { what, said } of checked) process.stdout.write(`\n== ${what}\n${said}`);
const failed = checked.filter(({ ok }) => !ok);
if (failed.length > 0) stop(failed.map(({ what }) => what).join(', '));

process.stdout.write('\n== tests\n');
if (!(await run(TESTS, (text) => process.stdout.write(text)))) stop('tests');
process.stdout.write(`\n${lastLine(mountPrefix !== undefined)}\n`);
