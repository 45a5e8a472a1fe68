/** `key adopt` and `hsm keys`: what is in a token already, and what a failed command left there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../support/exit-codes.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import type { TestToken } from './support/test-token.ts';

const MAKE = fileURLToPath(new URL('./support/make-objects.ts', import.meta.url));
const HEX_ID = '6b31';

function makeObjects(made: TestToken, ...what: readonly string[]): void {
  const done = spawnSync(process.execPath, [MAKE, made.module, made.pin, ...what], {
    env: { ...process.env, ...made.environment },
    encoding: 'utf8',
  });
  if (done.stdout !== 'done\n') throw new Error(done.stderr);
}

/** A site over one token. */
class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vtlic-adopt-'));
  readonly made: TestToken;

  constructor(made: TestToken, name = 'site') {
    this.made = made;
    writeFileSync(join(this.folder, 'pin'), made.pin, { mode: 0o600 });
    writeFileSync(join(this.folder, 'request.json'), JSON.stringify(requestDocument()));
    const uri = `pkcs11:token=t?module-path=${made.module}`;
    const init = ['init', join(this.folder, name), '--issuer', 'example-vendor', '--example-catalog'];
    expect(this.#run([...init, '--keystore', `hsm=${uri}`]).code).toBe(0);
  }

  run(...args: readonly string[]): CliResult {
    return this.#run([...args, '--site', join(this.folder, 'site')]);
  }

  withPin(...args: readonly string[]): CliResult {
    return this.run(...args, '--secret', `hsm=file:${join(this.folder, 'pin')}`);
  }

  keys(): { keys: { class: string; label: string; id: string; knownAs: string | null }[]; data: { label: string }[] } {
    const done = this.withPin('hsm', 'keys', 'hsm', '--json');
    expect(done.code).toBe(0);
    return JSON.parse(done.stdout) as ReturnType<Site['keys']>;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(args: readonly string[]): CliResult {
    return runCli(args, { env: { ...this.made.environment } });
  }
}

describe.each([
  ['SoftHSM', (): TestToken => makeSofthsm('t')],
  ['kryoptic', (): TestToken => makeKryoptic(['t'])],
])('a pair that another role made in %s', (_, make) => {
  let made: TestToken;
  let site: Site;
  beforeAll(() => {
    made = make();
    site = new Site(made);
    makeObjects(made, 'good', 'vendor-key', HEX_ID);
  });
  afterAll(() => {
    site?.remove();
    made?.remove();
  });

  it('is listed with its attributes, and as one that the site does not know', () => {
    const text = site.withPin('hsm', 'keys', 'hsm').stdout;
    expect(text).toContain(`private key  Ed25519  "vendor-key"  id ${HEX_ID}`);
    expect(text).toMatch(/sensitive, not extractable/);
    expect(text).toContain('not known to this site');
    expect(text).toContain(`--delete-object --type privkey --id ${HEX_ID}`);
  });

  it('is adopted by its id, signs, and is known afterwards', () => {
    const adopted = site.withPin('key', 'adopt', '--name', 'license-1', '--id', HEX_ID);
    expect(adopted.stderr).toContain('adopted the key license-1: ed25519, purpose license, custody hsm');
    const plan = site.run('issue', join(site.folder, 'request.json'), '--dry-run').stdout.trim();
    expect(site.withPin('issue', '--confirm', plan).code).toBe(0);
    const { keys, data } = site.keys();
    expect(keys.map(({ knownAs }) => knownAs)).toEqual(['license-1', 'license-1']);
    expect(data.map(({ label }) => label)).toEqual([expect.stringMatching(/^vtlic-claim-/)]);
  });

  it('is not adopted twice, nor by another site', () => {
    const again = site.withPin('key', 'adopt', '--name', 'license-2', '--label', 'vendor-key');
    expect(again).toMatchObject({ code: EXIT.usage });
    expect(again.stderr).toContain('it is called license-1');
    const other = new Site(made);
    const claimed = other.withPin('key', 'adopt', '--name', 'mine', '--id', HEX_ID);
    expect(claimed).toMatchObject({ code: EXIT.ledgerRefused });
    expect(claimed.stderr).toContain('belongs to the ledger');
    expect(other.run('key', 'list').stdout).toBe('');
    other.remove();
  });

  it('is not found under another id, and the hint shows what is there', () => {
    const missing = site.withPin('key', 'adopt', '--name', 'no', '--id', '0909');
    expect(missing).toMatchObject({ code: EXIT.notFound });
    expect(missing.stderr).toContain('vtlic hsm keys');
  });

  it('needs a name in the token', () => {
    expect(site.withPin('key', 'adopt', '--name', 'no')).toMatchObject({ code: EXIT.usage });
  });
});

describe('a pair that could have been copied, or is not one', () => {
  it.each([
    ['extractable', EXIT.selfCheck, 'can be read out'],
    ['mismatch', EXIT.selfCheck, ''],
    ['twin', EXIT.notFound, 'has 2 private Ed25519 keys'],
  ])('%s is not adopted, and stays as it was', (what, code, words) => {
    const made = makeSofthsm('t');
    const site = new Site(made);
    try {
      makeObjects(made, what);
      const before = site.keys();
      const done = site.withPin('key', 'adopt', '--name', 'k', '--label', what);
      expect(done.stderr).toContain(words);
      expect(done.code).toBe(code);
      const sorted = ({ keys }: ReturnType<Site['keys']>): string[] => keys.map((key) => JSON.stringify(key)).sort();
      expect(sorted(site.keys())).toEqual(sorted(before));
      expect(site.keys().data).toEqual([]);
      expect(site.run('key', 'list').stdout).toBe('');
    } finally {
      site.remove();
      made.remove();
    }
  });
});

describe('a key that the site cannot take', () => {
  let made: TestToken;
  let proxy: FaultyToken;
  let site: Site;
  beforeAll(() => {
    made = makeSofthsm('t');
    proxy = faulty(made, []);
    site = new Site(proxy);
  });
  afterAll(() => {
    site?.remove();
    made?.remove();
  });

  const generate = (name: string): CliResult =>
    site.withPin('key', 'generate', '--name', name, '--algorithm', 'ed25519');

  it.each([
    ['C_CreateObject 1 rv 0x30', 'whose claim the token could not write'],
    ['C_CreateObject 1 late 0x30', 'whose claim was written and reported as failed'],
    ['C_Sign 1 flip', 'whose test signature is wrong'],
  ])('leaves nothing in the token (%s: %s)', (fault) => {
    proxy.setFaults([fault]);
    expect([EXIT.signingFailed, EXIT.selfCheck]).toContain(generate('k').code);
    proxy.setFaults([]);
    expect(site.keys()).toMatchObject({ keys: [], data: [] });
    expect(site.run('key', 'list').stdout).toBe('');
  });

  it('is named with a command that removes it, where it cannot be destroyed', () => {
    proxy.setFaults(['C_CreateObject 1 rv 0x30', 'C_DestroyObject 0 rv 0x1b']);
    const done = generate('k');
    proxy.setFaults([]);
    expect(done.code).toBe(EXIT.signingFailed);
    const left = site.keys().keys;
    expect(left.map(({ label }) => label)).toEqual(['k', 'k']);
    const [id = ''] = left.map((key) => key.id);
    expect(done.stderr).toContain(`still contains what was made: the key "k" (id ${id})`);
    expect(done.stderr).toContain(`--delete-object --type privkey --id ${id}`);
    expect(done.stderr).toContain(`--delete-object --type pubkey --id ${id}`);
    expect(left.map(({ knownAs }) => knownAs)).toEqual([null, null]);
  });

  it.each([
    ['CKR_GENERAL_ERROR', '0x5', 1],
    ['CKR_DEVICE_ERROR', '0x30', 1],
    ['CKR_CURVE_NOT_SUPPORTED', '0x140', 2],
    ['CKR_ATTRIBUTE_VALUE_INVALID', '0x13', 2],
  ])('is generated with the other spelling of the curve only after an error about the curve: %s', (_, rv, calls) => {
    const generated = (): number => proxy.calls().filter((call) => call === 'C_GenerateKeyPair').length;
    const before = generated();
    proxy.setFaults([`C_GenerateKeyPair 0 rv ${rv}`]);
    expect(generate('curve').code).toBe(EXIT.signingFailed);
    expect(generated() - before).toBe(calls);
  });

  it('has its claim in a file of the site where the token refuses data objects', () => {
    proxy.setFaults(['C_CreateObject 0 rv 0x13']);
    const done = generate('in-a-file');
    expect(done.code).toBe(0);
    const claim = join(site.folder, 'site/keys/in-a-file.claim.json');
    expect(done.stderr).toContain(claim);
    expect(existsSync(claim)).toBe(true);
    expect(site.withPin('key', 'check', 'in-a-file').code).toBe(0);
    writeFileSync(claim, JSON.stringify({ schema: 'vtlic-claim/1', kid: done.stdout.trim(), ledger: '0'.repeat(32) }));
    expect(site.withPin('key', 'check', 'in-a-file')).toMatchObject({ code: EXIT.ledgerRefused });
    proxy.setFaults([]);
  });
});

describe('a claim that was written, reported as failed, and cannot be destroyed', () => {
  let made: TestToken;
  let proxy: FaultyToken;
  let site: Site;
  beforeAll(() => {
    made = makeSofthsm('t');
    proxy = faulty(made, []);
    site = new Site(proxy);
    makeObjects(made, 'good', 'vendor-key', HEX_ID);
  });
  afterAll(() => {
    site?.remove();
    made?.remove();
  });

  it.each([
    ['key adopt', ['key', 'adopt', '--name', 'k', '--id', HEX_ID]],
    ['key generate', ['key', 'generate', '--name', 'k', '--algorithm', 'ed25519']],
  ])('is named by %s with the command that removes it', (_, command) => {
    const before = site.keys().data.map(({ label }) => label);
    proxy.setFaults(['C_CreateObject 1 late 0x30', 'C_DestroyObject 0 rv 0x1b']);
    const done = site.withPin(...command);
    proxy.setFaults([]);
    expect(done.code).toBe(EXIT.signingFailed);
    const [label = '', ...others] = site
      .keys()
      .data.flatMap((left) => (before.includes(left.label) ? [] : [left.label]));
    expect(others).toEqual([]);
    expect(done.stderr).toContain(`may still contain the claim of the key, the data object "${label}"`);
    expect(done.stderr).toContain(`--delete-object --type data --label ${label}`);
  });
});
