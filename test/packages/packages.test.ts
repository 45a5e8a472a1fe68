/**
 * What reaches a machine that installs a published package: each is installed from its tarball into an empty folder,
 * and what arrives is compared with a committed list. Nothing of the signer, no addon and no Node binary may reach a
 * product.
 */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuingKey, keysetBlock } from '../../conformance/examples/keysets.ts';
import { ROOT } from '../support/run-cli.ts';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { ed25519Key, licenseFile } from '../unit/verifier/sample.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const DIST = join(ROOT, 'dist');
const folders: string[] = [];
let fixture: SiteFixture;

interface Tree {
  readonly dependencies?: Readonly<Record<string, Tree & { readonly version?: string }>>;
}

function names(tree: Tree, found: Set<string> = new Set()): Set<string> {
  for (const [name, item] of Object.entries(tree.dependencies ?? {})) {
    // One name for what differs by platform alone.
    if (item.version !== undefined)
      found.add(`${name.replace(/-(linux|darwin)-(x64|arm64)(-gnu|-musl)?$/, '-PLATFORM')}@${item.version}`);
    names(item, found);
  }
  return found;
}

/** Installs tarballs into a new empty folder, compiling nothing. */
function install(...tarballs: readonly string[]): {
  readonly folder: string;
  readonly tree: string[];
  readonly bin: string[];
} {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-package-'));
  folders.push(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","version":"1.0.0","private":true,"type":"module"}');
  const npm = (...args: readonly string[]): string =>
    execFileSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, npm_config_loglevel: 'error' },
    });
  npm(
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...tarballs.map((name) => join(DIST, name)),
  );
  const bin = join(folder, 'node_modules/.bin');
  return {
    folder,
    tree: [...names(JSON.parse(npm('ls', '--all', '--json')) as Tree)].sort(),
    bin: existsSync(bin) ? readdirSync(bin).sort() : [],
  };
}

function committed(name: string): { readonly tree: string[]; readonly bin: string[] } {
  return JSON.parse(readFileSync(join(import.meta.dirname, `${name}.installs.json`), 'utf8')) as {
    tree: string[];
    bin: string[];
  };
}

beforeAll(async () => {
  if (!existsSync(join(DIST, 'vtlic-0.1.0.tgz')))
    throw new Error('dist/ is not built: run npm run build first (npm test does)');
  fixture = await makeSite();
});
afterAll(() => {
  fixture.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('the package vtlic', () => {
  it('installs what is committed, and verifies a license', () => {
    const { folder, tree, bin } = install('vtlic-0.1.0.tgz');
    expect({ tree, bin }).toEqual(committed('vtlic'));
    const files = readdirSync(join(folder, 'node_modules'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => name.endsWith('.node') || /signer|private|pkcs11/.test(name))).toEqual([]);
    const call =
      "const v = verify(new Uint8Array(), makeTrust({ keys: [] }), { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 });\nconsole.log(v.ok, v.reason);\n";
    writeFileSync(join(folder, 'use.mjs'), `import { verify, makeTrust } from 'vtlic';\n${call}`);
    writeFileSync(join(folder, 'use.cjs'), `const { verify, makeTrust } = require('vtlic');\n${call}`);
    for (const file of ['use.mjs', 'use.cjs'])
      expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })).toBe('false armor_malformed\n');
    // A trust that one entry makes is known to the other, whichever module system loads them.
    const chain = keysetBlock({ version: 1, roots: ['root'], keys: [issuingKey('issuing')] }, ['root']);
    writeFileSync(join(folder, 'chain.keyset'), chain);
    const keysets =
      "const t = trustOfChain(builtInChain(readFileSync('chain.keyset'), { issuer: 'example-vendor' }));\nconsole.log(t.keys.length, verify(new Uint8Array(), t, { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 }).reason);\n";
    writeFileSync(
      join(folder, 'keysets.mjs'),
      `import { readFileSync } from 'node:fs';\nimport { verify } from 'vtlic';\nimport { builtInChain, trustOfChain } from 'vtlic/keysets';\n${keysets}`,
    );
    writeFileSync(
      join(folder, 'keysets.cjs'),
      `const { readFileSync } = require('node:fs');\nconst { verify } = require('vtlic');\nconst { builtInChain, trustOfChain } = require('vtlic/keysets');\n${keysets}`,
    );
    for (const file of ['keysets.mjs', 'keysets.cjs'])
      expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })).toBe('2 armor_malformed\n');
    // Its declarations hold for a strict TypeScript user of either module system.
    writeFileSync(
      join(folder, 'use.mts'),
      "import { verify, makeTrust, type Verdict } from 'vtlic';\nimport { trustOfChain, type Chain } from 'vtlic/keysets';\nexport const t = (chain: Chain): Verdict => verify(new Uint8Array(), trustOfChain(chain), { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 });\nexport const v: Verdict = verify(new Uint8Array(), makeTrust({ keys: [] }), { issuer: 'a', product: 'b', now: 0, defaultGrace: 0 });\n",
    );
    writeFileSync(
      join(folder, 'use.cts'),
      "import vtlic = require('vtlic');\nexport const e: vtlic.VtlicError = new vtlic.VtlicError('usage', 'x');\n",
    );
    execFileSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2024', '--types', '', 'use.mts', 'use.cts'],
      { cwd: folder, stdio: 'inherit' },
    );
  });
});

it('the package vtlic loads node:crypto at the first use of an algorithm, and not before', () => {
  const call = `import { chosenProviders } from './vtlic.mjs';
    const loaded = () => process.moduleLoadList.includes('NativeModule crypto');
    const before = loaded();
    chosenProviders();
    console.log(before, loaded());`;
  const run = execFileSync(process.execPath, ['--input-type=module', '-e', call], {
    cwd: join(DIST, 'vtlic'),
    encoding: 'utf8',
  });
  expect(run).toBe('false true\n');
});

describe('the package vtlic in a product', () => {
  it('runs the ten lines of docs/runtime.md, which follow a license, and refuses to start without one', async () => {
    const { folder } = install('vtlic-0.1.0.tgz');
    const text = readFileSync(join(ROOT, 'docs/runtime.md'), 'utf8');
    const [, lines = ''] = /\n## Ten lines\n\n```js\n([^`]+)```\n/.exec(text) ?? [];
    expect(lines.trim().split('\n')).toHaveLength(10);
    // What follows stands for the rest of the server.
    const server = `${lines}setTimeout(() => license.refresh().then(() => license.close()), 1500);\n`;
    writeFileSync(join(folder, 'server.mjs'), server);
    writeFileSync(join(folder, 'vendor.pem'), exportPublicKey(ed25519Key.publicKey, 'pem'));
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DEPLOYMENT_MODE: 'onprem',
      LICENSE_PATH: join(folder, 'license.vtlic'),
      LICENSE_STATE_PATH: join(folder, 'license.state'),
    };
    const run = (): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, ['server.mjs'], { cwd: folder, encoding: 'utf8', env, timeout: 60_000 });
    const refused = run();
    expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 20, stdout: '' });
    expect(refused.stderr).toContain('There is no license file, or it cannot be read. (file_missing:');

    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now - 60, nbf: now - 60, exp: now + 86_400 };
    writeFileSync(env.LICENSE_PATH, await licenseFile(times));
    const started = run();
    expect({ status: started.status, stdout: started.stdout }).toEqual({
      status: 0,
      stdout: 'license active enterprise 250\n',
    });
    expect(started.stderr).toContain('The license state was created');

    // A renewal that is dropped while the server runs comes into force, by the event of the file system or the refresh.
    const renewed = await licenseFile({ ...times, ctr: 8, tier: 'renewed', seats: 300 });
    writeFileSync(join(folder, 'renewed'), renewed);
    const drop = "setTimeout(() => { copyFileSync('renewed', process.env.LICENSE_PATH); }, 300);\n";
    writeFileSync(join(folder, 'server.mjs'), `import { copyFileSync } from 'node:fs';\n${server}${drop}`);
    expect(run().stdout).toBe('license active enterprise 250\nlicense active renewed 300\n');
    // CommonJS, and types without those of Node.
    writeFileSync(
      join(folder, 'use.cjs'),
      "const { openLicense, NOTICES } = require('vtlic/runtime');\nconst { VtlicError } = require('vtlic');\nopenLicense({ environment: { DEPLOYMENT_MODE: 'cloud' }, freeTier: { tier: 'free', seats: 0, features: [], limits: {} } }).catch((error) => console.log(error instanceof VtlicError, error.code, NOTICES[error.code].sentence));\n",
    );
    expect(execFileSync(process.execPath, ['use.cjs'], { cwd: folder, encoding: 'utf8' })).toBe(
      'true configuration_invalid A setting of the license is wrong.\n',
    );
    writeFileSync(
      join(folder, 'use.mts'),
      "import { openLicense, postgresStore, type LiveLicense, type Notice } from 'vtlic/runtime';\nimport { makeTrust } from 'vtlic';\nexport const open = (): Promise<LiveLicense> => openLicense({ environment: {}, issuer: 'a', product: 'b', keys: makeTrust({ keys: [] }), freeTier: { tier: 'free', seats: 0, features: [], limits: {} }, stores: [postgresStore({ query: () => Promise.resolve({ rows: [] }) })] });\nexport const code = ({ code }: Notice): string => code;\n",
    );
    execFileSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2024', '--types', '', 'use.mts'],
      { cwd: folder, stdio: 'inherit' },
    );
    // The types of the admin page name Node's servers, so its types need those of Node.
    const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
    const admin =
      "licenseAdmin(license, { origin: 'https://a.example', authorize: () => undefined, stepUp: ({ digest }) => digest, audit: () => undefined })";
    writeFileSync(
      join(folder, 'admin.mts'),
      `import { licenseAdmin, type AdminHandler } from 'vtlic/admin';\nimport type { LiveLicense } from 'vtlic/runtime';\nexport const make = (license: LiveLicense): AdminHandler => ${admin};\n`,
    );
    execFileSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2024', ...types, 'admin.mts'],
      { cwd: folder, stdio: 'inherit' },
    );
    const use =
      'try { licenseAdmin({}, {}); } catch (error) { console.log(error instanceof VtlicError, error.code); }\n';
    writeFileSync(
      join(folder, 'admin.mjs'),
      `import { VtlicError } from 'vtlic';\nimport { licenseAdmin } from 'vtlic/admin';\n${use}`,
    );
    writeFileSync(
      join(folder, 'admin.cjs'),
      `const { VtlicError } = require('vtlic');\nconst { licenseAdmin } = require('vtlic/admin');\n${use}`,
    );
    for (const file of ['admin.mjs', 'admin.cjs'])
      expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })).toBe('true usage\n');
  });
});

it.each(['packages/vtlic/README.md', 'README.md'])('every example of %s runs as it is printed', async (readme) => {
  const { folder } = install('vtlic-0.1.0.tgz');
  const now = Math.floor(Date.now() / 1000);
  writeFileSync(join(folder, 'vendor.pem'), exportPublicKey(ed25519Key.publicKey, 'pem'));
  writeFileSync(join(folder, 'license.vtlic'), await licenseFile({ iat: now - 60, nbf: now - 60, exp: now + 86_400 }));
  const chain = keysetBlock({ version: 1, roots: ['root'], keys: [issuingKey('issuing')] }, ['root']);
  for (const file of ['chain.keyset', 'newer.keyset']) writeFileSync(join(folder, file), chain);
  const env = {
    PATH: process.env['PATH'],
    DEPLOYMENT_MODE: 'onprem',
    LICENSE_PATH: 'license.vtlic',
    LICENSE_STATE_PATH: 'license.state',
  };
  const examples = [...readFileSync(join(ROOT, readme), 'utf8').matchAll(/\n```ts\n([^`]+)```\n/g)];
  let printed = '';
  for (const [index, [, example = '']] of examples.entries()) {
    const file = `example-${index}.mjs`;
    writeFileSync(join(folder, file), example);
    const run = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', env, timeout: 60_000 });
    expect(run.status, `${example}${run.stderr}`).toBe(0);
    printed += run.stdout;
  }
  expect(printed).toContain('active enterprise 250\n');
});

describe.each(['vtlic', 'vtlic-signer', 'vtlic-conform'])('the tarball of %s', (name) => {
  const folder = join(DIST, name);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as {
    readonly keywords?: readonly string[];
    readonly repository?: { readonly url: string; readonly directory: string };
    readonly dependencies?: Readonly<Record<string, string>>;
  };

  it('has a README, keywords and the licenses of what is bundled in it', () => {
    expect(manifest.keywords?.length).toBeGreaterThan(4);
    for (const file of ['README.md', 'LICENSE', 'THIRD-PARTY-LICENSES.txt'])
      expect(readFileSync(join(folder, file), 'utf8').length, file).toBeGreaterThan(500);
    expect(readFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8')).toContain('@noble/ed25519 3.2.0');
  });

  it('names its repository by an address that nobody can register, until there is one', () => {
    expect(manifest.repository).toEqual({
      type: 'git',
      url: 'git+https://vtlic.example/vtlic.git',
      directory: `packages/${name}`,
    });
  });

  it('has every file that its README names', () => {
    const text = readFileSync(join(folder, 'README.md'), 'utf8');
    const named = [...text.matchAll(/`((?:docs\/)?[\w-]+\.(?:md|txt|mjs|cjs)|LICENSE)`/g)].map(([, file = '']) => file);
    expect(named).toContain('THIRD-PARTY-LICENSES.txt');
    expect(named.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  it('depends on no package of ours, whose name anybody may register', () => {
    expect(Object.keys(manifest.dependencies ?? {}).filter((dependency) => dependency.startsWith('vtlic'))).toEqual([]);
  });
});

describe('the package vtlic-conform', () => {
  it('installs what is committed, and runs the vectors that it has against a verifier', () => {
    const { folder, tree, bin } = install('vtlic-conform-0.1.0.tgz');
    expect({ tree, bin }).toEqual(committed('vtlic-conform'));
    const harness = join(ROOT, 'conformance/harness/typescript/harness.ts');
    const { status, stdout } = spawnSync(
      join(folder, 'node_modules/.bin/vtlic-conform'),
      ['--quiet', '--only', 'verify/time', '--', process.execPath, harness],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(stdout).toMatch(/PASSED: \d\d+ passed, 0 failed/);
    expect(status).toBe(0);
  });
});

describe('the package vtlic-signer', () => {
  it('installs what is committed, and issues a license', () => {
    const { folder, tree, bin } = install('vtlic-signer-0.1.0.tgz');
    expect({ tree, bin }).toEqual(committed('vtlic-signer'));
    const vtlic = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [join(folder, 'node_modules/.bin/vtlic'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    expect(vtlic('--version')).toBe('0.1.0');
    const digest = vtlic('issue', writeRequest(fixture), '--site', fixture.site, '--dry-run');
    const file = vtlic('issue', '--site', fixture.site, '--confirm', digest, ...fixture.secret);
    const verdict = vtlic('verify', file, '--site', fixture.site, '--product', 'vaultdesk', '--deployment', 'prod-eu');
    expect(verdict).toContain('active: genuine');
    const trust = join(folder, 'vendor.pem');
    writeFileSync(trust, vtlic('key', 'export', 'license-1', '--site', fixture.site));
    const byTrust = ['--trust', trust, '--issuer', 'example-vendor'];
    const asked = ['--product', 'vaultdesk', '--deployment', 'prod-eu'];
    expect(vtlic('verify', file, ...byTrust, ...asked)).toBe(verdict);
    expect(vtlic('ledger', 'verify', '--site', fixture.site)).not.toBe('');
  });

  it('installs without a network and without a cache of npm, but for the package that tokens need', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-offline-'));
    folders.push(folder);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const tarballs = ['vtlic-0.1.0.tgz', 'vtlic-signer-0.1.0.tgz'].map((name) => join(DIST, name));
    const options = ['--offline', '--cache', join(folder, 'cache'), '--ignore-scripts', '--no-audit', '--no-fund'];
    const npm = spawnSync('npm', ['install', ...options, ...tarballs], { cwd: folder, encoding: 'utf8' });
    expect([npm.status, npm.stderr]).toEqual([0, '']);
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'vtlic',
      'vtlic-signer',
    ]);
    const version = spawnSync(join(folder, 'node_modules/.bin/vtlic'), ['--version'], { encoding: 'utf8' });
    expect([version.status, version.stdout]).toEqual([0, '0.1.0\n']);
  });

  it('is packed: its files import only one another, modules of Node and pkcs11js', () => {
    const folder = join(DIST, 'vtlic-signer');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    const imported = files.flatMap((name) =>
      [
        ...readFileSync(join(folder, name), 'utf8').matchAll(
          /^(?:import|export)\b[^;\n]*?\bfrom "([^"]+)";$|\bimport\("([^"]+)"\)|\bcreateRequire\([^\n]*\)\("([^"]+)"\)/gm,
        ),
      ].map(([, fixed, lazy, required]) => fixed ?? lazy ?? required ?? ''),
    );
    expect([...new Set(imported)].filter((name) => !/^(?:node:|\.{1,2}\/)/.test(name))).toEqual(['pkcs11js']);
    expect(files.length).toBeLessThan(80);
  });

  it('loads no module but its own check before it has checked the runtime', () => {
    const files = [join(DIST, 'vtlic-signer/signer/cli/main.js')];
    const modules = new Set<string>();
    for (const file of files)
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^import .*"([^"]+)";$/gm))
        if (name.startsWith('.')) files.push(join(dirname(file), name));
        else modules.add(name);
    expect([...modules]).toEqual([]);
    expect(files).toHaveLength(2);
    for (const file of files) expect(readFileSync(file, 'utf8')).not.toContain('getBuiltinModule');
  });

  it('imports no module of Node in the form that reads all its exports, which takes longer to start', () => {
    const files = readdirSync(join(DIST, 'vtlic-signer'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => ({ file, text: readFileSync(join(DIST, 'vtlic-signer', file), 'utf8') }));
    expect(files.filter(({ text }) => text.includes('process.getBuiltinModule("node:')).length).toBeGreaterThan(5);
    expect(files.filter(({ text }) => /^import .* from "node:/m.test(text))).toEqual([]);
  });
});
