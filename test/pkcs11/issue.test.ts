/** The real command with keys in real tokens, from `init` to a verified license, as docs/hsm.md tells it. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { MAIN, PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import type { TestToken } from './support/test-token.ts';

interface Case {
  readonly name: string;
  readonly make: () => TestToken;
  /** Keystores: name → token label. */
  readonly keystores: Readonly<Record<string, string>>;
  readonly generate: readonly string[];
  readonly custody: string;
  readonly algorithm: string;
}

const CASES: readonly Case[] = [
  {
    name: 'Ed25519 in SoftHSM',
    make: () => makeSofthsm('one'),
    keystores: { hsm: 'one' },
    generate: ['--keystore', 'hsm', '--algorithm', 'ed25519'],
    custody: 'hsm',
    algorithm: 'ed25519',
  },
  {
    name: 'composite, wrapped, in SoftHSM',
    make: () => makeSofthsm('one'),
    keystores: { hsm: 'one' },
    generate: ['--keystore', 'hsm', '--wrapped'],
    custody: 'hsm-wrapped',
    algorithm: 'ed25519+ml-dsa-65',
  },
  {
    name: 'composite in kryoptic',
    make: () => makeKryoptic(['one']),
    keystores: { hsm: 'one' },
    generate: ['--keystore', 'hsm'],
    custody: 'hsm',
    algorithm: 'ed25519+ml-dsa-65',
  },
  {
    name: 'composite split over two kryoptic tokens',
    make: () => makeKryoptic(['one', 'two'], 'Bytes', 'each'),
    keystores: { alice: 'one', bob: 'two' },
    generate: ['--keystore', 'alice', '--ml-dsa-keystore', 'bob'],
    custody: 'split',
    algorithm: 'ed25519+ml-dsa-65',
  },
];

describe.each(CASES)('$name', ({ make, keystores, generate, custody, algorithm }) => {
  let made: TestToken;
  let folder: string;
  let site: string;
  let secrets: string[];

  const run = (...args: readonly string[]): CliResult => runCli(args, { env: { ...made.environment } });
  const pinOf = (label: string): string => made.pins?.[label] ?? made.pin;
  const pinFile = (label: string): string => join(folder, `pin-${label}`);
  const allPins = (): readonly string[] => Object.values(keystores).map(pinOf);
  const plan = (): string => run('issue', join(folder, 'request.json'), '--site', site, '--dry-run').stdout.trim();

  beforeAll(() => {
    made = make();
    folder = mkdtempSync(join(tmpdir(), 'vtlic-token-site-'));
    site = join(folder, 'site');
    for (const label of Object.values(keystores)) writeFileSync(pinFile(label), pinOf(label), { mode: 0o600 });
    writeFileSync(join(folder, 'request.json'), JSON.stringify(requestDocument()));
    secrets = Object.entries(keystores).flatMap(([name, label]) => ['--secret', `${name}=file:${pinFile(label)}`]);
    const stores = Object.entries(keystores).flatMap(([name, label]) => [
      '--keystore',
      `${name}=pkcs11:token=${label}?module-path=${made.module}`,
    ]);
    expect(run('init', site, '--issuer', 'example-vendor', '--example-catalog', ...stores)).toMatchObject({ code: 0 });
    const key = run('key', 'generate', '--site', site, '--name', 'k', ...generate, ...secrets);
    expect(`${key.code} ${key.stderr}`).toMatch(new RegExp(`^0 .*custody ${custody}`, 's'));
  });
  afterAll(() => {
    made.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('issues a license that verifies, and the ledger says in which custody it was signed', async () => {
    const issued = run('issue', '--site', site, '--confirm', plan(), ...secrets);
    expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 .*signed and released/s);
    const verified = run(
      'verify',
      issued.stdout.trim(),
      '--site',
      site,
      '--product',
      'vaultdesk',
      '--deployment',
      'prod-eu',
      '--json',
    );
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, state: 'active', algorithm });
    const ledger = openLedgerForReading(join(site, 'ledger.sqlite'));
    const custodies = [...ledger.entriesFrom(1)].flatMap((entry) =>
      entry.kind === 'intent' ? [entry.body.custody] : [],
    );
    await ledger.verify();
    ledger.close();
    expect(new Set(custodies)).toEqual(new Set([custody]));
  });

  it("takes the PIN on a terminal, without echo, and never maps the module in the officer's process", async () => {
    const terminal = new PtyRun(['issue', join(folder, 'request.json'), '--site', site], {
      env: { ...made.environment },
    });
    try {
      await terminal.until(/Type Yes/);
      terminal.type('Yes\r');
      for (const label of Object.values(keystores)) {
        await terminal.until(new RegExp(`PIN of token ${label} .*: `));
        const main = processes().filter(
          ({ command }) =>
            command.includes(`${MAIN}\0issue\0${join(folder, 'request.json')}`) && !command.startsWith('script'),
        );
        const maps = main.map(({ pid }) => readFileSync(`/proc/${pid}/maps`, 'utf8')).join('');
        expect(main.length).toBeGreaterThan(0);
        expect(maps).toContain('/node');
        expect(maps).not.toMatch(/softhsm|vtlic_test_token|pkcs11\.node/);
        terminal.type(`${pinOf(label)}\r`);
      }
      expect(await terminal.ended()).toBe(0);
      for (const pin of allPins()) expect(terminal.output).not.toContain(pin);
    } finally {
      terminal.kill();
    }
  });

  it('takes the PIN from a descriptor', () => {
    if (Object.keys(keystores).length > 1) return expect(secrets).toHaveLength(4);
    const fd = openSync(pinFile('one'), 'r');
    try {
      const done = spawnSync(
        'setsid',
        ['--wait', process.execPath, MAIN, 'issue', '--site', site, '--confirm', plan(), '--secret', 'hsm=fd:3'],
        { env: { ...process.env, ...made.environment }, stdio: ['ignore', 'pipe', 'pipe', fd], encoding: 'utf8' },
      );
      expect(`${done.status} ${done.stderr}`).toMatch(/^0 /);
    } finally {
      closeSync(fd);
    }
  });

  it('refuses a wrong PIN with exit 6 and spends no counter', () => {
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'wrong-pin-wrong', { mode: 0o600 });
    const before = plan();
    const refused = run(
      'issue',
      '--site',
      site,
      '--confirm',
      before,
      ...Object.keys(keystores).flatMap((name) => ['--secret', `${name}=file:${wrong}`]),
    );
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/^vtlic: .*PIN/m);
    expect(refused.stderr).not.toContain('wrong-pin-wrong');
    // The counter is still free, and a right PIN sets the token's count back.
    expect(run('issue', '--site', site, '--confirm', before, ...secrets).code).toBe(0);
  });

  it('needs every PIN holder: no token takes the PIN of the other', () => {
    const [first, second] = Object.entries(keystores);
    if (first === undefined || second === undefined) return expect(custody).not.toBe('split');
    const before = plan();
    const exchanged = run(
      'issue',
      '--site',
      site,
      '--confirm',
      before,
      '--secret',
      `${first[0]}=file:${pinFile(second[1])}`,
      '--secret',
      `${second[0]}=file:${pinFile(first[1])}`,
    );
    expect(exchanged.code).toBe(6);
    // A wrong PIN, which no token is shown: that the other is missing is known before any login.
    const alone = run(
      'issue',
      '--site',
      site,
      '--confirm',
      before,
      '--secret',
      `${first[0]}=file:${pinFile(second[1])}`,
    );
    expect(`${alone.code} ${alone.stderr}`).toMatch(
      new RegExp(`^2 [^]*^vtlic: the secret of keystore ${second[0]} is needed`, 'm'),
    );
    expect(run('issue', '--site', site, '--confirm', before, ...secrets).code).toBe(0);
  });

  it('belongs to one ledger: a site that took its record over may not sign with it', () => {
    const other = join(folder, 'other');
    expect(run('init', other, '--issuer', 'example-vendor', '--example-catalog').code).toBe(0);
    copyFileSync(join(site, 'site.json'), join(other, 'site.json'));
    const planned = run('issue', join(folder, 'request.json'), '--site', other, '--dry-run').stdout.trim();
    const refused = run('issue', '--site', other, '--confirm', planned, ...secrets);
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 [^]*^vtlic: this key belongs to the ledger [0-9a-f]{32}/m);
  });

  it('needs a PIN: off a terminal and without --secret it is exit 2', () => {
    const done = run('issue', '--site', site, '--confirm', plan());
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('--secret');
  });

  it('checks the key, examines the token, and both say so', () => {
    expect(run('key', 'check', 'k', '--site', site, ...secrets)).toMatchObject({ code: 0 });
    for (const [name, label] of Object.entries(keystores)) {
      const doctor = run('hsm', 'doctor', name, '--site', site, '--secret', `${name}=file:${pinFile(label)}`, '--json');
      expect(`${doctor.code} ${doctor.stderr} ${doctor.stdout}`).toMatch(/^0 /);
      const { checks } = JSON.parse(doctor.stdout) as {
        readonly checks: readonly { readonly name: string; readonly status: string }[];
      };
      expect(checks.length).toBeGreaterThan(7);
      expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
      // Named by its URI, the token is looked for the same keys, whose site names it by its own.
      const named = run(
        'hsm',
        'doctor',
        `pkcs11:token=${label}?module-path=${made.module}`,
        '--site',
        site,
        '--secret',
        `token=file:${pinFile(label)}`,
        '--json',
      );
      // Other test files use the module at the same time.
      const said = named.stderr.replaceAll(/^token: another run \(process \d+\) is using .*\n/gm, '');
      expect(`${named.code} ${said}`).toBe('0 ');
      const names = (text: string): readonly string[] =>
        (JSON.parse(text) as { readonly checks: readonly { readonly name: string }[] }).checks.map(
          (check) => check.name,
        );
      expect(names(named.stdout)).toEqual(names(doctor.stdout));
      expect(names(named.stdout).some((check) => check.startsWith('key k'))).toBe(true);
    }
  });

  it('leaves the PIN nowhere: not in the site, not in a message', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('pin-') && name !== 'wrong' && statSync(join(folder, name)).isFile(),
    );
    expect(files.length).toBeGreaterThan(5);
    for (const name of files)
      for (const pin of allPins())
        expect(`${name}: ${readFileSync(join(folder, name)).includes(pin)}`).toBe(`${name}: false`);
  });

  it('shows the PIN in no command line and no environment while it signs', async () => {
    const digest = plan();
    const child = runInBackground(['issue', '--site', site, '--confirm', digest, ...secrets], made.environment);
    let looks = 0;
    while (!child.over()) {
      for (const { command, environment } of processes())
        for (const pin of allPins()) expect(command.includes(pin) || environment.includes(pin)).toBe(false);
      looks++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(looks).toBeGreaterThan(3);
  });
});

function runInBackground(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): { readonly over: () => boolean } {
  const run = new PtyRun(args, { env: { ...environment } });
  let over = false;
  void run.ended().then(() => {
    over = true;
  });
  return { over: () => over };
}

interface Process {
  readonly pid: number;
  readonly command: string;
  readonly environment: string;
}

function processes(): Process[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  return (
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({
        pid: Number(name),
        command: read(`/proc/${name}/cmdline`),
        environment: read(`/proc/${name}/environ`),
      }))
      // The test's own making of tokens hands PINs to other tools; those are over by now.
      .filter(({ command }) => command !== '')
  );
}
