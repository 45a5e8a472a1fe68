/** `issue --proof` with the license key and the ledger key in one token: one PIN for both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { makeSofthsm } from './support/softhsm.ts';
import type { TestToken } from './support/test-token.ts';

let made: TestToken;
let folder: string;
let site: string;

function run(...args: readonly string[]): CliResult {
  return runCli([...args, '--site', site], { env: { ...made.environment } });
}

beforeAll(() => {
  made = makeSofthsm('one');
  folder = mkdtempSync(join(tmpdir(), 'vtlic-token-proof-'));
  site = join(folder, 'site');
  writeFileSync(join(folder, 'pin'), made.pin, { mode: 0o600 });
  writeFileSync(join(folder, 'request.json'), JSON.stringify(requestDocument()));
  const secret = ['--secret', `hsm=file:${join(folder, 'pin')}`];
  expect(
    runCli(
      [
        'init',
        site,
        '--issuer',
        'example-vendor',
        '--example-catalog',
        '--keystore',
        `hsm=pkcs11:token=one?module-path=${made.module}`,
      ],
      { env: { ...made.environment } },
    ),
  ).toMatchObject({ code: 0 });
  for (const [name, purpose] of [
    ['license-1', 'license'],
    ['ledger-1', 'ledger'],
  ] as const)
    expect(
      run('key', 'generate', '--name', name, '--purpose', purpose, '--algorithm', 'ed25519', ...secret),
    ).toMatchObject({
      code: 0,
    });
});
afterAll(() => {
  made.remove();
  rmSync(folder, { recursive: true, force: true });
});

it('asks for the PIN once, and the proof is valid', async () => {
  const terminal = new PtyRun(['issue', join(folder, 'request.json'), '--proof', '--site', site], {
    env: { ...made.environment },
  });
  try {
    await terminal.until(/Type Yes/);
    terminal.type('Yes\r');
    await terminal.until(/PIN of token one .*: /);
    terminal.type(`${made.pin}\r`);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output.match(/PIN of token/g)).toHaveLength(1);
    const [, license = ''] = /^(\S+\.vtlic)\r?$/m.exec(terminal.output) ?? [];
    expect(run('ledger', 'check', `${license}.tlog-proof`, '--license', license).stdout).toContain('valid: license');
  } finally {
    terminal.kill();
  }
});
