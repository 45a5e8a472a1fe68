/** `vtlic keyset export`: each form is read back by what reads it in a product. */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Decoder } from 'cbor-x';
import { createLocalJWKSet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../formats/bytes.ts';
import { parsePublicKeys } from '../../keys/public/encodings/public-key-file.ts';
import { makeTrust, trustFromOverride } from '../../verifier/index.ts';
import { builtInChain } from '../../verifier/keyset/index.ts';
import { testKey } from '../../conformance/examples/keysets.ts';
import { FIRST_BLOCK, FORGED_BLOCK, PRODUCT_CHAIN } from '../support/product-chain.ts';
import { runHere, type RanHere } from '../support/run-here.ts';

const KEPT = ['issuing 1', 'composite 1', 'composite 2'].map((name) => testKey(name).publicKey);
const KIDS = KEPT.map(({ kid }) => kid).toSorted();
const REVOKED = testKey('issuing 2').publicKey.kid;

let folder: string;
const at = (name: string): string => join(folder, name);
const run = (...args: readonly string[]): Promise<RanHere> => runHere(['keyset', 'export', ...args], {});
const exported = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(at('chain.keyset'), ...args);
  expect([code, stderr]).toEqual([0, expect.stringContaining('version')]);
  return stdout;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-keyset-export-'));
  writeFileSync(at('chain.keyset'), PRODUCT_CHAIN);
  writeFileSync(at('forged.keyset'), Buffer.concat([FIRST_BLOCK, FORGED_BLOCK]));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('vtlic keyset export', () => {
  it('shows version, keys and the words of the payload, for a person who compares them', async () => {
    const { stderr } = await run(at('chain.keyset'), '--form', 'pem');
    for (const kid of KIDS) expect(stderr).toContain(kid);
    expect(stderr).toMatch(/^ {2}version {2,}7$/m);
    expect(stderr).toMatch(/^ {3}1 (?: [a-z]+){8}$/m);
    expect(stderr).not.toContain(REVOKED);
  });

  it('writes variables that give a product exactly the keys that are not revoked', async () => {
    const text = await exported('--form', 'env');
    const trust = trustFromOverride(parseEnv(text), makeTrust({ keys: [] }), (path) => readFileSync(path));
    expect(trust.keys.map(({ key }) => key.kid).toSorted()).toEqual(KIDS);
    for (const kid of KIDS) expect(text).toContain(`# ${kid}`);
  });

  it('leaves the variable of ML-DSA out where no key is a composite', async () => {
    writeFileSync(at('first.keyset'), FIRST_BLOCK);
    const { stdout } = await run(at('first.keyset'), '--form', 'env');
    expect(parseEnv(stdout)).toEqual({ LICENSE_PUBLIC_KEY: expect.stringMatching(/^.{43}=$/) as string });
  });

  it.each(['pem', 'jwks'])('writes %s that our reader of keys reads', async (form) => {
    const keys = parsePublicKeys(new TextEncoder().encode(await exported('--form', form)));
    expect(keys.map(({ kid }) => kid).toSorted()).toEqual(KIDS);
  });

  it('writes PEM with version and thumbprints before the blocks on request, which OpenSSL skips', async () => {
    const plain = await exported('--form', 'pem');
    const text = await exported('--form', 'pem', '--explain');
    expect(text).toMatch(
      /^Keys of example-vendor for licenses, from version 7 of its keysets\npayload SHA-256 [0-9a-f]{64}\n/,
    );
    for (const kid of KIDS) expect(text).toContain(`\nkey ${kid}\n`);
    const block = /-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n/g;
    expect((text.match(block) ?? []).join('')).toBe(plain);
    // Each block with the text before it, as a reader of one key sees it.
    const parts = text.split(/(?<=-----END PUBLIC KEY-----\n)/);
    expect(parts.map((part) => createPublicKey(part).asymmetricKeyType)).toEqual([
      'ed25519',
      'ml-dsa-65',
      'ed25519',
      'ml-dsa-65',
      'ed25519',
    ]);
    const refused = await run(at('chain.keyset'), '--form', 'env', '--explain');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--explain is for the form pem')]);
  });

  it('writes a JWK Set that another library takes, with the kid and the version', async () => {
    const set: unknown = JSON.parse(await exported('--form', 'jwks'));
    expect(set).toMatchObject({ iss: 'example-vendor', keyset_version: 7 });
    const find = createLocalJWKSet(set as Parameters<typeof createLocalJWKSet>[0]);
    const found = await find({ alg: 'EdDSA', kid: KEPT[0]?.kid ?? '' });
    expect(found.type).toBe('public');
  });

  it('writes a COSE_KeySet that another decoder reads', async () => {
    await exported('--form', 'cose', '--out', at('keys.cose'));
    const set: unknown = new Decoder({ mapsAsObjects: false }).decode(readFileSync(at('keys.cose')));
    expect(Array.isArray(set) && set.map((key: unknown) => key instanceof Map && hexOf(key.get(2))).toSorted()).toEqual(
      KIDS,
    );
    const versions = Array.isArray(set)
      ? set.map((key: unknown) => key instanceof Map && (key.get('keyset_version') as unknown))
      : [];
    expect(versions).toEqual([7, 7, 7]);
  });

  it('writes the chain itself, byte for byte', async () => {
    expect(await exported('--form', 'chain')).toBe(new TextDecoder().decode(PRODUCT_CHAIN));
  });

  it('writes TypeScript that Node runs, with a chain that a product builds in', async () => {
    const { code, stdout } = await run(at('chain.keyset'), '--form', 'typescript', '--out', at('keys.ts'));
    expect([code, stdout]).toEqual([0, '']);
    writeFileSync(at('main.ts'), "import * as keys from './keys.ts';\nprocess.stdout.write(JSON.stringify(keys));\n");
    const keys: unknown = JSON.parse(execFileSync(process.execPath, [at('main.ts')], { encoding: 'utf8' }));
    expect(keys).toMatchObject({
      ISSUER: 'example-vendor',
      KEYSET_VERSION: 7,
      KEYS: [
        { kid: KEPT[0]?.kid, status: 'retired', mldsa65: '', products: [] },
        { status: expect.any(String) as string, mldsa65: expect.stringMatching(/^.{2604}$/) as string },
        { status: expect.any(String) as string },
      ],
    });
    const { KEYSET_CHAIN } = keys as { readonly KEYSET_CHAIN: string };
    expect(builtInChain(new TextEncoder().encode(KEYSET_CHAIN), { issuer: 'example-vendor' }).newest.version).toBe(7);
  });
});

describe('vtlic keyset export refuses', () => {
  it('a chain whose second version does not follow from the first, and writes nothing', async () => {
    const { code, stdout, stderr } = await run(at('forged.keyset'), '--form', 'env', '--out', at('not-made'));
    expect([code, stdout]).toEqual([19, '']);
    expect(stderr).toContain('forged.keyset');
    expect(stderr).toContain('not signed by enough root keys');
    expect(existsSync(at('not-made'))).toBe(false);
  });

  it.each([
    ['a package for a form that has none', ['--form', 'env', '--package', 'keys'], 'has no package'],
    ['a package for Python', ['--form', 'python', '--package', 'keys'], 'has no package'],
    ['a package that is code', ['--form', 'java', '--package', 'a; class X'], '--package should be a name'],
    ['a package with a dot for Go', ['--form', 'go', '--package', 'a.b'], '--package should be a name'],
    ['a form that there is not', ['--form', 'cobol'], 'expected one of: chain, env'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await run(at('chain.keyset'), ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('to replace a file', async () => {
    writeFileSync(at('there.go'), 'precious');
    const { code } = await run(at('chain.keyset'), '--form', 'go', '--out', at('there.go'));
    expect([code, readFileSync(at('there.go'), 'utf8')]).toEqual([11, 'precious']);
  });
});

function hexOf(value: unknown): string {
  return value instanceof Uint8Array ? toHex(value) : '';
}
