/** `preview`: what an installation would do, found out without changing anything. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { LiveLicense } from '../../../../verifier/runtime/index.ts';
import { EXP, licenseFile, licenseFileOf, NBF, strangeKey } from '../sample.ts';
import { DAY, listen, Product, textOf } from './product.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.remove());

/** Everything that an installation changes. */
function everything(license: LiveLicense): unknown {
  const { refusals: _refusals, ...view } = license.view();
  return { view, file: product.file(), state: readFileSync(product.statePath).toString('hex') };
}

describe('a preview', () => {
  const CASES: readonly (readonly [what: string, make: () => Promise<Uint8Array>])[] = [
    ['a renewal', () => licenseFile({ ctr: 8 })],
    ['a renewal that has to wait', () => licenseFile({ ctr: 8, nbf: NBF + DAY })],
    ['the license that is here', () => licenseFile({ ctr: 7 })],
    ['one that is rolled back', () => licenseFile({ ctr: 6 })],
    ['one with the same counter', () => licenseFile({ ctr: 7, seats: 999 })],
    ['one by a key that is not trusted', () => licenseFile({ ctr: 8 }, strangeKey)],
    ['one that is forged', () => licenseFile({ ctr: 8 }, undefined, { signature: (bytes) => bytes.map((b) => b ^ 1) })],
    ['one for another product', () => licenseFile({ ctr: 8, aud: 'another' })],
    ['one that lapsed', () => licenseFile({ ctr: 8, iat: NBF - 9 * DAY, nbf: NBF - 9 * DAY, exp: NBF - 8 * DAY })],
    ['nothing', () => Promise.resolve(new Uint8Array())],
    ['nonsense', () => Promise.resolve(Buffer.from('nonsense'))],
    ['keysets, where keys are built in', () => Promise.resolve(keysetBlock({ version: 1, roots: ['root'] }, ['root']))],
  ];

  it.each(CASES)('of %s says what the installation says after it, and changes nothing', async (_what, make) => {
    await product.dropLicense({ ctr: 7 });
    const license = await product.start();
    const before = everything(license);
    const text = textOf(await make());
    const preview = await license.preview(text);
    expect(everything(license)).toEqual(before);
    const installed = await license.install(text);
    if (installed.ok) expect(preview).toMatchObject({ ok: true, outcome: installed.outcome });
    else expect(preview).toEqual(installed);
  });

  it('has the facts of the license for an operator', async () => {
    await product.dropLicense({ ctr: 7 });
    const license = await product.start({ defaultGrace: DAY, buildDate: NBF });
    const file = await licenseFile({
      ctr: 8,
      name: 'A\u202eB',
      use: 'trial',
      upd: EXP,
      instances: 3,
      seats: 'unlimited',
    });
    const preview = await license.preview(textOf(file));
    expect(preview).toMatchObject({ ok: true, outcome: 'in_force', graceUntil: EXP + DAY });
    expect(preview.ok && preview.license).toMatchObject({
      name: 'A\\u{202E}B',
      use: 'trial',
      updatesUntil: EXP,
      instances: 3,
      seats: 'unlimited',
      features: ['audit-export', 'sso'],
    });
  });

  it('that is refused counts as a refusal, with its time and reason, as an installation does', async () => {
    await product.dropLicense({ ctr: 7 });
    const license = await product.start();
    const heard = listen(license);
    expect(license.view().refusals).toEqual({ count: 0 });
    await license.preview('nonsense');
    await product.pass(60, license);
    await license.install(textOf(await licenseFile({ ctr: 6 })));
    expect(heard).toEqual(['refused armor_malformed', 'refused counter_rolled_back']);
    expect(license.view().refusals).toMatchObject({
      count: 2,
      last: { at: NBF + 60, notice: { code: 'counter_rolled_back' } },
    });
  });

  it('of keysets with a license judges the license by them, and takes neither', async () => {
    const version = (number: number, key: string): Uint8Array =>
      keysetBlock(
        { version: number, roots: ['root'], keys: [issuingKey('old key'), ...(key === '' ? [] : [issuingKey(key)])] },
        ['root'],
      );
    product.drop(licenseFileOf(testKey('old key')));
    const license = await product.start({ keys: builtInChain(version(1, ''), { issuer: KEYSET_ISSUER }) });
    const renewal = textOf(licenseFileOf(testKey('new key'), { ctr: 8, seats: 400 }));
    const keyset = textOf(version(2, 'new key'));
    const before = everything(license);
    expect(await license.preview(renewal)).toMatchObject({ ok: false, refusal: { code: 'key_unknown' } });
    expect(await license.preview(`${keyset}${renewal}`)).toMatchObject({
      ok: true,
      outcome: 'in_force',
      keysetVersion: 2,
      license: { seats: 400 },
    });
    expect(await license.preview(keyset)).toEqual({ ok: true, outcome: 'keyset', keysetVersion: 2 });
    expect(await license.preview(keyset.replace(/\n.{9}/, '\nAAAAAAAAA'))).toMatchObject({ ok: false });
    expect(everything(license)).toEqual(before);
    expect(await license.install(`${renewal}${keyset}`)).toEqual({ ok: true, outcome: 'in_force' });
    expect(license.view().keysetVersion).toBe(2);
  });

  it.each([
    ['the license is in a variable', { LICENSE_TEXT: '', LICENSE_PATH: '' }, 'install_not_possible'],
    ['nothing comes from a file', { DEPLOYMENT_MODE: 'saas' }, 'install_not_possible'],
  ])('is refused as an installation is where %s', async (_what, variables, code) => {
    const file = textOf(await product.dropLicense({ ctr: 7 }));
    const { environment } = product.options();
    const text = 'LICENSE_TEXT' in variables ? { LICENSE_TEXT: file } : {};
    const license = await product.start({ environment: { ...environment, ...variables, ...text } });
    expect(await license.preview(textOf(await licenseFile({ ctr: 8 })))).toMatchObject({
      ok: false,
      refusal: { code },
    });
  });
});
