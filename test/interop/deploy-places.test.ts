/** How containers and systemd put a license in place, on real folders, with the examples as processes. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mountPrefix } from '../support/mounts.ts';
import { ExampleProduct } from './example-product.ts';
import { PostgresServer } from './postgres-server.ts';

const database = new PostgresServer();
let product: ExampleProduct;
/** A place beside the product: a volume, or a folder of the host. */
let place: string;

beforeAll(() => {
  database.start();
});
afterAll(() => {
  database.remove();
});
beforeEach(() => {
  product = new ExampleProduct('node-http');
  place = mkdtempSync(join(tmpdir(), 'vtlic-place-'));
  chmodSync(place, 0o755);
});
afterEach(async () => {
  await product.stop();
  execFileSync('chmod', ['-R', 'u+rwX', product.folder]);
  await product.remove();
  spawnSync('umount', ['-l', join(place, 'mounted', 'license.vtlic')], { stdio: 'ignore' });
  execFileSync('chmod', ['-R', 'u+rwX', place]);
  rmSync(place, { recursive: true });
});

/** What the kubelet does for a Secret: a new folder with the files, and one rename of the link `..data`. */
function publishSecret(folder: string, version: string, files: Readonly<Record<string, Uint8Array>>): void {
  mkdirSync(join(folder, version), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, version, name), content, { mode: 0o444 });
    const link = join(folder, name);
    rmSync(link, { force: true });
    symlinkSync(join('..data', name), link);
  }
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

const inDatabase = (): Readonly<Record<string, string>> => ({
  LICENSE_STATE_PATH: '',
  DATABASE_URL: `postgres://tester@/postgres?host=${encodeURIComponent(database.host)}`,
});

describe('a volume of a Kubernetes Secret', () => {
  it('brings a renewal to the running product by its link, and nothing can be pasted over it', async () => {
    const secret = join(place, 'secret');
    publishSecret(secret, '..2027_01_01', { 'license.vtlic': await product.license(7, 10) });
    chmodSync(secret, 0o555);
    await product.start({ environment: { LICENSE_PATH: join(secret, 'license.vtlic') } });
    expect(await product.entitlements()).toBe('active enterprise 250');

    expect((await product.adminPage()).text).toContain('The license file cannot be replaced.');
    expect(await product.entitlements()).toBe('active enterprise 250');

    chmodSync(secret, 0o755);
    publishSecret(secret, '..2027_02_01', { 'license.vtlic': await product.license(8, 365) });
    await product.untilEntitled('active enterprise 400');
  });
});

describe('a single file that is mounted', () => {
  it('never brings a renewal to the product that runs, and cannot be pasted over', async () => {
    expect(mountPrefix, 'mount needs CAP_SYS_ADMIN or a user namespace').toBeDefined();
    const source = join(place, 'license.vtlic');
    const mounted = join(place, 'mounted', 'license.vtlic');
    mkdirSync(join(place, 'mounted'));
    writeFileSync(source, await product.license(7, 10));
    writeFileSync(mounted, '');
    product.own(join(place, 'mounted'));
    await product.start({
      environment: { LICENSE_PATH: mounted },
      before: `mount --bind ${source} ${mounted}`,
      ...(mountPrefix === undefined ? {} : { prefix: mountPrefix }),
    });
    expect((await product.paste(await product.license(8, 365))).text).toContain('The license file cannot be replaced.');

    // As an editor, a deployment tool or the kubelet replaces a file: a new one under the old name.
    writeFileSync(`${source}.new`, await product.license(8, 365));
    renameSync(`${source}.new`, source);
    product.setClock(11);
    await product.untilEntitled('grace enterprise 250');
    expect(product.output).not.toContain('license: active');
  });
});

describe('the folder of systemd for credentials', () => {
  it('gives license and secrets to a product that can only read them; a renewal needs a restart', async () => {
    const credentials = join(place, 'credentials');
    const start = async (license: Uint8Array): Promise<void> => {
      // As systemd does at each start of the service.
      if (existsSync(credentials)) execFileSync('chmod', ['-R', 'u+w', credentials]);
      mkdirSync(credentials, { recursive: true });
      writeFileSync(join(credentials, 'license.vtlic'), license, { mode: 0o400 });
      for (const name of ['admin-password', 'metrics-token']) {
        copyFileSync(product.path(`data/${name}`), join(credentials, name));
        chmodSync(join(credentials, name), 0o400);
      }
      chmodSync(join(credentials, 'license.vtlic'), 0o400);
      chmodSync(credentials, 0o500);
      product.own(credentials);
      await product.start({
        environment: {
          LICENSE_PATH: join(credentials, 'license.vtlic'),
          ADMIN_PASSWORD_FILE: join(credentials, 'admin-password'),
          METRICS_TOKEN_FILE: join(credentials, 'metrics-token'),
        },
      });
    };
    await start(await product.license(7, 10));
    expect(await product.entitlements()).toBe('active enterprise 250');
    expect((await product.adminPage()).text).toContain('The license file cannot be replaced.');
    expect(await product.stop()).toBe(0);
    await start(await product.license(8, 365));
    expect(await product.entitlements()).toBe('active enterprise 400');
    expect(await product.stop()).toBe(0);
    await expect(start(await product.license(7, 10))).rejects.toThrow(/exit 20: [^]*older than one that was accepted/);
  });
});

describe('a product that can write to no file', () => {
  /** All that the product sees of its own is read-only, for the user who runs it. */
  async function makeReadOnly(): Promise<void> {
    product.write('data/license.vtlic', await product.license(7, 10));
    execFileSync('chmod', ['-R', 'a-w', product.folder]);
    execFileSync('chmod', ['-R', 'a+rX', product.folder]);
  }
  const replaceLicense = async (counter: number): Promise<void> => {
    chmodSync(product.path('data'), 0o755);
    rmSync(product.path('data/license.vtlic'));
    product.write('data/license.vtlic', await product.license(counter, 365));
    chmodSync(product.path('data'), 0o555);
  };

  it('keeps state and records in PostgreSQL, over a restart too', async () => {
    await makeReadOnly();
    await product.start({ environment: inDatabase() });
    expect(await product.entitlements()).toBe('active enterprise 250');
    expect(await product.addUser('ada')).toBe(201);
    expect((await product.adminPage()).text).toContain('The license file cannot be replaced.');
    await replaceLicense(8);
    await product.untilEntitled('active enterprise 400');
    expect(await product.stop()).toBe(0);
    await replaceLicense(7);
    await expect(product.start({ environment: inDatabase() })).rejects.toThrow(/exit 20: [^]*older than one that was/);
    await replaceLicense(8);
    await product.start({ environment: inDatabase() });
    expect((await product.get('/users')).body).toEqual(['ada']);
  });

  it('keeps the state in SQLite on a volume', async () => {
    mkdirSync(join(place, 'volume'));
    product.own(join(place, 'volume'));
    const file = join(place, 'volume', 'license.sqlite');
    const options = readFileSync(product.path('license-options.js'), 'utf8');
    const changed = options
      .replace('import { postgresStore }', 'import { sqliteStore }')
      .replace(/stores: .*/, `stores: [sqliteStore(${JSON.stringify(file)})],`);
    expect(changed).not.toBe(options);
    product.write('license-options.js', changed);
    await makeReadOnly();
    const environment = { LICENSE_STATE_PATH: '' };
    await product.start({ environment });
    expect(await product.entitlements()).toBe('active enterprise 250');
    await replaceLicense(8);
    await product.untilEntitled('active enterprise 400');
    expect(await product.stop()).toBe(0);
    await replaceLicense(7);
    await expect(product.start({ environment })).rejects.toThrow(/exit 20: [^]*older than one that was accepted/);
  });

  it('does not start where the state has no place', async () => {
    await makeReadOnly();
    await expect(product.start()).rejects.toThrow(/exit 20: [^]*license state cannot be read or written/);
  });
});

it('the password of the database is read from its file', () => {
  product.write('data/database-password', 'a/b c%d\n');
  const script = `import('./database.js').then(({ pool }) => console.log(new pool.Client(pool.options).password))`;
  const environment = {
    DATABASE_URL: 'postgres://vaultdesk@database/vaultdesk',
    DATABASE_PASSWORD_FILE: 'data/database-password',
  };
  const said = execFileSync(process.execPath, ['-e', script], {
    cwd: product.folder,
    env: environment,
    encoding: 'utf8',
  });
  expect(said).toBe('a/b c%d\n');
});
