/** What `vtlic-product` prints and how it ends, in this process, for a product whose clock the test sets. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import type { License } from '../../../../formats/license/license.ts';
import { runProduct } from '../../../../verifier/product/run.ts';
import {
  compatibleFingerprint,
  fileStore,
  hostFingerprint,
  openLicense,
  type LicenseOptions,
} from '../../../../verifier/runtime/index.ts';
import { DAY, Product } from '../runtime/product.ts';
import { EXP, NBF, strangeKey } from '../sample.ts';

interface Result {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

const ID = '0193817a-6c00-7000-8000-000000000001';
let product: Product;
let environment: Record<string, string | undefined>;
let modules = 0;

beforeEach(() => {
  product = new Product();
  product.clock = EXP - 30 * DAY + 60;
  environment = { ...product.options().environment, container: 'lxc' };
});
afterEach(() => product.remove());

/** The module of a product: its exports are those of the test. */
function moduleWith(text: string, given: Readonly<Record<string, unknown>> = {}): string {
  Object.assign(globalThis, { vtlicProductOfTest: given });
  const path = join(product.folder, `options-${modules++}.mjs`);
  writeFileSync(path, text);
  return path;
}

const moduleOf = (changes: Partial<LicenseOptions> = {}, databaseId?: unknown): string =>
  moduleWith(
    'const { options, databaseId } = globalThis.vtlicProductOfTest; export { options as default, databaseId };',
    { options: product.options(changes), databaseId },
  );

async function run(...args: readonly string[]): Promise<Result> {
  let [out, err] = ['', ''];
  const exit = await runProduct(args, {
    environment,
    out: (text) => (out += text),
    report: (text) => (err += text),
  });
  return { exit, out, err };
}

const ask = (command: string, ...more: readonly string[]): Promise<Result> =>
  run(command, '--product', moduleOf(), ...more);

/** So that the state is there, with no warning that a start makes it. */
async function started(changes: Partial<License> = {}): Promise<void> {
  await product.dropLicense(changes);
  await (await openLicense(product.options())).close();
}

describe('vtlic-product check', () => {
  const FULL = 'full: the product starts with its license, which';
  it.each<[string, Partial<License>, number, string]>([
    ['in more than a day', {}, EXP - 30 * DAY + 60, `${FULL} expires in 30 days\n`],
    ['in a day', {}, EXP - DAY, `${FULL} expires in 1 day\n`],
    ['never', { exp: PERPETUAL_EXP }, NBF + DAY, `${FULL} does not expire\n`],
  ])('leaves with 0 for a license that expires %s, and reports nothing', async (_, changes, clock, out) => {
    await started(changes);
    product.clock = clock;
    expect(await ask('check')).toEqual({ exit: 0, out, err: '' });
  });

  it('leaves with 23 in the grace, and says when it ends', async () => {
    await started({ grace: 10 * DAY });
    product.clock = EXP + DAY;
    const { exit, out, err } = await ask('check');
    expect({ exit, out }).toEqual({
      exit: 23,
      out: `grace: the product starts with its license, which has expired; its grace ends at 2028-01-11T00:00:00Z\n`,
    });
    expect(err).toMatch(
      /^warning: The license has expired, and its grace is running\. \(in_grace: .*\)\n {2}→ [^\n]*\n$/,
    );
  });

  it('leaves with 24 for a license that has lapsed', async () => {
    await started();
    product.clock = EXP + DAY;
    const { exit, out, err } = await ask('check');
    expect({ exit, out }).toEqual({ exit: 24, out: 'free tier: the product starts, but without a license in force\n' });
    expect(err).toMatch(/^warning: [^\n]* \(lapsed: .*\)\n {2}→ [^\n]*\n$/);
  });

  it('leaves with 20 where the product does not start, with the reason once and what else there is to know', async () => {
    await started();
    await product.dropLicense({}, strangeKey);
    const second = join(product.folder, 'missing/second.state');
    const { exit, out, err } = await run('check', '--product', moduleOf({ stores: [fileStore(second)] }));
    expect({ exit, out }).toEqual({ exit: 20, out: 'refused: the product does not start\n' });
    expect(err.split('\n').map((line) => line.replace(/^(\w+): .* \((\w+): .*\)$/, '$1 $2'))).toEqual([
      'refused key_unknown',
      expect.stringMatching(/^ {2}→ /) as string,
      'warning state_store_unreachable',
      expect.stringMatching(/^ {2}→ /) as string,
      '',
    ]);
  });

  it('leaves with 0 in the mode saas', async () => {
    environment['DEPLOYMENT_MODE'] = 'saas';
    expect(await ask('check')).toEqual({
      exit: 0,
      out: 'not applicable: no entitlement comes from a file (DEPLOYMENT_MODE is saas)\n',
      err: '',
    });
    expect(JSON.parse((await ask('check', '--json')).out)).toMatchObject({ outcome: 'not_applicable', exit: 0 });
  });

  it('gives a program one document on standard output, and nothing else', async () => {
    await started();
    const full = await ask('check', '--json');
    expect({ ...full, out: '' }).toEqual({ exit: 0, out: '', err: '' });
    expect(full.out.match(/\n/g)).toHaveLength(1);
    const { view, ...rest } = JSON.parse(full.out) as { view: { state: string } };
    expect(rest).toEqual({ schema: 'vtlic-product/1', outcome: 'full', exit: 0 });
    expect(view.state).toBe('active');
    rmSync(product.path);
    const refused = await ask('check', '--json');
    expect({ ...refused, out: '' }).toEqual({ exit: 20, out: '', err: '' });
    expect(JSON.parse(refused.out)).toMatchObject({
      schema: 'vtlic-product/1',
      outcome: 'does_not_start',
      exit: 20,
      refusal: { code: 'file_missing' },
      view: { state: 'free_tier' },
    });
  });
});

describe('vtlic-product status', () => {
  it('shows the license below the line of the check', async () => {
    await started();
    expect(await ask('status')).toEqual({
      exit: 0,
      out: `full: the product starts with its license, which expires in 30 days
    tier         enterprise
    seats        250
    features     audit-export, sso
    customer     acme-gmbh
    license id   ${ID}
    counter      7
    from         2027-01-01T00:00:00Z
    until        2027-12-31
    next change  2028-01-01T00:00:00Z
    read from    the file ${product.path}
`,
      err: '',
    });
  });
});

describe('vtlic-product fingerprint', () => {
  const CLUSTER = '0a1b2c3d-0000-4000-8000-00000000002a';
  const hostOf = (databaseId?: string): ReturnType<typeof hostFingerprint> =>
    hostFingerprint({ environment, issuer: 'example-vendor', product: 'vaultdesk', databaseId });

  it('prints the fingerprint, and reports from what it is made and what else there is', async () => {
    environment['LICENSE_HOST_ID'] = 'rack 7';
    environment['LICENSE_CLUSTER_UID'] = CLUSTER;
    await started();
    const { exit, out, err } = await ask('fingerprint');
    const { candidates, absent } = hostOf();
    const [used = '', other = ''] = candidates.map(({ fingerprint }) => fingerprint);
    expect({ exit, out }).toEqual({ exit: 0, out: `${used}\n` });
    expect(err.split('\n')).toEqual([
      'made from LICENSE_HOST_ID',
      `not used: ${other}, from LICENSE_CLUSTER_UID`,
      `not from the machine id: ${absent[0]?.reason ?? ''}`,
      'not from the id of the database: the product gives no id of its database',
      '',
    ]);
  });

  it('leaves with 24 where nothing identifies the host', async () => {
    await started({ hosts: ['ab'.repeat(32)] });
    const { exit, out, err } = await ask('fingerprint');
    expect({ exit, out }).toEqual({ exit: 24, out: '' });
    expect(err).toMatch(/^nothing identifies this host\nnot from LICENSE_HOST_ID: /);
    expect(err).toMatch(
      /\nThe license is bound to hosts, and nothing identifies this host\. Set LICENSE_HOST_ID, [^\n]*\n$/,
    );
    const json = await ask('fingerprint', '--json');
    expect({ ...json, out: '' }).toEqual({ exit: 24, out: '', err: '' });
    expect(JSON.parse(json.out)).toEqual({
      schema: 'vtlic-fingerprint/1',
      candidates: [],
      absent: hostOf().absent,
      explanation: expect.stringContaining('nothing identifies this host') as string,
    });
  });

  it('is reported without a word about a license that is bound to no host', async () => {
    await started();
    const { exit, err } = await ask('fingerprint');
    expect(exit).toBe(24);
    expect(err).not.toContain('The license');
  });

  it('uses the id of the database that the module exports', async () => {
    const { exit, out, err } = await run('fingerprint', '--product', moduleOf({}, 'db-1'), '--json');
    const { used, candidates, absent } = hostOf('db-1');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(JSON.parse(out)).toEqual({ schema: 'vtlic-fingerprint/1', ...used, candidates, absent });
    expect(used?.source).toBe('database');
  });

  it('says which fingerprint of this host the license names, if it is not the one that counts', async () => {
    environment['LICENSE_CLUSTER_UID'] = CLUSTER;
    await started({ hosts: hostOf().hosts });
    expect((await ask('fingerprint')).err).not.toContain('The license');
    environment['LICENSE_HOST_ID'] = 'rack 7';
    expect((await ask('fingerprint')).err).toContain(
      '\nThe license names the fingerprint made from LICENSE_CLUSTER_UID, but this host now uses LICENSE_HOST_ID. ',
    );
    environment['LICENSE_CLUSTER_UID'] = CLUSTER.replace('2a', '2b');
    const { explanation } = JSON.parse((await ask('fingerprint', '--json')).out) as { explanation?: string };
    expect(explanation).toContain('The license does not name the fingerprint made from LICENSE_HOST_ID. ');
  });

  it('is printed before a license is here, and while the settings are incomplete', async () => {
    environment = { LICENSE_HOST_ID: 'rack 7', container: 'lxc' };
    const { exit, out, err } = await ask('fingerprint');
    expect({ exit, out }).toEqual({ exit: 0, out: `${hostOf().hosts[0] ?? ''}\n` });
    expect(err).not.toContain('The license');
  });

  it('is not printed where another fault keeps the license from being judged', async () => {
    environment['LICENSE_HOST_ID'] = 'rack 7';
    const path = moduleOf({ defaultGrace: -1 });
    expect(await run('fingerprint', '--product', path)).toMatchObject({ exit: 2, out: '' });
  });

  it('is printed in the compatible form without a product, also for a program', async () => {
    const args = ['--compatible', '--hostname', 'vault', '--mac', '02-42-AC-11-00-02', '--project', 'acme'];
    const fingerprint = compatibleFingerprint('vault', '02-42-AC-11-00-02', 'acme');
    expect(await run('fingerprint', ...args)).toEqual({ exit: 0, out: `${fingerprint}\n`, err: '' });
    const { out } = await run('fingerprint', ...args, '--json');
    expect(JSON.parse(out)).toEqual({ schema: 'vtlic-fingerprint/1', fingerprint });
    for (const at of [1, 3, 5])
      expect(await run('fingerprint', ...args.toSpliced(at, 2))).toEqual({
        exit: 2,
        out: '',
        err: 'vtlic-product: --compatible needs --hostname, --mac and --project\n  → Run vtlic-product help.\n',
      });
  });
});

describe('vtlic-product', () => {
  it.each<[readonly string[], string]>([
    [[], 'a command is missing'],
    [['renew'], 'there is no such command'],
    [['check'], 'check needs --product FILE'],
    [['fingerprint'], 'fingerprint needs --product FILE'],
    [['check', 'more', 'yet'], 'check does not take more, yet'],
    [['fingerprint', 'more'], 'fingerprint does not take more'],
    [['status', '--mac', 'x', '--compatible'], 'status does not take --compatible, --mac'],
    [['fingerprint', '--mac', 'x', '--product', 'y'], 'fingerprint takes --mac only with --compatible'],
    [['--hostname', 'x', '--project', 'y'], 'a command is missing'],
    [['--compatible', '--hostname', 'h', '--mac', 'm', '--project', 'p'], 'a command is missing'],
    [['renew', 'more', '--mac', 'x'], 'there is no such command'],
  ])('leaves with 2 for the arguments %j, and says what is wrong', async (args, message) => {
    expect(await run(...args)).toEqual({
      exit: 2,
      out: '',
      err: `vtlic-product: ${message}\n  → Run vtlic-product help.\n`,
    });
  });

  it('leaves with 2 for an option that it does not know, and gives a program the error as a document', async () => {
    const { exit, out, err } = await run('check', '--json', '--nonsense');
    expect(exit).toBe(2);
    expect(err).toMatch(/^vtlic-product: Unknown option '--nonsense'.*\n {2}→ Run vtlic-product help\.\n$/);
    expect(JSON.parse(out)).toEqual({
      schema: 'vtlic-error/1',
      code: 'usage',
      exit: 2,
      message: expect.stringMatching(/^Unknown option '--nonsense'/) as string,
      hint: 'Run vtlic-product help.',
    });
  });

  it('leaves with 20 for a setting with which the product does not start', async () => {
    environment['DEPLOYMENT_MODE'] = 'cloud';
    const { exit, out, err } = await ask('check', '--json');
    expect(exit).toBe(20);
    expect(err).toMatch(/^vtlic-product: DEPLOYMENT_MODE: [^\n]*\n {2}→ [^\n]*\n$/);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'vtlic-error/1',
      code: 'configuration_invalid',
      exit: 20,
      field: 'DEPLOYMENT_MODE',
    });
  });

  it.each<[string, () => never, string]>([
    [
      'an error that is not ours',
      () => {
        throw new RangeError('no clock\u001b[2J');
      },
      'vtlic-product: a defect of this program: RangeError: no clock\\u{001B}[2J',
    ],
    [
      'what is no error',
      () => {
        throw undefined as unknown as Error;
      },
      'vtlic-product: a defect of this program: a value was thrown that is not an error',
    ],
  ])('leaves with 1 for %s, which is a defect', async (_, clock, message) => {
    await product.dropLicense();
    const path = moduleOf({ clocks: { clock, monotonic: () => 0 } });
    for (const command of ['check', 'fingerprint']) {
      const { exit, out, err } = await run(command, '--product', path, '--json');
      expect({ exit, err }).toEqual({ exit: 1, err: `${message}\n` });
      expect(JSON.parse(out)).toEqual({ schema: 'vtlic-error/1', code: 'internal', exit: 1, message });
    }
  });

  it('shows help for each way to ask for it', async () => {
    for (const args of [['help'], ['--help'], ['-h'], ['check', '--help'], ['help', 'check']]) {
      const { exit, out, err } = await run(...args);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(out).toMatch(/^vtlic-product reads the license of a product, and changes nothing\.\n/);
    }
  });
});

describe('the module of a product', () => {
  const HINT =
    '  → Give --product the module of the product that exports the options of openLicense, all but environment, as ' +
    'default.\n';

  it.each<[string, string]>([
    ['export const a = 1;', 'default: the member default should be an object'],
    ['export default null;', 'default: the member default should be an object'],
    ['export default 5;', 'default: the member default should be an object'],
    ["export default { product: 'b', keys: {}, freeTier: {} };", 'issuer: the member issuer should be a text'],
    ["export default { issuer: 'a', keys: {}, freeTier: {} };", 'product: the member product should be a text'],
    ["export default { issuer: 'a', product: 'b', freeTier: {} };", 'keys: the member keys should be an object'],
    [
      "export default { issuer: 'a', product: 'b', keys: {}, freeTier: null };",
      'freeTier: the member freeTier should be an object',
    ],
    [
      "export default { issuer: 'a', product: 'b', keys: {}, freeTier: {} }; export const databaseId = 1;",
      'databaseId: the member databaseId should be a text',
    ],
    ["throw new Error('no\\u001b[2J');", 'the module cannot be loaded: no\\u{001B}[2J'],
    [`throw new Error('${'x'.repeat(301)}');`, `the module cannot be loaded: ${'x'.repeat(300)}…`],
    ["throw 'no';", 'the module cannot be loaded: it threw something that is not an error'],
  ])('is refused with exit code 2 if it is %s', async (text, message) => {
    const path = moduleWith(text);
    expect(await run('check', '--product', path)).toEqual({
      exit: 2,
      out: '',
      err: `vtlic-product: ${path}: ${message}\n${HINT}`,
    });
  });

  it('gives the options, but the command gives the environment', async () => {
    await started();
    const path = moduleOf({ environment: { DEPLOYMENT_MODE: 'cloud' } });
    expect((await run('check', '--product', path)).exit).toBe(0);
  });
});
