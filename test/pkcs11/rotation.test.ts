/**
 * The move to the composite on tokens, from end to end: Ed25519 in SoftHSM with customers in the field → root keys →
 * keysets → a composite key in kryoptic → Ed25519 retired → one key is lost with its token → another is stolen. At each
 * point the runtime of every product version in the field is asked about every license, and the simulator too.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite } from '../../signer/site/site.ts';
import { makeTrust, verify } from '../../verifier/index.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../verifier/keyset/index.ts';
import { predictedOn, ProductsInTheField, type Prediction } from '../support/products-in-the-field.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { forgedWith } from './support/forge-with-token.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, type TestToken } from './support/test-token.ts';

let folder: string;
let site: string;
let softhsm: TestToken;
let kryoptic: TestToken;
let secrets: readonly string[];
let field: ProductsInTheField;
/** Honest license files, in the order in which they were issued. */
const licenses: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-'));
  site = join(folder, 'site');
  softhsm = makeSofthsm('vendor', 'roots');
  kryoptic = makeKryoptic(['pq', 'spare', 'spare2', 'root2']);
  const keystore = (name: string, { module }: TestToken, label = name): string =>
    `${name}=pkcs11:token=${label}?module-path=${module}`;
  const stores = [
    keystore('vendor', softhsm),
    keystore('roots', softhsm),
    ...['pq', 'spare', 'spare2', 'root2'].map((name) => keystore(name, kryoptic)),
    'local=file:keys',
  ];
  const pin = (of: TestToken): string => {
    const file = join(folder, `pin-${of === softhsm ? 'softhsm' : 'kryoptic'}`);
    writeFileSync(file, of.pin, { mode: 0o600 });
    return file;
  };
  const [softPin, kryPin] = [pin(softhsm), pin(kryoptic)];
  writeFileSync(join(folder, 'passphrase'), 'correct horse battery staple', { mode: 0o600 });
  secrets = [
    ...['vendor', 'roots'].map((name) => `${name}=file:${softPin}`),
    ...['pq', 'spare', 'spare2', 'root2'].map((name) => `${name}=file:${kryPin}`),
    `local=file:${join(folder, 'passphrase')}`,
  ];
  const options = ['--issuer', 'example-vendor', '--example-catalog', '--anchor', join(folder, 'anchor')];
  field = new ProductsInTheField(site);
  const init = runCli(['init', site, ...options, ...stores.flatMap((store) => ['--keystore', store])], { env: env() });
  expect([init.code, init.stderr]).toEqual([0, expect.anything()]);
});
afterAll(async () => {
  await field?.remove();
  rmSync(folder, { recursive: true, force: true });
  softhsm?.remove();
  kryoptic?.remove();
});

function env(): Readonly<Record<string, string>> {
  return { ...softhsm.environment, ...kryoptic.environment };
}

function run(args: readonly string[], ...stores: readonly string[]): CliResult {
  const given = secrets.filter((secret) => stores.includes(secret.slice(0, secret.indexOf('='))));
  return runCli([...args, '--site', site, ...given.flatMap((secret) => ['--secret', secret])], { env: env() });
}

function succeed(args: readonly string[], ...stores: readonly string[]): string {
  const done = run(args, ...stores);
  expect([args.join(' '), done.code, done.stderr]).toEqual([args.join(' '), 0, expect.anything()]);
  return done.stdout.trim();
}

function generate(name: string, keystore: string, algorithm: string, purpose = 'license'): void {
  const key = ['key', 'generate', '--name', name, '--keystore', keystore];
  succeed([...key, '--algorithm', algorithm, '--purpose', purpose], keystore);
}

const ROOTS = { 'root-1': 'roots', 'root-2': 'root2', 'root-3': 'local' } as const;
type Root = keyof typeof ROOTS;

/** Signs a draft with these roots and publishes it. */
function publish(draft: string, ...roots: readonly Root[]): void {
  const digest = /SHA-256 ([0-9a-f]{64})/.exec(succeed(['keyset', 'show', draft]))?.[1] ?? '';
  const signatures = roots.map((root) =>
    succeed(['keyset', 'sign', draft, '--key', root, '--confirm', digest], ROOTS[root]),
  );
  succeed(['keyset', 'publish', draft, ...signatures, '--confirm', digest]);
}

function issue(customer: string, key: string, store: string): void {
  const request = join(folder, `${customer}.json`);
  writeFileSync(request, JSON.stringify(requestDocument({ customer })));
  const plan = succeed(['issue', request, '--dry-run', '--key', key]);
  licenses.push(succeed(['issue', '--confirm', plan], store));
}

function releases(list: readonly Readonly<Record<string, unknown>>[]): void {
  const document = list.map((one) => ({ product: 'vaultdesk', from: '2026-01-01', ...one }));
  const file = join(site, 'releases.json');
  writeFileSync(file, JSON.stringify({ schema: 'vtlic-releases/1', releases: document }));
}

function kid(name: string): string {
  return openSite(site).config.keys.find((key) => key.name === name)?.publicKey.kid ?? '';
}

const chainPath = (): string => join(site, 'keysets/chain.keyset');

/** What a product says that was built with this chain, and that gets the published one if `delivered`. */
function judge(file: string, builtIn: Uint8Array | 'license-1', delivered: boolean): string {
  const now = Math.floor(Date.now() / 1000);
  const context = { issuer: 'example-vendor', product: 'vaultdesk', deployment: 'prod-eu', now, defaultGrace: 0 };
  const trust = (): Parameters<typeof verify>[1] => {
    if (builtIn === 'license-1') {
      const key = openSite(site).config.keys.find(({ name }) => name === 'license-1')?.publicKey;
      return makeTrust({ keys: key === undefined ? [] : [{ key, purpose: 'license', status: 'active' }] });
    }
    const chain = builtInChain(builtIn, { issuer: 'example-vendor' });
    return trustOfChain(
      chooseKeyset({ builtIn: chain, ...(delivered ? { file: readFileSync(chainPath()) } : {}) }).chain,
    );
  };
  const verdict = verify(readFileSync(file), trust(), context);
  return verdict.ok ? verdict.state : verdict.reason;
}

function all(builtIn: Uint8Array | 'license-1', delivered: boolean): readonly string[] {
  return licenses.map((file) => judge(file, builtIn, delivered));
}

/** What the runtime of each product in the field says now, and what the simulator says of it. */
async function asked(): Promise<{ readonly products: unknown; readonly predicted: unknown }> {
  const now = Math.floor(Date.now() / 1000);
  const products = await field.ask(now);
  const simulated = run(['rotation', 'simulate', '--json']);
  expect([0, 19]).toContain(simulated.code);
  return { products, predicted: predictedOn(JSON.parse(simulated.stdout) as Prediction, now) };
}

const NOBODY = { products: [], predicted: [] };

const active = (count: number): readonly string[] => Array.from({ length: count }, () => 'active');

/** What a thief signs with the key of a token, whose PIN he has. */
async function forge(made: TestToken, label: string, name: string): Promise<string> {
  const path = join(folder, 'forged.vtlic');
  writeFileSync(path, await forgedWith(made, label, { site, name }, readFileSync(licenses.at(-1) ?? '', 'utf8')));
  return path;
}

describe('the move to the composite', { timeout: 600_000 }, () => {
  const chains: Uint8Array[] = [];
  const keep = (): void => {
    chains.push(readFileSync(chainPath()));
  };
  const built = (version: number): Uint8Array => chains[version - 1] ?? new Uint8Array();

  it('begins with Ed25519 in SoftHSM, customers in the field, and a first keyset by roots of three kinds', async () => {
    generate('license-1', 'vendor', 'ed25519');
    issue('acme', 'license-1', 'vendor');
    generate('root-1', 'roots', 'ed25519', 'root');
    generate('root-2', 'root2', 'ed25519+ml-dsa-65', 'root');
    generate('root-3', 'local', 'ed25519+ml-dsa-65', 'root');
    releases([{ name: 'four', keys: [kid('license-1')] }]);
    const roots = Object.keys(ROOTS).flatMap((root) => ['--add-root', root]);
    const draft = succeed(['keyset', 'draft', ...roots, '--threshold', '2', '--activate', 'license-1']);
    publish(draft, 'root-1', 'root-2');
    keep();
    issue('beta', 'license-1', 'vendor');
    expect([all('license-1', false), all(built(1), false)]).toEqual([active(2), active(2)]);
    expect(await asked()).toEqual(NOBODY);
    expect(field.installs.length).toBeGreaterThanOrEqual(4);
  });

  it('keeps the record of a root key in its token, and beside the file of a software root', async () => {
    for (const [made, label, root] of [
      [softhsm, 'roots', 'root-1'],
      [kryoptic, 'root2', 'root-2'],
    ] as const) {
      const token = await open(made, label);
      try {
        expect(await token.readData(`vtlic-root-${kid(root).slice(0, 16)}`)).toHaveLength(1);
      } finally {
        await token.close();
      }
    }
    expect(existsSync(join(site, 'keys/root-3.signed.json'))).toBe(false);
    const other = succeed(['keyset', 'draft', '--expires', '2040-01-01', '--out', join(folder, 'given-up.draft')]);
    const digest = /SHA-256 ([0-9a-f]{64})/.exec(succeed(['keyset', 'show', other]))?.[1] ?? '';
    for (const root of ['root-1', 'root-3'] as const)
      succeed(['keyset', 'sign', other, '--key', root, '--confirm', digest], ROOTS[root]);
    expect(existsSync(join(site, 'keys/root-3.signed.json'))).toBe(true);
    const second = ['keyset', 'draft', '--expires', '2041-01-01', '--version', '2'];
    const next = succeed([...second, '--out', join(folder, 'other.draft')]);
    const shown = /SHA-256 ([0-9a-f]{64})/.exec(succeed(['keyset', 'show', next]))?.[1] ?? '';
    for (const root of ['root-1', 'root-3'] as const) {
      const refused = run(['keyset', 'sign', next, '--key', root, '--confirm', shown], ROOTS[root]);
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 2 already')]);
    }
  });

  it('pre-publishes a composite key, and activates it once no release in the field lacks it', async () => {
    generate('license-2', 'pq', 'ed25519+ml-dsa-65');
    generate('license-3', 'spare', 'ed25519+ml-dsa-65');
    const draft = succeed(['rotation', 'pre-publish', 'license-2', 'license-3', '--version', '3']);
    publish(draft, 'root-1', 'root-2');
    keep();
    expect(all(built(1), true)).toEqual(active(2));
    releases([
      { name: 'four', keys: [kid('license-1')] },
      { name: 'five', keyset: 3, takesKeysets: true },
    ]);
    const early = run(['rotation', 'activate', 'license-2']);
    expect([early.code, early.stderr]).toEqual([3, expect.stringContaining('four is in the field')]);
    expect(await asked()).toEqual(NOBODY);
    releases([
      { name: 'four', keys: [kid('license-1')], until: '2026-06-30' },
      { name: 'five', keyset: 3, takesKeysets: true },
    ]);
    publish(succeed(['rotation', 'activate', 'license-2']), 'root-2', 'root-3');
    keep();
    issue('gamma', 'license-1', 'vendor');
    issue('delta', 'license-2', 'pq');
    expect([all(built(2), false), all(built(3), false)]).toEqual([active(4), active(4)]);
    expect(all('license-1', false)).toEqual([...active(3), 'key_unknown']);
    expect(await asked()).toEqual(NOBODY);
    // Whoever still ran the old release would be refused, and the simulator says whom.
    const [old, newer] = [
      { name: 'four', keys: [kid('license-1')] },
      { name: 'five', keyset: 3, takesKeysets: true },
    ];
    releases([old, newer]);
    const refusal = { release: 'four', lineage: 'example-vendor/vaultdesk/delta/prod-eu', reason: 'key_unknown' };
    expect(await asked()).toEqual({ products: [refusal], predicted: [refusal] });
    releases([{ ...old, until: '2026-06-30' }, newer]);
  });

  it('retires Ed25519 for new licenses, and the old ones still verify', async () => {
    publish(succeed(['rotation', 'retire', 'license-1']), 'root-1', 'root-2');
    keep();
    const request = join(folder, 'acme.json');
    const refused = run(['issue', request, '--dry-run', '--key', 'license-1']);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('the key is retired')]);
    expect([all(built(2), false), all(built(2), true), all(built(4), false)]).toEqual([
      active(4),
      active(4),
      active(4),
    ]);
    expect(await asked()).toEqual(NOBODY);
  });

  it('loses a key with its token: the spare signs, and nothing is refused', async () => {
    // The whole token is destroyed.
    rmSync(join(kryoptic.folder, 'token1.sql'), { force: true });
    const dead = run(['key', 'check', 'license-2'], 'pq');
    expect([dead.code === 0, dead.stderr]).toEqual([false, expect.anything()]);
    generate('license-4', 'spare2', 'ed25519+ml-dsa-65');
    const lost = succeed(['rotation', 'lost', 'license-2', '--emergency', 'the token is dead']);
    publish(
      succeed(['rotation', 'pre-publish', 'license-4', '--onto', lost, '--out', join(folder, 'lost.draft')]),
      'root-1',
      'root-3',
    );
    keep();
    issue('delta', 'license-3', 'spare');
    expect([all(built(2), true), all(built(5), false)]).toEqual([active(5), active(5)]);
    expect(await asked()).toEqual(NOBODY);
  });

  it('replaces and revokes a stolen key: no honest license is refused, and no forged one is accepted', async () => {
    const forged = await forge(kryoptic, 'spare', 'license-3');
    expect(judge(forged, built(5), false)).toBe('active');
    const text = readFileSync(forged, 'utf8');
    expect((await field.takers(text)).length).toBeGreaterThan(0);
    publish(succeed(['rotation', 'stolen', 'license-3']), 'root-1', 'root-2');
    keep();
    succeed(['key', 'default', 'license-4']);
    const table = join(site, 'keysets/reissue-license-3.csv');
    const batch = succeed(['batch', table, '--dry-run']);
    succeed(['batch', '--confirm', batch], 'spare2');
    publish(succeed(['rotation', 'stolen', 'license-3']), 'root-2', 'root-3');
    keep();
    expect(all(built(2), true)).toEqual(active(5));
    expect(judge(forged, built(2), true)).toBe('key_revoked');
    expect(judge(forged, built(7), false)).toBe('key_revoked');
    await field.look(Math.floor(Date.now() / 1000));
    await field.deliverChain();
    expect(await asked()).toEqual(NOBODY);
    expect(await field.takers(text)).toEqual([]);
    for (const old of field.replaced)
      expect((await field.takers(old.text)).filter((install) => install.isAbove(old.license))).toEqual([]);
    const status = run(['rotation', 'status']);
    expect(status.stdout).toMatch(/license-3 .*revoked/);
    expect(status.stderr).toContain('there is no spare');
    succeed(['ledger', 'verify', '--files']);
  });
});
