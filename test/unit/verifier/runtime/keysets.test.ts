/** Keysets in a running product: from the state, from a file, and pasted with a license. */
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import type { License } from '../../../../formats/license/license.ts';
import { sha256Hex } from '../../../../files/index.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { LicenseOptions } from '../../../../verifier/runtime/index.ts';
import { decodeState } from '../../../../verifier/runtime/state-document.ts';
import {
  issuingKey,
  KEYSET_ISSUER,
  keysetBlock,
  testKey,
  type KeysetValues,
} from '../../../../conformance/examples/keysets.ts';
import { EXP, license, licenseFileOf, NBF } from '../sample.ts';
import { DAY, listen, Product, textOf } from './product.ts';

const ROOTS = ['root a', 'root b'];
const first: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('old key')] };
const versionOf = (version: number, changes: Partial<KeysetValues> = {}): Uint8Array =>
  keysetBlock({ ...first, ...changes, version }, ROOTS);
const withNewKey = versionOf(2, { keys: [issuingKey('old key', { status: 'retired' }), issuingKey('new key')] });
const licenseBy = (key: string, changes: Partial<License> = {}): Uint8Array => licenseFileOf(testKey(key), changes);

let product: Product;
let options: Partial<LicenseOptions>;
let keysetPath: string;
beforeEach(() => {
  product = new Product();
  keysetPath = join(product.folder, 'chain.keyset');
  options = {
    keys: builtInChain(versionOf(1), { issuer: KEYSET_ISSUER }),
    environment: { ...product.options().environment, LICENSE_KEYSET_PATH: keysetPath },
  };
});
afterEach(async () => {
  await product.remove();
});

async function startWithOldKey(): ReturnType<Product['start']> {
  product.drop(licenseBy('old key'));
  return product.start(options);
}

function versionInState(): number | undefined {
  const decoded = decodeState(readFileSync(product.statePath));
  return decoded.ok ? decoded.state.keyset?.version : undefined;
}

describe('a license that comes too early, after the one before was taken out of force', () => {
  const newKey = issuingKey('new key');
  const revokedKey = versionOf(2, { keys: [issuingKey('old key', { status: 'revoked' }), newKey] });
  const revokedLicense = versionOf(2, { keys: [issuingKey('old key'), newKey], revokedLicenses: [license.cti] });
  const renewal = licenseBy('new key', {
    ctr: 8,
    nbf: NBF + DAY,
    iat: NBF,
    cti: '0193817a-6c00-7000-8000-000000000002',
  });
  const CODES = ['not_yet_valid', 'renewal_waits', 'kept_license_unusable'];
  const faultsOf = (running: Awaited<ReturnType<Product['start']>>): readonly unknown[] =>
    running
      .view()
      .warnings.filter(({ code }) => CODES.includes(code))
      .map(({ code, values }) => [code, values['reason']]);

  it.each([
    ['key_revoked', revokedKey, 'not_yet_valid'],
    ['license_revoked', revokedLicense, 'renewal_waits'],
  ])('is named at a start together with %s, until its day', async (reason, keyset, code) => {
    await (await startWithOldKey()).close();
    writeFileSync(keysetPath, keyset);
    product.drop(renewal);
    const running = await product.start(options);
    const both = [
      [code, undefined],
      ['kept_license_unusable', reason],
    ];
    expect([running.state, faultsOf(running)]).toEqual(['free_tier', both]);
    await running.refresh();
    expect(faultsOf(running)).toEqual(both);
    await product.pass(DAY, running);
    expect([running.state, faultsOf(running)]).toEqual(['active', []]);
  });

  it('is taken for later while the product runs, and named together with the reason', async () => {
    const running = await startWithOldKey();
    writeFileSync(keysetPath, revokedLicense);
    await running.refresh();
    expect(running.state).toBe('free_tier');
    expect(await running.install(textOf(renewal))).toMatchObject({ ok: true, outcome: 'waiting' });
    const both = [
      ['renewal_waits', undefined],
      ['kept_license_unusable', 'license_revoked'],
    ];
    expect(faultsOf(running)).toEqual(both);
    await running.refresh();
    expect(faultsOf(running)).toEqual(both);
  });

  it('is refused with both reasons where no counter counts any more', async () => {
    const running = await startWithOldKey();
    writeFileSync(keysetPath, revokedKey);
    await running.refresh();
    const detail = expect.stringMatching(/^it is in force from .* is not in force either: key_revoked: /) as unknown;
    expect(await running.install(textOf(renewal))).toMatchObject({
      ok: false,
      refusal: { code: 'not_yet_valid', detail },
    });
  });
});

describe('a keyset in the file of LICENSE_KEYSET_PATH', () => {
  it('brings a new key while the product runs, and stays in the state when the file is gone', async () => {
    const running = await startWithOldKey();
    expect(versionInState()).toBe(1);
    product.drop(licenseBy('new key', { ctr: 8, tier: 'renewed' }));
    await running.refresh();
    expect(running.view().warnings.map(({ code }) => code)).toContain('key_unknown');
    writeFileSync(keysetPath, withNewKey);
    await running.refresh();
    expect(running.entitlements?.tier).toBe('renewed');
    expect(versionInState()).toBe(2);
    await running.close();
    writeFileSync(keysetPath, '');
    expect((await product.start(options)).entitlements?.tier).toBe('renewed');
  });

  it('ignores a damaged, older or conflicting keyset with a warning, also in production', async () => {
    product.drop(licenseBy('old key'));
    writeFileSync(keysetPath, withNewKey);
    await (await product.start(options)).close();
    const cases: readonly (readonly [string | Uint8Array, string])[] = [
      ['half a file', 'keyset_armor_malformed'],
      [versionOf(1), 'keyset_older'],
      [versionOf(2, { revokedLicenses: [license.cti] }), 'keyset_conflict'],
    ];
    for (const [content, code] of cases) {
      writeFileSync(keysetPath, content);
      const running = await product.start(options);
      expect(running.state).toBe('active');
      expect(running.view().warnings.map((warning) => warning.code)).toContain(code);
      await running.close();
    }
    expect(versionInState()).toBe(2);
  });
});

describe('a product into which composite is compiled', () => {
  const ALL = ['root a', 'root b', 'composite root 1', 'composite root 2'];
  const mixed = { ...first, roots: ALL, keys: [issuingKey('composite issuing')] };

  it('takes no keyset that Ed25519 roots only signed, from a file, pasted or from the state', async () => {
    const keys = builtInChain(keysetBlock({ ...mixed, version: 1 }, ALL), { issuer: KEYSET_ISSUER });
    const composite = { ...options, keys, compiledIn: { requireComposite: true } } as const;
    product.drop(licenseBy('composite issuing'));
    const stolen = [...mixed.keys, issuingKey('composite evil')];
    const forged = keysetBlock({ ...mixed, keys: stolen, version: 2 }, ROOTS);
    writeFileSync(keysetPath, forged);
    await (await product.start({ ...options, keys })).close();
    expect(versionInState()).toBe(2);
    const running = await product.start(composite);
    const codes = running.view().warnings.map(({ code }) => code);
    expect(codes.filter((code) => code === 'keyset_threshold_previous')).toHaveLength(2);
    const evil = textOf(licenseBy('composite evil', { ctr: 8 }));
    expect(await running.install(evil)).toMatchObject({ ok: false, refusal: { code: 'key_unknown' } });
    expect(await running.install(`${textOf(forged)}${evil}`)).toMatchObject({
      ok: false,
      refusal: { code: 'keyset_threshold_previous' },
    });
    const honest = keysetBlock({ ...mixed, keys: stolen, version: 3 }, ALL);
    expect(await running.install(textOf(honest))).toEqual({ ok: true, outcome: 'keyset' });
  });
});

describe('keysets that are pasted', () => {
  it('are taken first, before the license beside them, in any order', async () => {
    const running = await startWithOldKey();
    const renewal = textOf(licenseBy('new key', { ctr: 8, tier: 'renewed' }));
    expect(await running.install(renewal)).toMatchObject({ ok: false, refusal: { code: 'key_unknown' } });
    expect(await running.install(`${renewal}\r\n${textOf(withNewKey)}`)).toEqual({ ok: true, outcome: 'in_force' });
    expect(product.file()).toBe(renewal.trim());
    expect(running.entitlements?.tier).toBe('renewed');
    expect(versionInState()).toBe(2);
  });

  it('may come alone, also where no license can be installed', async () => {
    const text = textOf(licenseBy('old key'));
    const { LICENSE_PATH: _path, ...environment } = product.options().environment;
    const running = await product.start({ ...options, environment: { ...environment, LICENSE_TEXT: text } });
    expect(await running.install(textOf(withNewKey))).toEqual({ ok: true, outcome: 'keyset' });
    expect(versionInState()).toBe(2);
    expect(await running.install(text)).toMatchObject({ ok: false, refusal: { code: 'install_not_possible' } });
  });

  it('keysets that not enough roots signed refuse the whole installation, and change nothing', async () => {
    const running = await startWithOldKey();
    const before = product.file();
    const weak = keysetBlock({ ...first, version: 2, keys: [issuingKey('old key'), issuingKey('evil key')] }, [
      'root a',
    ]);
    const pasted = `${textOf(weak)}${textOf(licenseBy('evil key', { ctr: 8 }))}`;
    expect(await running.install(pasted)).toMatchObject({
      ok: false,
      refusal: { code: 'keyset_threshold_previous' },
    });
    expect(product.file()).toBe(before);
    expect(versionInState()).toBe(1);
  });
});

describe('a key that was', () => {
  it('a key that was lost is retired, and its licenses go on', async () => {
    const running = await startWithOldKey();
    writeFileSync(keysetPath, withNewKey);
    await running.refresh();
    expect(running.state).toBe('active');
  });

  it('revokes a stolen key: its licenses end in a running product, and one by the spare counts again', async () => {
    const running = await startWithOldKey();
    const heard = listen(running);
    const forged = { ctr: Number.MAX_SAFE_INTEGER, seats: 9999 };
    product.drop(licenseBy('old key', forged));
    await running.refresh();
    expect(running.entitlements?.seats).toBe(9999);
    const keys = [issuingKey('old key', { status: 'revoked' }), issuingKey('new key')];
    writeFileSync(keysetPath, versionOf(2, { keys }));
    await running.refresh();
    expect(running.state).toBe('free_tier');
    expect(heard).toContain('warning key_revoked');
    const result = await running.install(textOf(licenseBy('new key', { ctr: 8, tier: 'reissued' })));
    expect(result).toEqual({ ok: true, outcome: 'in_force' });
    expect(running.entitlements?.tier).toBe('reissued');
  });

  it('stays revoked in a running product whose keyset file goes away while the state cannot be reached', async () => {
    const running = await startWithOldKey();
    rmSync(product.statePath);
    mkdirSync(product.statePath);
    writeFileSync(keysetPath, versionOf(2, { keys: [issuingKey('old key', { status: 'revoked' })] }));
    await running.refresh();
    expect(running.state).toBe('free_tier');
    rmSync(keysetPath);
    await running.refresh();
    expect(running.state).toBe('free_tier');
    rmdirSync(product.statePath);
    await product.pass(600, running);
    expect(versionInState()).toBe(2);
  });

  it("is reissued a license, though a thief's license with clk set the time to a day when all have lapsed", async () => {
    const running = await startWithOldKey();
    const late = { clk: true, iat: EXP + 80 * 365 * DAY, nbf: NBF, exp: EXP + 90 * 365 * DAY } as const;
    product.drop(licenseBy('old key', { ...late, ctr: Number.MAX_SAFE_INTEGER, tier: 'forged' }));
    await running.refresh();
    expect(running.entitlements?.tier).toBe('forged');
    const keys = [issuingKey('old key', { status: 'revoked' }), issuingKey('new key')];
    const pasted = `${textOf(versionOf(2, { keys }))}${textOf(licenseBy('new key', { ctr: 8, tier: 'reissued' }))}`;
    expect(await running.install(pasted)).toEqual({ ok: true, outcome: 'in_force' });
    for (let minutes = 0; minutes < 12; minutes++) await product.pass(60, running);
    expect(running.entitlements?.tier).toBe('reissued');
    await running.close();
    expect((await product.start(options)).entitlements?.tier).toBe('reissued');
    product.clock = EXP;
    expect((await product.start(options)).state).toBe('free_tier');
  });

  it('asks the product once about an honored license, also after a forgery with a higher counter', async () => {
    const asked: number[] = [];
    const hooks = { ...options, beforeCommit: (_: unknown, next: License) => void asked.push(next.ctr) };
    product.drop(licenseBy('old key'));
    const honest = product.file();
    const running = await product.start(hooks);
    product.drop(licenseBy('old key', { ctr: Number.MAX_SAFE_INTEGER }));
    await running.refresh();
    product.drop(honest);
    const honored = [sha256Hex(encodeLicense(license))];
    const keys = [issuingKey('old key', { status: 'revoked', honored }), issuingKey('new key')];
    writeFileSync(keysetPath, versionOf(2, { keys }));
    for (let minutes = 0; minutes < 5; minutes++) await product.pass(60, running);
    expect(running.view().license?.counter).toBe(license.ctr);
    expect(asked).toEqual([license.ctr, Number.MAX_SAFE_INTEGER, license.ctr]);
  });

  it('a stolen key leaves in force what the vendor honors', async () => {
    const running = await startWithOldKey();
    const honored = [sha256Hex(encodeLicense(license))];
    const keys = [issuingKey('old key', { status: 'revoked', honored }), issuingKey('new key')];
    writeFileSync(keysetPath, versionOf(2, { keys }));
    await running.refresh();
    expect(running.state).toBe('active');
    await running.close();
    expect((await product.start(options)).state).toBe('active');
    const forged = textOf(licenseBy('old key', { ctr: 8 }));
    const refused = await (await product.start(options)).install(forged);
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'key_revoked' } });
  });
});

describe('an override', () => {
  it('replaces the issuing keys, and cannot shake off what a keyset revoked', async () => {
    const own = testKey('own key').publicKey;
    const at = (key: Uint8Array): Partial<LicenseOptions> => ({
      ...options,
      environment: { ...options.environment, LICENSE_PUBLIC_KEY: Buffer.from(key).toString('base64') },
    });
    product.drop(licenseBy('own key'));
    expect((await product.start(at(own.bytes))).state).toBe('active');
    product.drop(licenseBy('old key', { ctr: 8 }));
    expect((await product.refusal(at(own.bytes))).code).toBe('key_unknown');
    writeFileSync(keysetPath, versionOf(2, { keys: [issuingKey('old key', { status: 'revoked' })] }));
    const running = await product.start(at(testKey('old key').publicKey.bytes));
    expect(running.state).toBe('free_tier');
    expect(running.view().warnings.map(({ code }) => code)).toContain('key_revoked');
  });
});
