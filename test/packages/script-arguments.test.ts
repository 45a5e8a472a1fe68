/** The commands of this repository: wrong arguments are a sentence, and a selection of nothing never passes. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';

const WRONG: readonly (readonly [script: string, args: string, sentence: string])[] = [
  ['test/model/run.ts', '--attempts 0', '--attempts is "0", expected a whole number of at least 1'],
  ['test/model/run.ts', '--place nowhere', '--place is nowhere, expected one of file, token, scan'],
  ['test/model/run.ts', '--only nothing', 'no scenario has "nothing" in its name'],
  ['test/fuzz/run.ts', '--inputs many', '--inputs is "many", expected a whole number of at least 1'],
  ['test/crash/campaign/run.ts', '--kills -1', "Option '--kills' argument is ambiguous"],
  ['test/crash/campaign/run.ts', '--keystore paper', '--keystore is paper, expected one of software,'],
  ['test/guards/run.ts', 'nothing-like-it', 'there is no guard for nothing-like-it'],
  ['test/mutation/run.ts', '--every 0', '--every is "0", expected a whole number of at least 1'],
  ['test/mutation/run.ts', '--lanes two', '--lanes is "two", expected a whole number of at least 1'],
  ['test/mutation/run.ts', 'nothing-like-it', 'no source has nothing-like-it in its path'],
  ['test/mutation/run.ts', 'formats/version.ts', 'the selected sources have no place that could be changed'],
  ['conformance/vectors/try-mutants.ts', 'nothing-like-it', 'no mutant has nothing-like-it in its name'],
  ['conformance/vectors/try-mutants.ts', '--cases nothing', 'no case has an id that begins with nothing'],
  ['conformance/runner/search-mutants.ts', 'nothing', 'no wrong verifier has the name nothing'],
  ['bench/run.ts', '--only nothing', '--only is nothing, expected one of verifying,'],
  ...[
    'test/model/run.ts',
    'test/fuzz/run.ts',
    'test/crash/campaign/run.ts',
    'test/mutation/run.ts',
    'conformance/vectors/try-mutants.ts',
    'conformance/runner/search-mutants.ts',
    'bench/run.ts',
  ].map((script) => [script, '--onyl x', "Unknown option '--onyl'"] as const),
];

describe('a command of this repository with wrong arguments', () => {
  it.each(WRONG)('%s %s', (script, args, sentence) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args.split(' ')], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stderr).toContain(`error: ${sentence}`);
    expect(stderr).toContain(`hint: the first lines of ${script} say what it takes`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});
