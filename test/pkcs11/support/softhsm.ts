/** SoftHSM 2.6 tokens in a folder of their own (Debian's `softhsm2`). */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newPin, type TestToken } from './test-token.ts';

const PLACES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export function softhsmModule(): string {
  const found = PLACES.find((path) => existsSync(path));
  if (found === undefined) throw new Error('SoftHSM is not installed: apt-get install softhsm2');
  return found;
}

/** Makes one token for each label. */
export const makeSofthsm = (...labels: readonly string[]): TestToken => makeSofthsmWith(newPin(), ...labels);

/** The same, with this PIN. */
export function makeSofthsmWith(pin: string, ...labels: readonly string[]): TestToken {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-softhsm-'));
  const tokens = join(folder, 'tokens');
  mkdirSync(tokens, { mode: 0o700 });
  const conf = join(folder, 'softhsm2.conf');
  writeFileSync(
    conf,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
  );
  const environment = { SOFTHSM2_CONF: conf };
  for (const label of labels) {
    execFileSync(
      'softhsm2-util',
      ['--init-token', '--free', '--label', label, '--so-pin', 'so-pin-of-a-test', '--pin', pin],
      {
        env: { ...process.env, ...environment },
        stdio: 'pipe',
      },
    );
  }
  return {
    module: softhsmModule(),
    environment,
    pin,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
