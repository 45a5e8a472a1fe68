/** A stolen key of another ledger is revoked where keysets are published: its honest licenses count, and no other. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armor, dearmor } from '../../formats/armor.ts';
import { encodeBase64 } from '../../formats/base64.ts';
import { utf8 } from '../../formats/bytes.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { openKeyFile } from '../../keys/private/software/key-file.ts';
import { openSite } from '../../signer/site/site.ts';
import { verify } from '../../verifier/index.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../verifier/keyset/index.ts';
import { schemaFaults } from '../support/json-schema.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { ROOT } from '../support/run-cli.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const ROOTS = ['root-1', 'root-2'] as const;

/** Keysets are published here; `license-1` of the other site is stolen. */
let fixture: SiteFixture;
let other: SiteFixture;
let acts: KeysetActs;
let there: KeysetActs;
let kid: string;
let logKey: string;
/** The licenses of the other ledger that are honest. */
let licenses: string[];
let chain: string;

beforeEach(async () => {
  [fixture, other] = [await makeSite({ algorithm: 'ed25519' }), await makeSite({ algorithm: 'ed25519' })];
  [acts, there] = [new KeysetActs(fixture), new KeysetActs(other)];
  for (const name of ROOTS) await addKey(fixture, name, 'root');
  await addKey(other, 'log-1', 'ledger');
  const pem = acts.file('other.pem');
  await there.succeed(there.run('key', 'export', 'license-1', '--out', pem));
  kid = openSite(other.site).config.keys[0]?.publicKey.kid ?? '';
  const keys = ['--activate', 'license-1', '--activate', `file:${pem}`, '--purpose', `file:${pem}=license`];
  const roots = ROOTS.flatMap((root) => ['--add-root', root]);
  chain = await acts.next('1.draft', [...roots, '--threshold', '2', ...keys], ROOTS);
  writeFileSync(`${fixture.site}/releases.json`, JSON.stringify({ schema: 'vtlic-releases/1', releases: [] }));
  licenses = [];
  for (const customer of ['acme', 'beta']) licenses.push(await issueThere(customer));
  logKey = await there.succeed(there.run('ledger', 'checkpoint', '--log-key'));
});
afterEach(() => {
  fixture.remove();
  other.remove();
});

async function issueThere(customer: string): Promise<string> {
  const plan = await there.succeed(there.run('issue', writeRequest(other, { customer }), '--dry-run'));
  return there.succeed(there.runOpen('issue', '--confirm', plan));
}

interface Signed {
  readonly schema: string;
  readonly kid: string;
  readonly licenses: readonly { readonly license: string; readonly proof: string }[];
}

async function signedBy(): Promise<string> {
  return there.succeed(there.runOpen('rotation', 'signed-by', 'license-1', '--out', there.file('signed.json')));
}

function withChanges(file: string, change: (signed: Signed) => unknown): string {
  const path = acts.file('changed.json');
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Signed)));
  return path;
}

/** What the thief signs with the key of the other site. */
async function forged(): Promise<Uint8Array> {
  const { publicKey } = openSite(other.site).config.keys[0] ?? {};
  if (publicKey === undefined) throw new Error('the other site has no key');
  const key = await openKeyFile(`${other.site}/keys/license-1.age`, publicKey, 'license', utf8(PASSPHRASE));
  const { payload } = decodeCoseSign1(dearmor('VTLIC', readFileSync(licenses[0] ?? '')), TYP.license);
  const more = encodeLicense({ ...decodeLicense(payload), seats: 'unlimited', ctr: 9 });
  const protectedBytes = encodeProtected(publicKey.alg, kid, TYP.license);
  return encodeCoseSign1(protectedBytes, more, await key.sign(sigStructure(protectedBytes, more)));
}

function judge(file: Uint8Array): string {
  const builtIn = builtInChain(readFileSync(chain), { issuer: 'example-vendor' });
  const verdict = verify(file, trustOfChain(chooseKeyset({ builtIn }).chain), {
    issuer: 'example-vendor',
    product: 'vaultdesk',
    deployment: 'prod-eu',
    now: Math.floor(Date.now() / 1000),
    defaultGrace: 0,
  });
  return verdict.ok ? verdict.state : verdict.reason;
}

describe('a stolen key of another ledger', () => {
  it('has its licenses written as the published schema says', async () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'docs/schemas/signed-licenses.schema.json'), 'utf8')) as object;
    const signed = JSON.parse(readFileSync(await signedBy(), 'utf8')) as Signed;
    expect([signed.licenses.length, schemaFaults({ ...schema }, signed)]).toEqual([2, []]);
  }, 300_000);

  it('is not honored for the licenses of a key, where another key signed the licenses of the file', async () => {
    const own = openSite(fixture.site).config.keys[0]?.publicKey.kid ?? '';
    const changed = withChanges(await signedBy(), (signed) => ({ ...signed, kid: own }));
    const done = await acts.run('rotation', 'revoke', 'license-1', '--honor', changed, '--log-key', logKey);
    expect([done.code, done.stderr]).toEqual([
      19,
      expect.stringContaining(`license 1 of the file does not count: the key ${kid} signed it, and not ${own}`),
    ]);
    expect(existsSync(join(fixture.site, 'keysets/2.draft'))).toBe(false);
  }, 300_000);

  it('has no proofs for licenses that are in a log which ended at a restore, and no file is written', async () => {
    rmSync(other.anchor);
    rmSync(`${other.anchor}.guard`, { recursive: true, force: true });
    await there.succeed(there.run('ledger', 'restore', '--lost-anchor', '--skip', '5'));
    // The new log has as many leaves: what is missing is not only the place in it.
    for (const customer of ['gamma', 'delta']) await issueThere(customer);
    const out = there.file('signed.json');
    const done = await there.runOpen('rotation', 'signed-by', 'license-1', '--out', out);
    expect([done.code, done.stderr]).toEqual([
      3,
      expect.stringMatching(/the license [0-9a-f-]{36} is in a log that ended when the ledger was restored/),
    ]);
    expect(done.stderr).toContain('reissue it with another key: vtlic renew');
    expect(existsSync(out)).toBe(false);
  }, 300_000);

  it('is revoked with the licenses honored that the log of its ledger proves, and the record says so', async () => {
    const thief = armor('VTLIC', await forged());
    expect([...licenses.map((file) => judge(readFileSync(file))), judge(thief)]).toEqual([
      'active',
      'active',
      'active',
    ]);
    const honor = ['--honor', await signedBy(), '--log-key', logKey];
    const draft = await acts.succeed(acts.run('rotation', 'revoke', kid, ...honor));
    const signatures = [await acts.sign(draft, 'root-1'), await acts.sign(draft, 'root-2')];
    const unproved = await acts.run('keyset', 'publish', draft, ...signatures);
    expect([unproved.code, unproved.stderr]).toEqual([3, expect.stringContaining('not of a license in this ledger')]);
    await acts.succeed(acts.run('keyset', 'publish', draft, ...signatures, ...honor));
    expect([...licenses.map((file) => judge(readFileSync(file))), judge(thief)]).toEqual([
      'active',
      'active',
      'key_revoked',
    ]);
    const shown = await acts.succeed(acts.run('keyset', 'show'));
    expect(shown).toMatch(
      new RegExp(`honored of the key ${kid}: 2 licenses, which the log example-vendor/vtlic-ledger/`),
    );
  }, 300_000);

  it('is not revoked with what its thief signed, nor with what another log, key or file says', async () => {
    const file = await signedBy();
    const thief = encodeBase64(await forged());
    const foreignLog = await acts.succeed(
      (await addKey(fixture, 'log-9', 'ledger'), acts.run('ledger', 'checkpoint', '--log-key')),
    );
    const first = (signed: Signed): Signed['licenses'][number] => signed.licenses[0] ?? { license: '', proof: '' };
    const cases: readonly (readonly [string, string, string])[] = [
      [
        withChanges(file, (signed) => ({ ...signed, licenses: [{ ...first(signed), license: thief }] })),
        logKey,
        'license 1 of the file does not count',
      ],
      [file, foreignLog, 'license 1 of the file does not count'],
    ];
    for (const [changed, trusted, words] of cases) {
      const done = await acts.run('rotation', 'revoke', kid, '--honor', changed, '--log-key', trusted);
      expect([done.code, done.stderr]).toEqual([19, expect.stringContaining(words)]);
    }
    const swapped = withChanges(file, (signed) => ({
      ...signed,
      licenses: signed.licenses.map(({ license }, i) => ({ license, proof: signed.licenses[1 - i]?.proof ?? '' })),
    }));
    const mixed = await acts.run('rotation', 'revoke', kid, '--honor', swapped, '--log-key', logKey);
    expect([mixed.code, mixed.stderr]).toEqual([19, expect.stringContaining('does not count')]);
    const refusals: readonly (readonly [readonly string[], number, string])[] = [
      [['revoke', kid, '--honor', file], 2, '--honor also needs --log-key'],
      [['revoke', kid, '--honor-nothing', '--honor', file, '--log-key', logKey], 2, 'contradict each other'],
      [['revoke', 'license-1', '--honor', file, '--log-key', logKey], 3, 'should be a key that is revoked'],
      [['revoke', kid, '--honor', acts.file('1.draft'), '--log-key', logKey], 3, 'should be "vtlic-signed-licenses/1"'],
    ];
    for (const [args, code, words] of refusals) {
      const done = await acts.run('rotation', ...args);
      expect([args, done.code, done.stderr]).toEqual([args, code, expect.stringContaining(words)]);
    }
  }, 300_000);
});
