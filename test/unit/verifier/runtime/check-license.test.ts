/** What a start would do, found out without changing anything. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import {
  checkLicense,
  memoryStore,
  type LicenseCheck,
  type LicenseOptions,
  type Notice,
  type StateStore,
} from '../../../../verifier/runtime/index.ts';
import { EXP, licenseFile, licenseFileOf, NBF } from '../sample.ts';
import { FREE_TIER, Product, textOf } from './product.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.remove());

const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const told = ({ view, refusal }: LicenseCheck): unknown => ({
  state: view.state,
  refusal: refusal && said(refusal),
  warnings: view.warnings.map(said),
  installFault: view.installFault && said(view.installFault),
});
const check = async (changes: Partial<LicenseOptions> = {}): Promise<unknown> =>
  told(await checkLicense(product.options(changes)));
const withVariables = (variables: Readonly<Record<string, string>>): Partial<LicenseOptions> => ({
  environment: { ...product.options().environment, ...variables },
});

/** A store whose copy is read as `read` says, and which writes down what is called. */
const spied = (name: string, changes: Partial<StateStore>): StateStore => ({ ...memoryStore(), name, ...changes });
const inMemory = (...stores: StateStore[]): Partial<LicenseOptions> => ({
  ...withVariables({ LICENSE_STATE_PATH: '' }),
  stores,
});

describe('a check', () => {
  it('of a license in force has the view of a start, and makes no file', async () => {
    await product.dropLicense();
    const { view, refusal } = await checkLicense(product.options());
    expect([refusal, view.warnings, view.installFault]).toEqual([undefined, [], undefined]);
    expect(view).toStrictEqual({
      state: 'active',
      entitlements: (await product.start()).entitlements,
      license: expect.objectContaining({ counter: 7 }) as unknown,
      daysToExpiry: 365,
      graceUntil: EXP,
      nextChange: EXP,
      warnings: [],
      place: `the file ${product.path}`,
      location: { kind: 'file', path: product.path },
      judgedAt: NBF,
      refusals: { count: 0 },
    });
  });

  it('changes no file, also where a license is new, and is frozen', async () => {
    await (await product.start({ production: false })).close();
    const before = readFileSync(product.statePath);
    await product.dropLicense();
    const files = readdirSync(product.folder);
    const checked = await checkLicense(product.options());
    expect([Object.isFrozen(checked), checked.view.state]).toEqual([true, 'active']);
    expect(checked).not.toHaveProperty('refusal');
    expect(readFileSync(product.statePath)).toEqual(before);
    expect(readdirSync(product.folder)).toEqual(files);
  });

  it('in the mode saas has no license and no refusal', async () => {
    const { view, ...rest } = await checkLicense(product.options(withVariables({ DEPLOYMENT_MODE: 'saas' })));
    expect([view.state, view.entitlements, view.warnings, rest]).toEqual(['not_applicable', undefined, [], {}]);
  });

  it('is refused where production would not start, and has the free tier elsewhere', async () => {
    const gone = `file_missing: ${product.path}: there is no such file or folder`;
    const rest = { state: 'free_tier', warnings: [gone], installFault: undefined };
    expect(await check()).toEqual({ ...rest, refusal: gone });
    expect(await check({ production: false })).toEqual({ ...rest, refusal: undefined });
    expect((await checkLicense(product.options())).view.entitlements).toMatchObject(FREE_TIER);
  });

  it('says that the state is in memory only where the product starts without a durable one', async () => {
    await product.dropLicense();
    const none = 'LICENSE_STATE_PATH is not set, and there is no other store';
    const fault = `state_unwritable: ${none}`;
    expect(await check(withVariables({ LICENSE_STATE_PATH: '' }))).toEqual({
      state: 'active',
      refusal: fault,
      warnings: [fault],
      installFault: fault,
    });
    expect(await check({ ...withVariables({ LICENSE_STATE_PATH: '' }), production: false })).toEqual({
      state: 'active',
      refusal: undefined,
      warnings: [fault, `state_not_durable: ${none}`],
      installFault: fault,
    });
  });

  it('names a copy that is damaged before asking whether the state can be written', async () => {
    await product.dropLicense();
    writeFileSync(product.statePath, 'damaged');
    expect(await check()).toMatchObject({
      refusal: `state_corrupt: the file ${product.statePath}: it does not begin as a state does`,
    });
  });

  it('names the first store that takes no state, unless another one does', async () => {
    await product.dropLicense();
    const away = join(product.folder, 'unmounted', 'state');
    const full = spied('full', { writeFault: () => Promise.resolve('no space') });
    expect(await check({ ...withVariables({ LICENSE_STATE_PATH: away }), stores: [full] })).toMatchObject({
      refusal: expect.stringContaining(`state_unwritable: the file ${away}: `) as string,
    });
    expect(await check(inMemory(full, spied('full too', full)))).toMatchObject({
      refusal: 'state_unwritable: full: no space',
    });
    expect(await check(inMemory(full, memoryStore()))).toMatchObject({ refusal: undefined, warnings: [] });
  });

  it('says once what several stores say alike', async () => {
    await product.dropLicense();
    const read = (): Promise<never> => Promise.reject(new Error('no route'));
    const store = memoryStore();
    await store.write(readFileSync(await stateFile()), undefined);
    expect(await check(inMemory(spied('away', { read }), spied('away', { read }), store))).toMatchObject({
      warnings: ['state_store_unreachable: away: no route'],
    });
  });

  it('reads a copy without making anything where the store can do so, and closes the stores', async () => {
    await product.dropLicense({ ctr: 6 });
    const document = readFileSync(await stateFile(8));
    const calls: string[] = [];
    const copy = (call: string) => () => {
      calls.push(call);
      return Promise.resolve({ document, tag: '1' });
    };
    const noClose = spied('a', { read: copy('read a') });
    const store = spied('b', {
      read: copy('read b'),
      peek: copy('peek b'),
      close: () => {
        calls.push('close b');
        return Promise.resolve();
      },
    });
    expect(await check(inMemory(noClose, store))).toMatchObject({
      refusal: 'counter_rolled_back: its counter is 6, and 8 was accepted before',
    });
    expect(calls.toSorted()).toEqual(['close b', 'peek b', 'read a']);
  });

  it('says why nothing can be installed, before what is wrong with the state', async () => {
    const LICENSE_TEXT = textOf(await licenseFile());
    expect(await check(withVariables({ LICENSE_PATH: '', LICENSE_TEXT, LICENSE_STATE_PATH: '' }))).toMatchObject({
      installFault: 'install_not_possible: the license is in the variable LICENSE_TEXT',
    });
  });

  it('lets the kept license serve where the product chose so', async () => {
    await product.dropLicense();
    await (await product.start()).close();
    await product.dropLicense({ ctr: 6 });
    expect(await check({ fallback: 'kept' })).toMatchObject({ state: 'active', refusal: undefined });
    expect(await check()).toMatchObject({ state: 'free_tier' });
  });

  it('judges by the keysets of state and file, and says which of them cannot be used', async () => {
    const version = (number: number, ...keys: string[]): Uint8Array =>
      keysetBlock({ version: number, roots: ['root'], keys: keys.map((name) => issuingKey(name)) }, ['root']);
    const keysetPath = join(product.folder, 'keyset');
    const keys = builtInChain(version(1, 'old key'), { issuer: KEYSET_ISSUER });
    const options = { ...withVariables({ LICENSE_KEYSET_PATH: keysetPath }), keys };
    product.drop(licenseFileOf(testKey('new key')));
    const gone = `keyset_file_unusable: ${keysetPath}: there is no such file or folder`;
    const { view } = await checkLicense(product.options({ ...options, production: false }));
    expect([view.keysetVersion, view.warnings.map(({ code }) => code)]).toEqual([
      1,
      ['key_unknown', 'keyset_file_unusable'],
    ]);
    expect(view.warnings.map(said)).toContain(gone);
    writeFileSync(keysetPath, version(2, 'old key', 'new key'));
    expect((await checkLicense(product.options(options))).view).toMatchObject({ state: 'active', keysetVersion: 2 });
    await (await product.start(options)).close();
    writeFileSync(keysetPath, '');
    expect((await checkLicense(product.options(options))).view).toMatchObject({ state: 'active', keysetVersion: 2 });
  });
});

/** The state of a product that accepted a license with this counter, in its file. */
async function stateFile(ctr = 7): Promise<string> {
  const other = new Product();
  await other.dropLicense({ ctr });
  await (await other.start()).close();
  const copy = join(product.folder, `state of ${ctr}`);
  writeFileSync(copy, readFileSync(other.statePath));
  await other.remove();
  expect(existsSync(other.folder)).toBe(false);
  return copy;
}
