/** `vtlic-product` as a process, with the module of a product and its environment. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import { exportPublicKey } from '../../../../keys/public/encodings/public-key-file.ts';
import { runProduct } from '../../../../verifier/product/run.ts';
import { ROOT } from '../../../support/run-cli.ts';
import { ed25519Key, licenseFile, strangeKey } from '../sample.ts';

const DAY = 86_400;
const MAIN = join(ROOT, 'verifier/product/main.ts');

let folder: string;
let env: Record<string, string | undefined>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-product-'));
  writeFileSync(join(folder, 'vendor.pem'), exportPublicKey(ed25519Key.publicKey, 'pem'));
  writeModule();
  env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    DEPLOYMENT_MODE: 'onprem',
    LICENSE_PATH: join(folder, 'license.vtlic'),
    LICENSE_STATE_PATH: join(folder, 'license.state'),
  };
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** @param more further members of the options */
function writeModule(more = '', after = ''): void {
  const text = `import { readFileSync } from 'node:fs';
import { makeTrust, parsePublicKeys } from ${JSON.stringify(join(ROOT, 'verifier/index.ts'))};
import { fileStore, hostFingerprint, sqliteStore } from ${JSON.stringify(join(ROOT, 'verifier/runtime/index.ts'))};
const keys = parsePublicKeys(readFileSync(new URL('vendor.pem', import.meta.url)));
const ids = { issuer: 'example-vendor', product: 'vaultdesk' };
void [fileStore, hostFingerprint, sqliteStore];
export default { ...ids,
  keys: makeTrust({ keys: keys.map((key) => ({ key, purpose: 'license', status: 'active' })) }),
  freeTier: { tier: 'free', seats: 3, features: [], limits: {} },${more} };
${after}`;
  writeFileSync(join(folder, 'options.mjs'), text);
}

function run(...args: readonly string[]): { readonly exit: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { exit: status, out: stdout, err: stderr };
}

const ask = (command: string, ...more: readonly string[]): ReturnType<typeof run> =>
  run(command, '--product', 'options.mjs', ...more);

/** In this process, for what needs no trust: the module of a product loads another copy of the library here. */
async function runHere(...args: readonly string[]): Promise<ReturnType<typeof run>> {
  let [out, err] = ['', ''];
  const exit = await runProduct(args, {
    environment: env,
    out: (text) => (out += text),
    report: (text) => (err += text),
  });
  return { exit, out, err };
}

/** A license around the time of this test. */
async function drop(changes: Partial<License> = {}, key = ed25519Key): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now - 60 * DAY, nbf: now - 60 * DAY, exp: now + 30 * DAY - 60 };
  writeFileSync(join(folder, 'license.vtlic'), await licenseFile({ ...times, ...changes }, key));
}
const daysFromNow = (days: number): number => Math.floor(Date.now() / 1000) + days * DAY;

describe('vtlic-product check', () => {
  it('leaves with 0 for a license in force, and says when it expires', async () => {
    await drop();
    const { exit, out } = ask('check');
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'full: the product starts with its license, which expires in 30 days\n',
    });
  });

  it('leaves with 23 in the grace of a license', async () => {
    await drop({ exp: daysFromNow(-1), grace: 30 * DAY });
    const { exit, out, err } = ask('check');
    expect(exit).toBe(23);
    expect(out).toMatch(/^grace: .* its grace ends at \d{4}-/);
    expect(err).toContain('warning: The license has expired, and its grace is running. (in_grace: ');
  });

  it('leaves with 24 for a license that has lapsed, with the free tier', async () => {
    await drop({ exp: daysFromNow(-2), grace: DAY });
    const { exit, out, err } = ask('check');
    expect({ exit, out }).toEqual({ exit: 24, out: 'free tier: the product starts, but without a license in force\n' });
    expect(err).toContain('(lapsed: ');
  });

  it('leaves with 20 where a product in production does not start, and with 24 outside production', async () => {
    await drop({}, strangeKey);
    const { exit, out, err } = ask('check');
    expect({ exit, out }).toEqual({ exit: 20, out: 'refused: the product does not start\n' });
    expect(err).toMatch(/^refused: The license is signed by a key that this product does not trust\. \(key_unknown: /);
    expect(err.match(/key_unknown/g)).toHaveLength(1);
    env['NODE_ENV'] = 'development';
    expect(ask('check').exit).toBe(24);
  });

  it.each([
    ['DEPLOYMENT_MODE', 'cloud'],
    ['LICENSE_TEXT', 'a text beside LICENSE_PATH'],
  ])('leaves with 20 for the setting %s=%s, with which the product does not start', async (name, value) => {
    await drop();
    env[name] = value;
    const { exit, out, err } = ask('check');
    expect({ exit, out }).toEqual({ exit: 20, out: '' });
    expect(err).toContain(`vtlic-product: ${name}: `);
  });

  it('leaves with 0 in the mode saas, where no file counts', () => {
    env['DEPLOYMENT_MODE'] = 'saas';
    expect(ask('check')).toEqual({
      exit: 0,
      out: 'not applicable: no entitlement comes from a file (DEPLOYMENT_MODE is saas)\n',
      err: '',
    });
  });

  it('leaves with 20 without a place for the state, in a missing folder, and for a damaged state', async () => {
    await drop();
    env['LICENSE_STATE_PATH'] = ' ';
    expect(ask('check').err).toContain('(state_unwritable: LICENSE_STATE_PATH is not set');
    env['LICENSE_STATE_PATH'] = join(folder, 'missing/license.state');
    const missing = ask('check');
    expect(missing.exit).toBe(20);
    expect(missing.err).toContain('refused: The license state cannot be read or written. (state_unwritable: ');
    env['LICENSE_STATE_PATH'] = join(folder, 'license.state');
    writeFileSync(env['LICENSE_STATE_PATH'], 'not a state');
    const damaged = ask('check');
    expect(damaged.exit).toBe(20);
    expect(damaged.err).toContain('refused: Every copy of the license state is damaged. (state_corrupt: ');
    // What would be in memory elsewhere: production does not start.
    expect(damaged.err + missing.err).not.toContain('state_not_durable');
    env['NODE_ENV'] = 'test';
    expect(ask('check')).toMatchObject({ exit: 0, err: expect.stringContaining('(state_not_durable: ') as string });
  });

  it('writes no file, and makes no database that the product has not made yet', async () => {
    await drop();
    writeModule(" stores: [sqliteStore('product.sqlite'), fileStore('other.state')]");
    const before = readdirSync(folder).sort();
    chmodSync(folder, 0o755);
    expect(ask('check').exit).toBe(0);
    expect(ask('status', '--json').exit).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('knows the state that the product wrote: an older license is rolled back, and the state stays as it is', async () => {
    writeModule(" stores: [sqliteStore('product.sqlite')]");
    await drop({ ctr: 9 });
    const start = `import options from './options.mjs';
import { openLicense } from ${JSON.stringify(join(ROOT, 'verifier/runtime/index.ts'))};
await (await openLicense({ ...options, environment: process.env })).close();\n`;
    writeFileSync(join(folder, 'start.mjs'), start);
    const started = spawnSync(process.execPath, ['start.mjs'], { cwd: folder, env, encoding: 'utf8' });
    expect({ status: started.status, err: started.stderr }).toEqual({ status: 0, err: '' });
    // The database is left as the only memory of the counter.
    rmSync(join(folder, 'license.state'));
    await drop({ ctr: 8 });
    const database = readFileSync(join(folder, 'product.sqlite'));
    const { exit, err } = ask('check');
    expect(exit).toBe(20);
    expect(err).toContain('(counter_rolled_back: ');
    expect(readFileSync(join(folder, 'product.sqlite')).equals(database)).toBe(true);
    expect(existsSync(join(folder, 'license.state'))).toBe(false);
  });

  it('judges by the build date of the release that asks', async () => {
    const [covered, later] = [daysFromNow(-10), daysFromNow(-1)];
    await drop({ upd: daysFromNow(-5) });
    writeModule(` buildDate: ${covered}`);
    expect(ask('check').exit).toBe(0);
    writeModule(` buildDate: ${later}`);
    const { exit, err } = ask('check');
    expect(exit).toBe(24);
    expect(err).toContain('(build_not_covered: ');
  });
});

describe('vtlic-product status', () => {
  it('shows the license, with what a customer wrote made safe for a terminal', async () => {
    await drop({ name: 'Acme \u202egnihtemos\u001b[31m', limits: Object.freeze({ vaults: 50 }) });
    const { exit, out } = ask('status');
    expect(exit).toBe(0);
    expect(out).toMatch(/\n {4}tier {10}enterprise\n {4}seats {9}250\n/);
    expect(out).toContain('limit vaults  50\n');
    expect(out).toContain('acme-gmbh (Acme \\u{202E}gnihtemos\\u{001B}[31m)\n');
    expect(out).toContain(`read from     the file ${join(folder, 'license.vtlic')}\n`);
  });

  it('gives a program one document, with the exit code in it', async () => {
    await drop();
    const { exit, out } = ask('status', '--json');
    expect(exit).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'vtlic-product/1',
      outcome: 'full',
      exit: 0,
      view: { state: 'active', entitlements: { tier: 'enterprise', seats: 250 }, license: { counter: 7 } },
    });
    rmSync(join(folder, 'license.vtlic'));
    const refused = ask('check', '--json');
    expect(refused.exit).toBe(20);
    expect(JSON.parse(refused.out)).toMatchObject({ outcome: 'does_not_start', refusal: { code: 'file_missing' } });
  });
});

describe('vtlic-product fingerprint', () => {
  it('prints the fingerprint by the id that the operator set, and none of the id itself', () => {
    env['LICENSE_HOST_ID'] = 'rack 7';
    const { exit, out, err } = ask('fingerprint');
    expect(exit).toBe(0);
    expect(out).toMatch(/^[0-9a-f]{64}\n$/);
    expect(err).toContain('made from LICENSE_HOST_ID\n');
    expect(out + err).not.toContain('rack 7');
  });

  it('says that a license names the fingerprint by another source, and by which', async () => {
    const cluster = '0a1b2c3d-0000-4000-8000-00000000002a';
    env['LICENSE_CLUSTER_UID'] = cluster;
    const { out } = ask('fingerprint');
    writeModule(' hosts: hostFingerprint({ ...ids, environment: process.env }).hosts');
    await drop({ hosts: Object.freeze([out.trim()]) });
    expect(ask('check').exit).toBe(0);
    expect(ask('fingerprint').err).not.toContain('The license');
    env['LICENSE_HOST_ID'] = 'rack 7';
    expect(ask('check').exit).toBe(24);
    const { err } = ask('fingerprint');
    expect(err).toContain(
      'The license names the fingerprint made from LICENSE_CLUSTER_UID, but this host now uses LICENSE_HOST_ID',
    );
    env['LICENSE_CLUSTER_UID'] = cluster.replace('2a', '2b');
    expect(ask('fingerprint', '--json').out).toContain('does not name the fingerprint made from LICENSE_HOST_ID. Give');
  });

  it('takes the id of the database that the module exports', () => {
    writeModule('', "export const databaseId = 'db-1';");
    expect(ask('fingerprint').err).toMatch(/from the id of the database\n/);
  });

  it('prints the compatible form without a product', () => {
    const args = ['--compatible', '--hostname', 'vault', '--mac', '02-42-AC-11-00-02', '--project', 'acme'];
    expect(run('fingerprint', ...args)).toEqual({
      exit: 0,
      // printf 'vault\n02:42:ac:11:00:02\nacme' | sha256sum
      out: '7813e96ceb71f3bb525b580fd0843d65a4a2b2dceaa613747e9cc760afeb0f83\n',
      err: '',
    });
    expect(run('fingerprint', '--compatible', '--hostname', 'vault').exit).toBe(2);
  });
});

describe('vtlic-product', () => {
  it.each([
    [[], 'a command is missing'],
    [['renew', '--product', 'options.mjs'], 'there is no such command'],
    [['check'], 'check needs --product FILE'],
    [['check', '--product', 'options.mjs', 'more'], 'check does not take more'],
    [['check', '--product', 'options.mjs', '--mac', 'x'], 'check does not take --mac'],
    [['check', '--product', 'missing.mjs'], 'missing.mjs: the module cannot be loaded: '],
    [['check', '--nonsense'], "Unknown option '--nonsense'"],
  ])('leaves with 2 for the arguments %j', async (args, message) => {
    const { exit, out, err } = await runHere(...args);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toContain(`vtlic-product: ${message}`);
    expect(err).toContain('\n  → ');
  });

  it.each([
    ['export default 5;', 'default'],
    ["export default { product: 'b', keys: {}, freeTier: {} };", 'issuer'],
    ["export default { issuer: 'a', product: 'b', freeTier: {} };", 'keys'],
    [
      "export default { issuer: 'a', product: 'b', keys: {}, freeTier: {} }; export const databaseId = 1;",
      'databaseId',
    ],
  ])('leaves with 2 for a module that is not a product: %s', async (text, field) => {
    writeFileSync(join(folder, 'options.mjs'), text);
    const { exit, err } = await runHere('check', '--product', join(folder, 'options.mjs'));
    expect(exit).toBe(2);
    expect(err).toContain(`vtlic-product: ${join(folder, 'options.mjs')}: ${field}: the member ${field} should be `);
  });

  it('shows help on standard output, in lines that fit a terminal', async () => {
    const { exit, out } = await runHere('help');
    expect(exit).toBe(0);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    for (const code of ['0 full', '23 grace', '24 free tier', '20 does not start', '2 not judged'])
      expect(out).toContain(code);
  });
});
