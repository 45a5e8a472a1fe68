/** What is around a module: other slots, other keystores, its environment, its configuration, its folder. */
import { readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../support/exit-codes.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { faulty } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, type TestToken } from './support/test-token.ts';

describe('hsm list', () => {
  it('shows the ready slot of kryoptic beside a fresh one', () => {
    const made = makeKryoptic(['ready']);
    try {
      const conf = made.environment['KRYOPTIC_CONF'] ?? '';
      writeFileSync(
        conf,
        `${readFileSync(conf, 'utf8')}\n[[slots]]\nslot = 2\ndbtype = "sqlite"\ndbargs = "${made.folder}/fresh.sql"\n`,
      );
      const done = runCli(['hsm', 'list', '--module', made.module], { env: { ...made.environment } });
      expect(done.code).toBe(0);
      expect(done.stdout).toContain('"ready"');
      expect(done.stdout).toContain('not initialized');
    } finally {
      made.remove();
    }
  });

  it('marks the slot that cannot be read, and shows the others', () => {
    const made = makeSofthsm('a', 'b');
    try {
      const proxy = faulty(made, ['fault C_GetTokenInfo 1 rv 0xe1']);
      const done = runCli(['hsm', 'list', '--module', proxy.module], { env: { ...made.environment } });
      expect(done.code).toBe(0);
      expect(done.stdout).toMatch(/cannot be read: C_GetTokenInfo, CKR_TOKEN_NOT_RECOGNIZED/);
      expect(done.stdout).toMatch(/"[ab]" {2}serial/);
    } finally {
      made.remove();
    }
  });

  it('says in words that a module cannot begin', () => {
    const made = makeSofthsm('a');
    try {
      const proxy = faulty({ ...made, module: '/no/such/module.so' }, []);
      const done = runCli(['hsm', 'list', '--module', proxy.module], { env: { ...made.environment } });
      expect(done.code).toBe(EXIT.notFound);
      expect(done.stderr).toContain('C_GetFunctionList, CKR_GENERAL_ERROR: the module failed');
    } finally {
      made.remove();
    }
  });
});

describe('a site with several keystores', () => {
  let made: TestToken;
  let folder: string;
  const run = (...args: readonly string[]): CliResult =>
    runCli([...args, '--site', join(folder, 'site')], { env: { ...made.environment } });
  beforeAll(() => {
    made = makeSofthsm('here');
    folder = mkdtempSync(join(tmpdir(), 'vtlic-several-'));
    const keystores = ['here', 'gone'].flatMap((name) => [
      '--keystore',
      `${name}=pkcs11:token=here?module-path=${name === 'here' ? made.module : '/opt/gone/module.so'}`,
    ]);
    const named = ['--keystore', 'named=pkcs11:token=here?module-name=no-such-module'];
    const init = ['init', join(folder, 'site'), '--issuer', 'example-vendor', ...keystores, ...named];
    expect(runCli(init, { env: { ...made.environment } }).code).toBe(0);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    made?.remove();
  });

  it('lists what there is, with a line for each keystore that fails', () => {
    const done = run('hsm', 'list');
    expect(done.code).toBe(0);
    expect(done.stdout).toContain('keystore here of the site');
    expect(done.stdout).toContain('"here"');
    expect(done.stderr).toContain('keystore gone: the PKCS#11 module /opt/gone/module.so cannot be read');
    expect(done.stderr).toContain('keystore named: no PKCS#11 module "no-such-module" is in');
  });

  it('signs with the keystore that is there', () => {
    writeFileSync(join(folder, 'pin'), made.pin, { mode: 0o600 });
    const options = ['--name', 'k', '--keystore', 'here', '--algorithm', 'ed25519'];
    expect(run('key', 'generate', ...options, '--secret', `here=file:${join(folder, 'pin')}`).code).toBe(0);
  });
});

describe('a mechanism that the token tells nothing of', () => {
  it('does not prevent keys from being made and from signing', async () => {
    const made = makeSofthsm('t');
    try {
      const proxy = faulty(made, ['fault C_GetMechanismInfo 0 rv 0x30']);
      const token = await open(proxy, 't');
      const { key } = await token.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
      expect(await key.sign(new Uint8Array(3))).toHaveLength(64);
      await token.close();
    } finally {
      made.remove();
    }
  });
});

describe('sessions', () => {
  it('are read-only for a run that signs, on a token that gives no other', async () => {
    const made = makeSofthsm('t');
    try {
      const maker = await open(made, 't');
      const { key } = await maker.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
      await maker.close();
      const proxy = faulty(made, ['device write-protected 0xe2']);
      const token = await open(proxy, 't');
      const wanted = { label: 'k', id: Uint8Array.of(1), publicKey: key.publicKey, purpose: 'license' } as const;
      expect(await (await token.openKey(wanted)).sign(new Uint8Array(3))).toHaveLength(64);
      await expect(token.createData('x', Uint8Array.of(1))).rejects.toMatchObject({ code: 'configuration_invalid' });
      await token.close();
    } finally {
      made.remove();
    }
  });

  it('make, sign and destroy in two where the token allows no third', async () => {
    const made = makeSofthsm('t');
    try {
      const proxy = faulty(made, ['fault C_OpenSession 3 rv 0xb1']);
      const token = await open(proxy, 't');
      const { key } = await token.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
      expect(await key.sign(new Uint8Array(3))).toHaveLength(64);
      await token.destroyData(await token.createData('x', Uint8Array.of(1)));
      expect(await token.readData('x')).toEqual([]);
      await token.close();
    } finally {
      made.remove();
    }
  });
});

describe("a module's configuration", () => {
  let made: TestToken;
  let folder: string;
  const conf = (): string => made.environment['SOFTHSM2_CONF'] ?? '';
  beforeEach(() => {
    made = makeSofthsm('t');
    folder = mkdtempSync(join(tmpdir(), 'vtlic-conf-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    made.remove();
  });
  const list = (variable: string, cwd = folder, ...more: readonly string[]): CliResult =>
    runCli(['hsm', 'list', '--module', made.module, ...more], { env: { SOFTHSM2_CONF: variable }, cwd });

  it('is found by a path from the folder of the command, and so are the paths in it', () => {
    expect(list(basename(conf()), dirname(conf())).stdout).toContain('"t"');
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(join(folder, 'relative.conf'), 'directories.tokendir = tokens\n');
    expect(list('relative.conf').stdout).toContain('not initialized');
  });

  it('is named with its variable where it is missing', () => {
    const done = list('missing.conf');
    expect(done.code).toBe(EXIT.notFound);
    expect(done.stderr).toContain(`SOFTHSM2_CONF names ${join(folder, 'missing.conf')}, which is not there`);
    expect(done.stderr).not.toContain('plugged in');
  });

  it('is declared by a keystore, shown by list and doctor, and named where it is missing', () => {
    const site = join(folder, 'site');
    const keystore = ['--keystore', `h=pkcs11:token=t?module-path=${made.module}`];
    const init = (dir: string, file: string): CliResult =>
      runCli(['init', dir, '--issuer', 'example-vendor', ...keystore, '--keystore-env', `h:SOFTHSM2_CONF=${file}`]);
    expect(init(site, conf()).code).toBe(0);
    expect(runCli(['hsm', 'list', '--site', site]).stdout).toContain(`environment: SOFTHSM2_CONF=${conf()}`);
    writeFileSync(join(folder, 'pin'), made.pin, { mode: 0o600 });
    const secret = ['--secret', `h=file:${join(folder, 'pin')}`];
    const doctor = runCli(['hsm', 'doctor', 'h', '--site', site, ...secret]);
    expect(doctor.stdout).toContain(`environment: the module gets SOFTHSM2_CONF=${conf()}`);
    const other = join(folder, 'other');
    expect(init(other, '/no/such.conf').code).toBe(0);
    const missing = runCli(['hsm', 'doctor', 'h', '--site', other, ...secret]);
    expect(missing.code).toBe(EXIT.usage);
    expect(missing.stdout).toContain('SOFTHSM2_CONF names /no/such.conf, which is not there');
  });

  it('is given to a command by --env, and a variable of no module in the table is missed until then', () => {
    const spied = { SOFTHSM2_CONF: join(folder, 'empty.conf'), PKCS11SPY: made.module };
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(spied.SOFTHSM2_CONF, `directories.tokendir = ${join(folder, 'tokens')}\n`);
    const args = ['hsm', 'list', '--module', made.module];
    const without = runCli(args, { env: spied });
    expect(without.stdout).toContain('PKCS11SPY is set and not passed');
    const given = runCli([...args, '--env', 'PKCS11SPY'], { env: spied });
    expect(given.stdout).toContain(`environment: PKCS11SPY=${made.module} (of the environment)`);
    expect(given.stdout).not.toContain('not passed');
    expect(runCli([...args, '--env', 'LD_PRELOAD=/x.so']).code).toBe(EXIT.usage);
  });
});

describe('a PIN at the terminal', () => {
  it.each([
    ['an arrow key', (pin: string) => `${pin.slice(0, 4)}\u001b[D${pin.slice(4)}`],
    ['the marks of a paste', (pin: string) => `\u001b[200~${pin}\u001b[201~`],
    ['a tabulator', (pin: string) => `${pin}\t`],
  ])('a PIN that came with %s is not used, and asked for again', async (_, typed) => {
    const made = makeSofthsm('t');
    const proxy = faulty(made, []);
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-pin-'));
    const run = new PtyRun(['hsm', 'keys', `pkcs11:token=t?module-path=${proxy.module}`], {
      env: { ...made.environment },
      cwd: folder,
    });
    try {
      await run.until(/PIN of token t /);
      run.type(`${typed(made.pin)}\r`);
      await run.until(/nothing was used; enter it again[^]*PIN of token t /);
      expect(proxy.calls()).not.toContain('C_Login');
      run.type(`${made.pin}\r`);
      expect(await run.ended()).toBe(0);
      expect(proxy.calls().filter((call) => call === 'C_Login')).toHaveLength(1);
      expect(run.output).not.toContain(made.pin);
    } finally {
      run.kill();
      rmSync(folder, { recursive: true, force: true });
      made.remove();
    }
  });
});

describe('a PIN file with a byte order mark before the PIN', () => {
  it('is refused by name before any login, and the same PIN without it is taken', () => {
    const made = makeSofthsm('t');
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-bom-'));
    try {
      const site = join(folder, 'site');
      const uri = `pkcs11:token=t?module-path=${made.module}`;
      const file = join(folder, 'pin');
      const env = { ...made.environment };
      expect(runCli(['init', site, '--issuer', 'example-vendor', '--keystore', `h=${uri}`], { env }).code).toBe(0);
      const generate = (name: string): CliResult =>
        runCli(
          ['key', 'generate', '--name', name, '--algorithm', 'ed25519', '--site', site, '--secret', `h=file:${file}`],
          { env },
        );
      writeFileSync(file, `\ufeff${made.pin}`, { mode: 0o600 });
      const refused = generate('first');
      expect(refused.code).toBe(EXIT.secretRefused);
      expect(refused.stderr).toContain('byte order mark');
      expect(refused.stderr).toContain('not sent to the token');
      writeFileSync(file, made.pin);
      expect(generate('first').code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      made.remove();
    }
  });
});
