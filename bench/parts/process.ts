/** `vtlic verify FILE` and `vtlic help` of the built packages as a process, beside `node -e 0`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { freshFolder } from './batch-site.ts';
import { EXAMPLE, freshKey, signExample } from './example.ts';
import { median } from './measure.ts';
import type { Part } from './report.ts';

const RUNS = 25;
const ROOT = join(import.meta.dirname, '../..');

/** The built packages as an install would lay them out. */
function install(folder: string): string {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of ['vtlic', 'vtlic-signer'])
    cpSync(join(ROOT, 'dist', name), join(modules, name), { recursive: true });
  return join(modules, 'vtlic-signer/signer/cli/main.js');
}

export async function measureProcess(): Promise<Part> {
  const name = 'The command as a process';
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const folder = freshFolder();
  const main = install(folder);
  const key = freshKey('ed25519+ml-dsa-65');
  writeFileSync(join(folder, 'license.vtlic'), (await signExample(key)).file);
  writeFileSync(join(folder, 'vendor.pem'), exportPublicKey(key.publicKey, 'pem'));
  const verifyArgs = [
    main,
    'verify',
    join(folder, 'license.vtlic'),
    '--trust',
    join(folder, 'vendor.pem'),
    '--issuer',
    EXAMPLE.iss,
    '--product',
    EXAMPLE.aud,
    '--deployment',
    'prod-eu',
    '--at',
    '2027-06-01T00:00:00Z',
  ];
  const time = (args: readonly string[]): number => {
    const begun = performance.now();
    const done = spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    if (done.status !== 0) throw new Error(`${args.join(' ')} left with ${done.status}: ${done.stderr}`);
    return performance.now() - begun;
  };
  const [bare, verify, help]: [number[], number[], number[]] = [[], [], []];
  for (let run = -1; run < RUNS; run++) {
    const [a, b, c] = [time(['-e', '0']), time(verifyArgs), time([main, 'help'])];
    if (run < 0) continue;
    bare.push(a);
    verify.push(b);
    help.push(c);
  }
  /** The fastest quarter: a process is slowed by whatever else the machine does, and never quickened. */
  const fast = (values: number[]): number => median(values.sort((x, y) => x - y).slice(0, Math.ceil(RUNS / 2)));
  return {
    name,
    rows: [
      { what: 'node -e 0', value: fast(bare), unit: 'ms' },
      { what: 'vtlic verify FILE --trust PEM …', value: fast(verify), unit: 'ms' },
      { what: 'vtlic help', value: fast(help), unit: 'ms' },
    ],
    ratios: [
      { what: 'vtlic verify ÷ node -e 0', value: fast(verify) / fast(bare), atMost: 2 },
      { what: 'vtlic help ÷ node -e 0', value: fast(help) / fast(bare), atMost: 2 },
    ],
    notes: ['the published packages, built and laid out for this run'],
  };
}
