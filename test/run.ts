/**
 * `npm test`: everything that a bare machine with Node, npm and git can check. Stops at the first failure;
 * its last line names what it did not cover.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

const STEPS: readonly (readonly [what: string, command: string, args: readonly string[]])[] = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['lint with typed rules', bin('oxlint'), ['--deny-warnings']],
  ['dead code', bin('knip'), ['--no-progress']],
  ['build and pack', process.execPath, ['packages/build.ts']],
  ['tests', bin('vitest'), ['run']],
];

for (const [what, command, args] of STEPS) {
  process.stdout.write(`\n== ${what}\n`);
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) {
    process.stdout.write(`\nFAILED: ${what}\n`);
    process.exit(1);
  }
}
const asRoot = process.getuid?.() === 0;
process.stdout.write(`\nAll passed. Not covered here: tokens, disks that go wrong at a chosen call, and Debian's age (npm run test:token); the long crash campaign (npm run test:crash)${asRoot ? '' : '; the ledger on a full disk by itself, which takes root (the whole command on one was tried)'}.\n`);
