/**
 * The check that the command makes before it loads anything else. Real old Nodes: `test/runtimes/signer-runtime.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { missingFromRuntime } from '../../../../signer/cli/check-runtime.ts';
import { MAIN } from '../../../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-runtime-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Not the packed command of the other tests, which has all its imports at its head. */
function run(nodeArgs: readonly string[], args: readonly string[]): unknown {
  const done = spawnSync(process.execPath, [...nodeArgs, MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

/** Imports that are resolved before the first line runs. */
function staticImports(file: string): readonly (string | undefined)[] {
  const text = readFileSync(join(MAIN, '..', file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';$/gm)].map(([, from]) => from);
}

describe('the check of the runtime', () => {
  it.each([
    ['20.20.2', 'needs Node.js 24.19 or later, and this is Node.js 20.20.2'],
    ['22.23.5', 'needs Node.js 24.19 or later, and this is Node.js 22.23.5'],
    ['24.18.9', 'needs Node.js 24.19 or later, and this is Node.js 24.18.9'],
    ['24.19.0', undefined],
    ['26.0.0', undefined],
  ])('judges Node %s by its version first: %s', async (number, expected) => {
    expect(await missingFromRuntime(number)).toBe(expected);
  });

  it('names SQLite where this Node is started without it, with exit 2', () => {
    expect(run(['--no-experimental-sqlite'], ['key', 'list'])).toEqual({
      code: 2,
      stdout: '',
      stderr: `vtlic: the signer needs Node.js 24.19 or later with SQLite, and this Node.js ${process.versions.node} was built or started without it\n  → install Node.js 24 LTS and run this again with it\n`,
    });
  });

  it('names ML-DSA-65 where the context of a signature is ignored, as Node 24.6 and 24.7 do, with exit 2', () => {
    const preload = join(folder, 'no-context.cjs');
    writeFileSync(
      preload,
      `const crypto = require('node:crypto');
      const { sign, verify } = crypto;
      crypto.sign = (algorithm, data, { key }) => sign(algorithm, data, key);
      crypto.verify = (algorithm, data, { key }, signature) => verify(algorithm, data, key, signature);
      require('node:module').syncBuiltinESMExports();`,
    );
    expect(run(['--require', preload], ['key', 'list'])).toEqual({
      code: 2,
      stdout: '',
      stderr: `vtlic: the signer needs Node.js 24.19 or later with ML-DSA-65, and the OpenSSL of this Node.js ${process.versions.node} lacks it or gets it wrong\n  → install Node.js 24 LTS and run this again with it\n`,
    });
  });

  it.each([
    [['--version'], { code: 0, stdout: '0.1.0\n', stderr: '' }],
    [['help'], { code: 0, stdout: expect.stringContaining('Commands:') as string, stderr: '' }],
    [
      ['inspect', 'none.vtlic'],
      {
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('there is no such file or folder') as string,
      },
    ],
    [
      ['verify', 'none.vtlic', '--product', 'p', '--trust', 'none.pem'],
      { code: 2, stdout: '', stderr: expect.stringContaining('there is no such file or folder') as string },
    ],
  ])('asks only the version for %j, which neither signs nor opens a ledger', (args, expected) => {
    expect(run(['--no-experimental-sqlite'], args)).toEqual(expected);
  });

  it('comes before all other files of the command, which an old Node cannot link', () => {
    expect(staticImports('main.ts')).toEqual(['./check-runtime.ts']);
    expect(staticImports('check-runtime.ts')).toEqual([]);
  });
});
