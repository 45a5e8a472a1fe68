/**
 * A product that begins with the ten lines of docs/runtime.md, with keysets, and runs while a newer keyset and a renewal
 * by the key that it brings are put beside it: for an installed package, on any Node.js.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issuingKey, keysetBlock, testKey, type KeysetValues } from '../../conformance/examples/keysets.ts';
import { licenseFileOf } from '../unit/verifier/sample.ts';
import { ROOT } from './run-cli.ts';

const ROOTS = ['root a', 'root b'];
const DAY = 86_400;
const MAX_RUN_MILLISECONDS = 150_000;

/** The ten lines, with `keys: builtInChain(…)` in place of `makeTrust`, as the page says. */
function tenLinesWithKeysets(): string {
  const page = readFileSync(join(ROOT, 'docs/runtime.md'), 'utf8');
  const [, lines = ''] = /\n## Ten lines\n\n```js\n([^`]+)```\n/.exec(page) ?? [];
  return lines
    .replace(/^import .* from 'vtlic';$/m, "import { builtInChain } from 'vtlic/keysets';")
    .replace(
      /^const own = .*$/m,
      "const chain = builtInChain(readFileSync('chain.keyset'), { issuer: 'example-vendor' });",
    )
    .replace('keys: makeTrust({ keys: own })', 'keys: chain');
}

/** What is dropped 300 ms after the start; the product ends with the change that follows. Nothing calls `refresh`. */
const REST = `
import { copyFileSync } from 'node:fs';
const late = setTimeout(() => process.exit(9), 120_000);
license.on('change', () => { clearTimeout(late); void license.close(); });
if (process.argv[2] === 'drop') setTimeout(() => {
  copyFileSync('next.keyset', process.env.LICENSE_KEYSET_PATH);
  copyFileSync('renewal.vtlic', process.env.LICENSE_PATH);
}, 300);
else { clearTimeout(late); void license.close(); }
`;

/**
 * @param folder in which the package vtlic is installed
 * @returns what the product prints while the files are dropped, and at its next start
 */
export function dropKeysetAndRenewal(node: string, folder: string): readonly [dropped: string, restarted: string] {
  const place = mkdtempSync(join(folder, 'drop-'));
  const data = join(place, 'data');
  mkdirSync(data);
  const first: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('old key')] };
  const keys = [issuingKey('old key', { status: 'retired' }), issuingKey('new key')];
  writeFileSync(join(place, 'chain.keyset'), keysetBlock(first, ROOTS));
  writeFileSync(join(place, 'next.keyset'), keysetBlock({ ...first, keys, version: 2 }, ROOTS));
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now - 60, nbf: now - 60, exp: now + DAY };
  const renewed = { ...times, ctr: 8, tier: 'renewed', seats: 300 };
  writeFileSync(join(data, 'license.vtlic'), licenseFileOf(testKey('old key'), times));
  writeFileSync(join(place, 'renewal.vtlic'), licenseFileOf(testKey('new key'), renewed));
  writeFileSync(join(place, 'server.mjs'), tenLinesWithKeysets() + REST);
  const run = (...args: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(node, ['server.mjs', ...args], {
      cwd: place,
      encoding: 'utf8',
      timeout: MAX_RUN_MILLISECONDS,
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        DEPLOYMENT_MODE: 'onprem',
        LICENSE_PATH: join(data, 'license.vtlic'),
        LICENSE_STATE_PATH: join(data, 'license.state'),
        LICENSE_KEYSET_PATH: join(data, 'vendor.keyset'),
      },
    });
    return status === 0 ? stdout : `exit ${status}: ${stdout}${stderr}`;
  };
  return [run('drop'), run()];
}

export const DROPPED: readonly [string, string] = [
  'license active enterprise 250\nlicense active renewed 300\n',
  'license active renewed 300\n',
];
