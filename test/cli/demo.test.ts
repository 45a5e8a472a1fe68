/** `npm run demo` as the README has it: it works, keeps everything in one folder, and can be repeated. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT, type CliResult } from '../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-demo-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function demo(...args: readonly string[]): Omit<CliResult, 'signal'> {
  const done = spawnSync(process.execPath, [join(ROOT, 'signer/demo/demo.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

/** The commands that it prints under "Try next", run by a shell in that folder as a person pastes them. */
function pasted(stdout: string, command: string): CliResult['code'] {
  const line = stdout.split('\n').find((text) => text.startsWith(`  bin/vtlic ${command}`)) ?? '';
  return spawnSync('sh', ['-c', `${ROOT}/${line.trim()}`], { cwd: folder, encoding: 'utf8' }).status;
}

describe('the first command of the README', () => {
  it('reports no warning that a newcomer cannot act on: npm is set to errors only in the checkout', () => {
    // Without what an npm that runs this test gives to its children.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    const level = spawnSync('npm', ['config', 'get', 'loglevel'], { cwd: ROOT, encoding: 'utf8', env });
    expect([level.status, level.stdout]).toEqual([0, 'error\n']);
    const elsewhere = spawnSync('npm', ['config', 'get', 'loglevel'], { cwd: folder, encoding: 'utf8', env });
    expect(elsewhere.stdout).not.toBe('error\n');
  });
});

describe('the demo', () => {
  it(
    'signs and verifies a license, keeps all files in one folder, and says how to repeat it',
    { timeout: 300_000 },
    () => {
      const name = "a demo's folder";
      const first = demo(name);
      expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('active: genuine')]);
      expect(readdirSync(folder)).toEqual([name]);
      expect(readdirSync(join(folder, name)).toSorted()).toEqual([
        'demo-passphrase',
        'site',
        'site.anchor',
        'site.anchor.guard',
      ]);
      expect(['key export', 'key check', 'ledger due'].map((command) => pasted(first.stdout, command))).toEqual([
        0, 0, 0,
      ]);
      // Past its end: genuine, but not in force.
      expect(pasted(first.stdout, 'verify')).toBe(21);

      const second = demo(name);
      expect([second.code, second.stdout]).toEqual([2, '']);
      const remove = /start again: +(rm -rf .*) && npm run demo -- /.exec(second.stderr)?.[1] ?? 'exit 1';
      expect(spawnSync('sh', ['-c', remove], { cwd: folder }).status).toBe(0);
      expect(existsSync(join(folder, name))).toBe(false);
      expect(demo(name).code).toBe(0);
    },
  );
});
