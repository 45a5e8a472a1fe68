/** The modules and commands of docs/runtime.md, run beside the unpacked package, print what the page prints. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { ROOT } from '../support/run-cli.ts';
import { DAY } from '../unit/verifier/runtime/product.ts';
import { ed25519Key, licenseFile } from '../unit/verifier/sample.ts';

const page = readFileSync(join(ROOT, 'docs/runtime.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'vtlic-page-'));
const bin = join(folder, 'node_modules/.bin');

beforeAll(async () => {
  const installed = join(folder, 'node_modules/vtlic');
  mkdirSync(installed, { recursive: true });
  mkdirSync(bin);
  execFileSync('tar', ['-xzf', join(ROOT, 'dist/vtlic-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
  symlinkSync('../vtlic/vtlic-product.cjs', join(bin, 'vtlic-product'));
  writeFileSync(join(folder, 'vendor.pem'), exportPublicKey(ed25519Key.publicKey, 'pem'));
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now - 60, nbf: now - 60, exp: now + 90 * DAY, grace: 30 * DAY };
  writeFileSync(join(folder, 'license.vtlic'), await licenseFile(times));
  for (const [, name = '', text = ''] of page.matchAll(/```js\n\/\/ (\S+\.mjs)\n([^`]+)```/g))
    writeFileSync(join(folder, name), text);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('every command of docs/runtime.md prints what is printed there', () => {
  const blocks = [...page.matchAll(/```console\n([^`]+)```/g)].map(([, block = '']) => block);
  expect(blocks).toHaveLength(2);
  const commands = blocks.join('').match(/^\$ .*$/gm) ?? [];
  const script = commands.map((line) => `printf '%s\\n' '${line}'\n${line.slice(2)}\n`).join('');
  const { stdout } = spawnSync('sh', [], {
    cwd: folder,
    input: `exec 2>&1\n${script}`,
    encoding: 'utf8',
    env: { PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter) },
    timeout: 120_000,
  });
  expect(stdout).toBe(blocks.join(''));
});
