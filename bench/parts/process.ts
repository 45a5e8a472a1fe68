/** `vtlic verify FILE`, `vtlic help` and a product that loads the library, from the built packages, beside `node -e 0`. */
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

/** A product that reads its key and its license, and verifies it. */
function coldStart(): string {
  const context = {
    issuer: EXAMPLE.iss,
    product: EXAMPLE.aud,
    deployment: 'prod-eu',
    now: EXAMPLE.nbf,
    defaultGrace: 0,
  };
  return `import { readFileSync } from 'node:fs';
import { makeTrust, parsePublicKeys, verify } from 'vtlic';
const at = (name) => readFileSync(new URL(name, import.meta.url));
const keys = parsePublicKeys(at('vendor.pem')).map((key) => ({ key, purpose: 'license', status: 'active' }));
const verdict = verify(at('license.vtlic'), makeTrust({ keys }), ${JSON.stringify(context)});
if (verdict.state !== 'active') throw new Error(JSON.stringify(verdict));
`;
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
  writeFileSync(join(folder, 'product.mjs'), "import 'vtlic';\n");
  writeFileSync(join(folder, 'cold.mjs'), coldStart());
  const commands: readonly (readonly [what: string, args: readonly string[], atMost?: number])[] = [
    ['vtlic verify FILE --trust PEM …', verifyArgs, 2],
    ['vtlic help', [main, 'help'], 2],
    ["import 'vtlic' in a product", [join(folder, 'product.mjs')], 1.6],
    ['a product that starts and verifies a composite license', [join(folder, 'cold.mjs')]],
  ];
  const bare: number[] = [];
  const times: readonly number[][] = commands.map(() => []);
  for (let run = -1; run < RUNS; run++) {
    const round = [time(['-e', '0']), ...commands.map(([, args]) => time(args))];
    if (run < 0) continue;
    bare.push(round[0] ?? NaN);
    for (const [i, all] of times.entries()) all.push(round[i + 1] ?? NaN);
  }
  /** The median of what each run took beside the bare one of its round. */
  const ratioOf = (all: readonly number[]): number => median(all.map((ms, i) => ms / (bare[i] ?? ms)));
  return {
    name,
    rows: [
      { what: 'node -e 0', value: median(bare), unit: 'ms' },
      ...commands.map(([what], i) => ({ what, value: median(times[i] ?? []), unit: 'ms' })),
    ],
    ratios: commands.map(([what, , atMost], i) => ({
      what: `${what} ÷ node -e 0`,
      value: ratioOf(times[i] ?? []),
      ...(atMost === undefined ? {} : { atMost }),
    })),
    notes: ['the published packages, built and laid out for this run, and never the checkout'],
  };
}
