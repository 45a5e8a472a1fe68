/**
 * docs/continuity.md, "A token is dead", for each custody of a license key: the token is destroyed, the key is lost, the
 * spare signs, and nothing that the key had signed is refused.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { verify } from '../../verifier/index.ts';
import { builtInChain, trustOfChain } from '../../verifier/keyset/index.ts';
import { runCli } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import type { TestToken } from './support/test-token.ts';

interface Custody {
  readonly name: string;
  readonly make: () => TestToken;
  /** Keystore → label of its token. */
  readonly keystores: Readonly<Record<string, string>>;
  readonly generate: readonly string[];
  /** Destroys one token, and no other. */
  readonly destroy: (made: TestToken) => void;
}

const softhsmFolder = ({ folder }: TestToken): string => join(folder, 'tokens');
const destroySofthsm = (made: TestToken): void => {
  for (const name of readdirSync(softhsmFolder(made))) rmSync(join(softhsmFolder(made), name), { recursive: true });
};
const SPLIT = {
  make: () => makeKryoptic(['one', 'two'], 'Bytes', 'each'),
  keystores: { alice: 'one', bob: 'two' },
  generate: ['--keystore', 'alice', '--ml-dsa-keystore', 'bob'],
} as const;

const CUSTODIES: readonly Custody[] = [
  {
    name: 'hsm, in SoftHSM',
    make: () => makeSofthsm('one'),
    keystores: { alice: 'one' },
    generate: ['--keystore', 'alice', '--algorithm', 'ed25519'],
    destroy: destroySofthsm,
  },
  {
    name: 'hsm-wrapped, in SoftHSM',
    make: () => makeSofthsm('one'),
    keystores: { alice: 'one' },
    generate: ['--keystore', 'alice', '--wrapped'],
    destroy: destroySofthsm,
  },
  {
    name: 'split, its Ed25519 component in the token that dies',
    ...SPLIT,
    destroy: ({ folder }) => {
      rmSync(join(folder, 'token1.sql'));
    },
  },
  {
    name: 'split, its ML-DSA-65 component in the token that dies',
    ...SPLIT,
    destroy: ({ folder }) => {
      rmSync(join(folder, 'token2.sql'));
    },
  },
];

let folder: string;
let made: TestToken | undefined;
afterEach(() => {
  made?.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('a token with a license key', { timeout: 300_000 }, () => {
  it.each(CUSTODIES)('that is destroyed takes the key with it, and the spare signs: $name', (custody) => {
    folder = mkdtempSync(join(tmpdir(), 'vtlic-dead-token-'));
    const token = custody.make();
    made = token;
    const site = join(folder, 'site');
    const secretFile = (name: string, secret: string): string => {
      writeFileSync(join(folder, name), secret, { mode: 0o600 });
      return `file:${join(folder, name)}`;
    };
    const secrets = new Map(
      Object.entries(custody.keystores).map(([store, label]) => [
        store,
        secretFile(`pin-${label}`, token.pins?.[label] ?? token.pin),
      ]),
    );
    secrets.set('local', secretFile('passphrase', 'correct horse battery staple'));
    const run = (args: readonly string[], ...stores: readonly string[]): ReturnType<typeof runCli> =>
      runCli(
        [...args, '--site', site, ...stores.flatMap((store) => ['--secret', `${store}=${secrets.get(store) ?? ''}`])],
        { env: { ...token.environment } },
      );
    const succeed = (args: readonly string[], ...stores: readonly string[]): string => {
      const done = run(args, ...stores);
      expect([args.join(' '), done.code, done.stderr]).toEqual([args.join(' '), 0, expect.anything()]);
      return done.stdout.trim();
    };
    const tokens = Object.keys(custody.keystores);
    const publish = (draft: string): void => {
      const digest = /SHA-256 ([0-9a-f]{64})/.exec(succeed(['keyset', 'show', draft]))?.[1] ?? '';
      const signature = succeed(['keyset', 'sign', draft, '--key', 'root-1', '--confirm', digest], 'local');
      succeed(['keyset', 'publish', draft, signature, '--confirm', digest]);
    };
    const issue = (customer: string, ...stores: readonly string[]): string => {
      const request = join(folder, `${customer}.json`);
      writeFileSync(request, JSON.stringify(requestDocument({ customer })));
      return succeed(['issue', '--confirm', succeed(['issue', request, '--dry-run'])], ...stores);
    };
    const stores = Object.entries(custody.keystores).flatMap(([store, label]) => [
      '--keystore',
      `${store}=pkcs11:token=${label}?module-path=${token.module}`,
    ]);
    const init = ['init', site, '--issuer', 'example-vendor', '--example-catalog', '--keystore', 'local=file:keys'];
    const initialized = runCli([...init, ...stores], { env: { ...token.environment } });
    expect([initialized.code, initialized.stderr]).toEqual([0, expect.anything()]);
    succeed(['key', 'generate', '--name', 'license-1', ...custody.generate], ...tokens);
    const local = ['key', 'generate', '--keystore', 'local', '--name'];
    succeed([...local, 'root-1', '--purpose', 'root'], 'local');
    succeed([...local, 'spare'], 'local');
    writeFileSync(join(site, 'releases.json'), JSON.stringify({ schema: 'vtlic-releases/1', releases: [] }));
    const roots = ['--add-root', 'root-1', '--threshold', '1'];
    publish(succeed(['keyset', 'draft', ...roots, '--activate', 'license-1', '--pre-publish', 'spare']));
    const before = issue('acme', ...tokens);

    custody.destroy(token);
    const dead = run(['key', 'check', 'license-1'], ...tokens);
    expect([dead.code, dead.stderr]).toEqual([5, expect.stringContaining('vtlic: no token matches the PKCS#11 URI')]);
    publish(succeed(['rotation', 'lost', 'license-1', '--emergency', 'the token is dead']));
    succeed(['key', 'retire', 'license-1']);
    succeed(['key', 'default', 'spare']);
    const after = issue('beta', 'local');

    const chain = join(site, 'keysets/chain.keyset');
    const trust = trustOfChain(builtInChain(readFileSync(chain), { issuer: 'example-vendor' }));
    const now = Math.floor(Date.now() / 1000);
    const context = { issuer: 'example-vendor', product: 'vaultdesk', deployment: 'prod-eu', now, defaultGrace: 0 };
    for (const license of [before, after])
      expect(verify(readFileSync(license), trust, context)).toMatchObject({ ok: true, state: 'active' });
    expect(succeed(['rotation', 'status'])).toMatch(/license-1 .*retired[^]*spare .*active/);
    expect(readFileSync(chain, 'utf8').match(/BEGIN/g)).toHaveLength(2);
    succeed(['ledger', 'verify', '--files']);
  });
});
