/**
 * No PIN, passphrase, seed or key byte where it does not belong. The test knows them all, and looks for them in every
 * file that the commands leave, in all that they say, and in the processes while they work.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeBase64 } from '../../formats/base64.ts';
import { fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { decodePrivateCoseKey } from '../../formats/cose-key.ts';
import { decryptAge } from '../../keys/private/software/age.ts';
import { openSite } from '../../signer/site/site.ts';
import { MAIN, runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeSofthsm } from './support/softhsm.ts';

const READ_SEED = fileURLToPath(new URL('./support/read-seed.ts', import.meta.url));
const PASSPHRASE = 'planted passphrase of five words';
const WRONG = 'planted-wrong-pin';

let token: FaultyToken;
let folder: string;
let site: string;
/** Everything that was said. */
let said = '';
/** Name → bytes that must be nowhere. */
const planted = new Map<string, Uint8Array>();

const file = (name: string): string => join(folder, name);
function run(...args: readonly string[]): CliResult {
  const done = runCli(args, { env: { ...token.environment } });
  said += done.stdout + done.stderr;
  return done;
}
const secret = (name: string, from: string): readonly string[] => ['--secret', `${name}=file:${file(from)}`];
const plan = (key: string): string =>
  run('issue', file('request.json'), '--site', site, '--key', key, '--dry-run').stdout.trim();

beforeAll(async () => {
  const made = makeSofthsm('t');
  token = faulty(made, ['print a module that talks']);
  folder = mkdtempSync(join(tmpdir(), 'vtlic-secrets-'));
  site = file('site');
  for (const [name, text] of [
    ['secret-pin', made.pin],
    ['secret-wrong', WRONG],
    ['secret-passphrase', PASSPHRASE],
  ] as const)
    writeFileSync(file(name), text, { mode: 0o600 });
  writeFileSync(file('request.json'), JSON.stringify(requestDocument()));
  expect(
    run(
      'init',
      site,
      '--issuer',
      'example-vendor',
      '--example-catalog',
      '--keystore',
      `hsm=pkcs11:token=t?module-path=${token.module}`,
      '--keystore',
      'local=file:keys',
    ),
  ).toMatchObject({ code: 0 });
  expect(
    run(
      'key',
      'generate',
      '--site',
      site,
      '--name',
      'wrapped',
      '--keystore',
      'hsm',
      '--wrapped',
      ...secret('hsm', 'secret-pin'),
    ),
  ).toMatchObject({ code: 0 });
  expect(
    run(
      'key',
      'generate',
      '--site',
      site,
      '--name',
      'soft',
      '--keystore',
      'local',
      ...secret('local', 'secret-passphrase'),
    ),
  ).toMatchObject({ code: 0 });

  for (const [name, text] of [
    ['PIN', made.pin],
    ['wrong PIN', WRONG],
    ['passphrase', PASSPHRASE],
  ] as const)
    planted.set(name, utf8(text));
  const record = openSite(site).config.keys.find(({ name }) => name === 'wrapped');
  const args = [
    made.module,
    't',
    made.pin,
    'wrapped',
    record?.publicKey.kid ?? '',
    toHex(record?.object?.wrappedSeed ?? new Uint8Array()),
  ];
  const seed = fromHex(
    spawnSync(process.execPath, [READ_SEED, ...args], {
      env: { ...process.env, ...made.environment },
      encoding: 'utf8',
    }).stdout.trim(),
  );
  expect(seed).toHaveLength(32);
  planted.set('wrapped seed', seed ?? new Uint8Array());
  const soft = decodePrivateCoseKey(
    await decryptAge(readFileSync(join(site, 'keys/soft.age')), utf8(PASSPHRASE)),
  ).privateBytes;
  expect(soft).toHaveLength(64);
  planted.set('ML-DSA seed', soft.subarray(0, 32));
  planted.set('Ed25519 seed', soft.subarray(32));
});
afterAll(() => {
  token?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Names of the secrets that the bytes hold, raw, in hex or in base64 at any of its three alignments. */
function leaksOf(bytes: Uint8Array): readonly string[] {
  const all = Buffer.from(bytes);
  const text = all.toString('latin1');
  const lower = text.toLowerCase();
  return [...planted].flatMap(([name, value]) => {
    const spellings = [0, 1, 2].map((shift) =>
      encodeBase64(value.subarray(shift, shift + Math.floor((value.length - shift) / 3) * 3)),
    );
    const url = spellings.map((spelling) => spelling.replaceAll('+', '-').replaceAll('/', '_'));
    const found =
      all.includes(Buffer.from(value)) ||
      lower.includes(toHex(value)) ||
      [...spellings, ...url].some((spelling) => text.includes(spelling));
    return found ? [name] : [];
  });
}

const filesLeft = (): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('secret-') && statSync(join(folder, name)).isFile(),
  );

it('the search finds what is there', () => {
  for (const [name, value] of planted) {
    for (const spelling of [
      value,
      utf8(`x${toHex(value)}`),
      utf8(toHex(value).toUpperCase()),
      ...[0, 1, 2].map((shift) => utf8(encodeBase64(Uint8Array.of(...new Uint8Array(shift).fill(9), ...value)))),
    ])
      expect(leaksOf(spelling)).toContain(name);
  }
});

it('is in nothing that is said or left, whatever goes wrong', () => {
  for (const [key, store, from] of [
    ['wrapped', 'hsm', 'secret-pin'],
    ['soft', 'local', 'secret-passphrase'],
  ] as const) {
    expect(run('issue', '--site', site, '--confirm', plan(key), ...secret(store, from))).toMatchObject({ code: 0 });
    expect(run('key', 'show', key, '--site', site)).toMatchObject({ code: 0 });
    expect(run('issue', '--site', site, '--confirm', plan(key), ...secret(store, 'secret-wrong'))).toMatchObject({
      code: 6,
    });
  }
  for (const [fault, code] of [
    ['C_Login 1 tell', 0],
    ['C_Decrypt 1 kill', 7],
    ['C_Decrypt 1 rv 0x42', 7],
    ['C_Sign 2 flip', 17],
    ['C_Sign 2 kill', 8],
    ['C_Login 1 garble', 7],
  ] as const) {
    token.setFaults([fault]);
    const done = run('issue', '--site', site, '--confirm', plan('wrapped'), ...secret('hsm', 'secret-pin'));
    expect(`${fault} ${done.code} ${done.stderr}`).toMatch(new RegExp(`^${fault} ${code} `));
  }
  token.setFaults([]);
  const examined = run('hsm', 'doctor', 'hsm', '--site', site, ...secret('hsm', 'secret-pin'), '--json');
  expect(`${examined.code} ${examined.stdout}${examined.stderr}`).toMatch(/^0 /);
  run('ledger', 'show', '--site', site, '--json');
  expect(said).toContain('a module that talks');
  expect(leaksOf(utf8(said))).toEqual([]);
  const left = filesLeft();
  for (const name of ['site/ledger.sqlite', 'site/site.json', 'site/keys/soft.age']) expect(left).toContain(name);
  for (const name of left) expect(`${name}: ${leaksOf(readFileSync(join(folder, name))).join()}`).toBe(`${name}: `);
});

it('is in no command line and no environment while it works, and no core file may be written of the host', async () => {
  token.setFaults(['C_Sign 0 slow 50']);
  const work = spawn(
    'setsid',
    ['--wait', process.execPath, MAIN, 'hsm', 'doctor', 'hsm', '--site', site, ...secret('hsm', 'secret-pin')],
    { env: { ...process.env, ...token.environment }, stdio: 'ignore' },
  );
  const seen = { processes: 0, hosts: 0 };
  while (work.exitCode === null && work.signalCode === null) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const read = (name: string): Buffer => {
        try {
          return readFileSync(`/proc/${pid}/${name}`);
        } catch {
          return Buffer.alloc(0);
        }
      };
      const command = read('cmdline');
      expect([...leaksOf(command), ...leaksOf(read('environ'))]).toEqual([]);
      seen.processes += 1;
      // Until the shell has become the host its limits are not set, and no module is there.
      if (
        command.includes('host-main') &&
        !command.includes('/bin/sh') &&
        read('environ').includes(token.environment['SOFTHSM2_CONF'] ?? '?')
      ) {
        expect(read('limits').toString()).toMatch(/^Max core file size\s+0\s+0\s/m);
        seen.hosts += 1;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect(work.exitCode).toBe(0);
  expect(seen.hosts).toBeGreaterThan(0);
});
