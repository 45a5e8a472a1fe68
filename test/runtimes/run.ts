/**
 * `npm run test:runtimes`: the packed tarballs on the runtimes and module systems that customers have. Each judges
 * every example of docs/examples/examples.json by a plain script; the table says who computed which algorithm. Nothing
 * here trusts a version number.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from '../support/tokens/cache-folder.ts';
import { DROPPED, dropKeysetAndRenewal } from '../support/keyset-drop.ts';
import { checkSignerOnOldNodes } from './signer-runtime.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist');
const CONSUMER = join(import.meta.dirname, 'consumer');
const MAX_RUN_MILLISECONDS = 120_000;
const MAX_INSTALL_MILLISECONDS = 600_000;

interface Result {
  readonly total: number;
  readonly failed: readonly string[];
  readonly providers: Readonly<Record<string, string>>;
}

interface Row {
  readonly runtime: string;
  readonly way: string;
  readonly result: Result | string;
  /** Who must compute ML-DSA-65, where the pinned version decides that. */
  readonly mldsa65?: 'node' | 'noble';
}

interface Check {
  readonly what: string;
  readonly fault: string | undefined;
}

const platform = `${process.platform}-${process.arch}`;
if (platform !== 'linux-x64' && platform !== 'linux-arm64')
  stop(`npm run test:runtimes needs Linux on x64 or arm64, but this is ${platform}`);

/** Node.js by the name of its alias in package.json, and who must compute ML-DSA-65 there. */
const NODES: readonly (readonly [alias: string, mldsa65: 'node' | 'noble'])[] = [
  ['node-20.19', 'noble'],
  ['node-20', 'noble'],
  ['node-22', 'noble'],
  ['node-24.0', 'noble'],
  ['node-24.7', 'noble'],
  ['node-26', 'node'],
];
/** Of these npm has no package for ARM. */
const NODES_OF_X64: ReadonlySet<string> = new Set(['node-24.0', 'node-24.7']);

const begun = performance.now();
const tools = installTools();
const module = (...path: readonly string[]): string => join(tools, 'node_modules', ...path);
const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

say('build');
execFileSync(process.execPath, [join(ROOT, 'packages/build.ts')], {
  cwd: ROOT,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const tarballs = ['vtlic-0.1.0.tgz', 'vtlic-signer-0.1.0.tgz'].map((name) => join(DIST, name));

const rows: Row[] = [];
const checks: Check[] = [];

say('install vtlic with no network');
const consumer = emptyFolder();
npmInstall(consumer, ['--offline', ...tarballs.slice(0, 1)]);
cpSync(CONSUMER, consumer, { recursive: true });
cpSync(join(ROOT, 'docs/examples/examples.json'), join(consumer, 'examples.json'));

const script = (name: string): string => join(consumer, name);
const [importing, requiring] = [script('import.mjs'), script('require.cjs')];

for (const [alias, mldsa65] of NODES) {
  if (process.arch !== 'x64' && NODES_OF_X64.has(alias)) {
    process.stdout.write(`not covered here: ${alias}, of which npm has no package for ${process.arch}\n`);
    continue;
  }
  const node = module(`${alias}-${platform}`, 'bin/node');
  rows.push({ runtime: versionOf(node), way: 'import', result: judged(node, [importing]), mldsa65 });
  rows.push({ runtime: versionOf(node), way: 'require', result: judged(node, [requiring]), mldsa65 });
}
const own = versionOf(process.execPath);
rows.push({ runtime: own, way: 'import', result: judged(process.execPath, [importing]), mldsa65: 'node' });
rows.push({ runtime: own, way: 'require', result: judged(process.execPath, [requiring]), mldsa65: 'node' });

const deno = module('@deno', `${platform}-glibc`, 'deno');
const denoOptions = ['run', '--no-prompt', '--no-remote', '--cached-only', '--node-modules-dir=manual'];
rows.push({
  runtime: versionOf(deno),
  way: 'import',
  result: judged(deno, [...denoOptions, '--allow-read', '--allow-env', importing]),
});
const bun = module('@oven', process.arch === 'x64' ? 'bun-linux-x64-baseline' : 'bun-linux-aarch64', 'bin/bun');
for (const [way, file] of [
  ['import', importing],
  ['require', requiring],
] as const)
  rows.push({ runtime: `Bun ${versionOf(bun)}`, way, result: judged(bun, ['run', '--no-install', file]) });

say('bundle by esbuild');
for (const target of ['node', 'browser'] as const) {
  const bundle = script(`${target}.mjs`);
  checks.push({
    what: `esbuild bundles vtlic for ${target}, with nothing left to import`,
    fault: bundled(target, bundle),
  });
  const node22 = module(`node-22-${platform}`, 'bin/node');
  const runs = target === 'node' ? [bundle] : [script('without-node.mjs')];
  for (const node of [node22, process.execPath])
    rows.push({
      runtime: versionOf(node),
      way: target === 'node' ? 'bundle for node' : 'bundle for browser, no process',
      result: judged(node, runs),
      mldsa65: target === 'node' && node === process.execPath ? 'node' : 'noble',
    });
}

say('jest');
for (const node of [module(`node-22-${platform}`, 'bin/node'), process.execPath])
  rows.push({
    runtime: versionOf(node),
    way: 'jest (require)',
    result: judged(node, [
      module('jest/bin/jest.js'),
      '--ci',
      '--rootDir',
      consumer,
      '--testMatch',
      '**/vtlic.test.cjs',
      '--cacheDirectory',
      join(consumer, '.jest'),
    ]),
    mldsa65: node === process.execPath ? 'node' : 'noble',
  });

say('TypeScript');
writeFileSync(
  script('types.mts'),
  `import { verify, makeTrust, VtlicError, type Verdict } from 'vtlic';
export const verdict: Verdict = verify(new Uint8Array(), makeTrust({ keys: [] }), { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 });
export const code = (error: unknown): string => (error instanceof VtlicError ? error.code : '');
`,
);
writeFileSync(
  script('types.cts'),
  `import vtlic = require('vtlic');
const trust: vtlic.Trust = vtlic.makeTrust({ keys: [] });
const verdict: vtlic.Verdict = vtlic.verify(new Uint8Array(), trust, { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 });
export = { verdict, code: (error: unknown): string => (error instanceof vtlic.VtlicError ? error.code : '') };
`,
);
writeFileSync(script('wrong.cts'), `import vtlic = require('vtlic');\nexport const wrong: number = vtlic.verify;\n`);
for (const [kind, options] of [
  ['node16', ['--module', 'node16']],
  ['nodenext', ['--module', 'nodenext']],
] as const)
  for (const file of ['types.mts', 'types.cts'])
    checks.push({ what: `TypeScript with module ${kind} takes ${file}`, fault: typed(options, file) });
checks.push({
  what: 'TypeScript sees a wrong use, so that the declarations are not any',
  fault: typed(['--module', 'node16'], 'wrong.cts')?.includes('TS2322') === true ? undefined : 'no error TS2322',
});

say('both tarballs with npm and with pnpm');
const byNpm = emptyFolder();
npmInstall(byNpm, ['--prefer-offline', ...tarballs]);
checks.push({ what: 'npm installs both tarballs together, and they run', fault: bothRun(byNpm) });
const oldNodes = NODES.filter(([, mldsa65]) => mldsa65 === 'noble')
  .map(([alias]) => module(`${alias}-${platform}`, 'bin/node'))
  .filter((node) => existsSync(node));
const signerFaults = checkSignerOnOldNodes(join(byNpm, 'node_modules/vtlic-signer/signer/cli/main.js'), oldNodes);
checks.push({
  what: `the signer says what it needs on each of ${oldNodes.length} unsupported versions of Node.js`,
  fault:
    oldNodes.length === 0 ? 'no such Node is here' : signerFaults.length > 0 ? signerFaults.join('\n  ') : undefined,
});
const RUNTIME_SAYS =
  'free file_missing state_created armor_malformed license.state 200 422 403 401 200 ' +
  'vtlic_license_refused_renewals_total 2\n';
const runtimeFaults = [...oldNodes, process.execPath].flatMap((node) => {
  const ran = spawnSync(node, [script('runtime.cjs')], {
    cwd: consumer,
    encoding: 'utf8',
    timeout: MAX_RUN_MILLISECONDS,
  });
  return ran.stdout === RUNTIME_SAYS ? [] : [`${versionOf(node)}: ${tail(ran.stdout + ran.stderr)}`];
});
checks.push({
  what: `vtlic/runtime and vtlic/admin work on each of ${oldNodes.length + 1} versions of Node.js`,
  fault: runtimeFaults.length > 0 ? runtimeFaults.join('\n  ') : undefined,
});
const dropFaults = [...oldNodes, process.execPath].flatMap((node) => {
  const printed = dropKeysetAndRenewal(node, consumer);
  return printed.join('') === DROPPED.join('') ? [] : [`${versionOf(node)}: ${tail(printed.join(''))}`];
});
checks.push({
  what: `a product follows a dropped keyset and renewal on each of ${oldNodes.length + 1} versions of Node.js`,
  fault: dropFaults.length > 0 ? dropFaults.join('\n  ') : undefined,
});
const productFaults = [...oldNodes, process.execPath].flatMap((node) => productFault(node) ?? []);
checks.push({
  what: `vtlic-product leaves with its exit codes on each of ${oldNodes.length + 1} versions of Node.js`,
  fault: productFaults.length > 0 ? productFaults.join('\n  ') : undefined,
});
const byPnpm = emptyFolder();
const pnpm = spawnSync(
  process.execPath,
  [module('pnpm/bin/pnpm.cjs'), 'add', '--ignore-scripts', '--store-dir', join(byPnpm, 'store'), ...tarballs],
  { cwd: byPnpm, encoding: 'utf8', timeout: MAX_INSTALL_MILLISECONDS, env: { ...process.env, CI: '1' } },
);
checks.push({
  what: 'pnpm installs both tarballs together, and they run',
  fault: pnpm.status === 0 ? bothRun(byPnpm) : tail(pnpm.stdout + pnpm.stderr),
});

report();

/** The pinned packages, installed once and kept outside of the checkout. @returns their folder */
function installTools(): string {
  const files = ['package.json', 'package-lock.json'].map(
    (name) => [name, readFileSync(join(import.meta.dirname, 'pinned', name))] as const,
  );
  const folder = cacheFolder(files, 'runtimes');
  if (existsSync(folder)) return folder;
  say(`install the runtimes in ${folder} (1.5 GB, once)`);
  mkdirSync(dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  for (const [name, content] of files) writeFileSync(join(part, name), content);
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: part,
    encoding: 'utf8',
    timeout: MAX_INSTALL_MILLISECONDS,
  });
  if (npm.status !== 0) {
    rmSync(part, { recursive: true, force: true });
    stop(
      `cannot install the runtimes: npm ci of test/runtimes/pinned failed: ${tail(npm.stdout + npm.stderr)}\n` +
        '  → connect to the npm registry, then: npm run test:runtimes',
    );
  }
  renameSync(part, folder);
  return folder;
}

function npmInstall(folder: string, args: readonly string[]): void {
  const npm = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: MAX_INSTALL_MILLISECONDS,
    },
  );
  if (npm.status !== 0) stop(`npm install ${args.join(' ')} failed: ${tail(npm.stdout + npm.stderr)}`);
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-runtimes-'));
  folders.push(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","version":"1.0.0","private":true}');
  return folder;
}

/** @returns the result that the script printed, or what was wrong */
function judged(command: string, args: readonly string[]): Result | string {
  if (!existsSync(command)) return `${command} is missing: remove ${tools} and run npm run test:runtimes again`;
  const ran = spawnSync(command, args, {
    cwd: consumer,
    encoding: 'utf8',
    timeout: MAX_RUN_MILLISECONDS,
    env: { PATH: [dirname(command), process.env['PATH']].join(delimiter), HOME: consumer, DENO_NO_UPDATE_CHECK: '1' },
  });
  const line = /^(?:result )?(\{"total".*\})$/m.exec(`${ran.stdout}\n${ran.stderr}`)?.[1];
  if (ran.status !== 0 || line === undefined) return `exit ${ran.status}: ${tail(`${ran.stdout}${ran.stderr}`)}`;
  return JSON.parse(line) as Result;
}

/** @returns what is wrong */
function bundled(target: 'node' | 'browser', bundle: string): string | undefined {
  const meta = script(`${target}.meta.json`);
  const built = spawnSync(
    process.execPath,
    [
      module('esbuild/bin/esbuild'),
      script('bundled.mjs'),
      '--bundle',
      `--platform=${target}`,
      '--format=esm',
      '--log-level=warning',
      `--outfile=${bundle}`,
      `--metafile=${meta}`,
    ],
    { cwd: consumer, encoding: 'utf8', timeout: MAX_RUN_MILLISECONDS },
  );
  if (built.status !== 0 || built.stderr !== '') return tail(built.stderr);
  const { outputs } = JSON.parse(readFileSync(meta, 'utf8')) as {
    outputs: Record<string, { imports: readonly { path: string }[] }>;
  };
  const left = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const text = readFileSync(bundle, 'utf8');
  const asked = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)["']node:\w+["']/.exec(text)?.[0];
  return left.length > 0 ? `it imports ${left.join(', ')}` : asked === undefined ? undefined : `it has ${asked} in it`;
}

/** @returns what TypeScript says, without `skipLibCheck` and without the types of Node */
function typed(options: readonly string[], file: string): string | undefined {
  const tsc = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--target',
      'es2024',
      '--types',
      '',
      ...options,
      file,
    ],
    { cwd: consumer, encoding: 'utf8', timeout: MAX_RUN_MILLISECONDS },
  );
  return tsc.status === 0 ? undefined : tail(tsc.stdout);
}

/** Without a license: what the command says in production, elsewhere, and of the host. */
function productFault(node: string): string | undefined {
  const environment = {
    DEPLOYMENT_MODE: 'onprem',
    LICENSE_PATH: script('no.vtlic'),
    LICENSE_STATE_PATH: script('no.state'),
    LICENSE_HOST_ID: 'test',
  };
  for (const [command, mode, exit, begin] of [
    ['check', 'production', 20, 'refused: '],
    ['status', 'test', 24, 'free tier: '],
    ['fingerprint', 'test', 0, '6b8015d64b92eee8daa12e5a61687de3abe498713a0c3ee019fc7ea3c7e9b780'],
    ['nonsense', 'test', 2, ''],
  ] as const) {
    const ran = spawnSync(
      node,
      [join(consumer, 'node_modules/.bin/vtlic-product'), command, '--product', script('product.mjs')],
      { cwd: consumer, encoding: 'utf8', timeout: MAX_RUN_MILLISECONDS, env: { ...environment, NODE_ENV: mode } },
    );
    if (ran.status !== exit || !ran.stdout.startsWith(begin) || existsSync(environment.LICENSE_STATE_PATH))
      return `${versionOf(node)}: ${command} left with ${ran.status}: ${tail(ran.stdout + ran.stderr)}`;
  }
  return undefined;
}

/** @returns what is wrong with the installed library or command */
function bothRun(folder: string): string | undefined {
  const library = spawnSync(process.execPath, ['-p', "require('vtlic').chosenProviders().mldsa65"], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (library.stdout !== 'node\n') return tail(library.stderr);
  const command = spawnSync(join(folder, 'node_modules/.bin/vtlic'), ['--version'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) },
  });
  return command.stdout === '0.1.0\n' ? undefined : tail(command.stderr);
}

function versionOf(command: string): string {
  if (!existsSync(command)) return command;
  const [first = ''] = execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n');
  return first.replace(/^v/, 'Node.js ').replace(/^deno (\S+).*/, 'Deno $1');
}

/** @returns what is wrong with a row */
function faultOf({ result, mldsa65 }: Row): string | undefined {
  if (typeof result === 'string') return result;
  if (result.failed.length > 0) return result.failed.slice(0, 5).join(', ');
  if (result.total === 0) return 'no example was judged';
  if (mldsa65 !== undefined && result.providers['mldsa65'] !== mldsa65) return `ML-DSA-65 should be by ${mldsa65}`;
  return undefined;
}

function report(): never {
  const lines = rows.map((row) => {
    const { runtime, way, result } = row;
    const fault = faultOf(row);
    const cells =
      typeof result === 'string'
        ? ['-', '-', '-', '-', '-']
        : [
            `${result.total - result.failed.length} of ${result.total}`,
            ...['sha256', 'sha512', 'ed25519', 'mldsa65'].map((algorithm) => result.providers[algorithm] ?? '-'),
          ];
    return { cells: [runtime, way, ...cells], fault };
  });
  const head = ['runtime', 'loaded by', 'examples', 'SHA-256', 'SHA-512', 'Ed25519', 'ML-DSA-65'];
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map(({ cells }) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  process.stdout.write(`\n${line(head)}\n`);
  for (const { cells, fault } of lines)
    process.stdout.write(`${line(cells)}${fault === undefined ? '' : `\n  FAILED: ${fault}`}\n`);
  process.stdout.write('\n');
  for (const { what, fault } of checks)
    process.stdout.write(
      `${fault === undefined ? 'passed' : 'FAILED'}: ${what}${fault === undefined ? '' : `\n  ${fault}`}\n`,
    );
  const failed = [...lines, ...checks].filter(({ fault }) => fault !== undefined).length;
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`\n${seconds} s\n${lines.length + checks.length - failed} passed, ${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}

function say(what: string): void {
  process.stdout.write(`== ${what}\n`);
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n  ');
}

function stop(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
