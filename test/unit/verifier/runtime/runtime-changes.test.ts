/** A changed file, an installation and new keysets in a running product, with all that it says. */
import { copyFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import { memoryStore, type LicenseOptions } from '../../../../verifier/runtime/index.ts';
import { encodeState } from '../../../../verifier/runtime/state-document.ts';
import { EMPTY_STATE } from '../../../../verifier/runtime/state.ts';
import { IAT, licenseFile, licenseFileOf, NBF, strangeKey } from '../sample.ts';
import { first, made, renewal, RENEWAL_NBF } from './judged.ts';
import { DAY, textOf } from './product.ts';
import { CREATED, failing, listenTo, RunningProduct, warnings } from './running-product.ts';

let product: RunningProduct;
beforeEach(() => {
  product = new RunningProduct();
});
afterEach(() => product.remove());

describe('a file that changed', () => {
  it('is judged once, and refused once, however often it is touched', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    product.drop(await licenseFile({ ctr: 8 }, strangeKey));
    await license.refresh();
    const unknown = `key_unknown: the key ${strangeKey.publicKey.kid} is not among the trusted ones`;
    expect(heard()).toEqual([`refused ${unknown}`, `warning ${unknown}`]);
    for (const seconds of [1, 2]) {
      utimesSync(product.path, seconds, seconds);
      await license.refresh();
    }
    expect([heard(), license.view().refusals.count, warnings(license)]).toEqual([[], 1, [CREATED, unknown]]);
    expect(license.view().refusals.last).toMatchObject({ at: NBF, notice: { code: 'key_unknown' } });
    product.drop(first);
    await license.refresh();
    expect([heard(), warnings(license)]).toEqual([[], [CREATED]]);
  });

  it('is judged once, too, where nothing is in force', async () => {
    const license = await product.begin({ production: false });
    const heard = listenTo(license);
    await license.refresh();
    expect([heard(), license.view().refusals.count]).toEqual([[], 0]);
    product.drop('not a license');
    await license.refresh();
    expect(heard().map((text) => text.split(':')[0])).toEqual(['refused armor_malformed', 'warning armor_malformed']);
    await license.close();
    const again = await product.begin({ production: false });
    const heardAgain = listenTo(again);
    utimesSync(product.path, 5, 5);
    await again.refresh();
    expect([heardAgain(), again.view().refusals.count]).toEqual([[], 0]);
    rmSync(product.path);
    await again.refresh();
    expect(heardAgain().map((text) => text.split(':')[0])).toEqual(['refused file_missing', 'warning file_missing']);
  });

  it('is asked about again where the product did not take it, and what is in force stays', async () => {
    product.drop(first);
    let isReady = true;
    const beforeCommit = (): void => {
      if (!isReady) throw new Error('no room');
    };
    const license = await product.begin({ beforeCommit });
    const heard = listenTo(license);
    isReady = false;
    product.drop(await made({ ctr: 8 }));
    await license.refresh();
    expect([heard(), license.view().license?.counter]).toEqual([['warning commit_refused: no room'], 7]);
    await license.refresh();
    expect(heard()).toEqual([]);
    isReady = true;
    await license.refresh();
    expect([heard(), warnings(license)]).toEqual([['change active 8'], [CREATED]]);
  });

  it('that lapsed is refused as useless, and stays named beside what is in force', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    product.drop(await made({ ctr: 8, iat: NBF - 9 * DAY, nbf: NBF - 9 * DAY, exp: NBF - DAY }));
    await license.refresh();
    const lapsed = 'lapsed: it was in force until 2026-12-31T00:00:00Z';
    expect(heard()).toEqual([`refused ${lapsed}`, `warning ${lapsed}`]);
    await product.pass(60, license);
    expect([heard(), warnings(license)]).toEqual([[], [CREATED, lapsed]]);
    rmSync(product.path);
    await license.refresh();
    const gone = `file_missing: ${product.path}: there is no such file or folder`;
    expect([heard(), warnings(license)]).toEqual([
      [`refused ${gone}`, `warning ${gone}`],
      [CREATED, gone],
    ]);
  });

  it('waits where it is a renewal, and counts as no refusal', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    product.drop(renewal);
    await license.refresh();
    const waits = 'renewal_waits: it comes into force at 2027-12-01T00:00:00Z';
    expect(heard()).toEqual(['change active 7 8 waits', `warning ${waits}`]);
    expect([license.view().refusals.count, license.nextChange]).toEqual([0, RENEWAL_NBF]);
    product.drop(first);
    await license.refresh();
    expect([heard(), warnings(license)]).toEqual([['change active 7'], [CREATED]]);
  });

  it('is taken without a refusal where it is in its grace', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    product.drop(await made({ ctr: 8, iat: NBF - 9 * DAY, nbf: NBF - 9 * DAY, exp: NBF - DAY, grace: 3 * DAY }));
    await license.refresh();
    const grace = 'in_grace: the grace ends in 2 days, at 2027-01-03T00:00:00Z';
    expect([heard(), warnings(license)]).toEqual([
      ['change grace 8', `warning ${grace}`],
      [CREATED, grace],
    ]);
  });

  it('is not refused for a clock that is far ahead, which is another warning', async () => {
    product.drop(first);
    const floor = { floor: IAT, leadRun: 0, leadTime: 0 };
    await product.store.write(encodeState({ ...EMPTY_STATE, time: floor }), undefined);
    const license = await product.begin();
    await product.pass(60, license);
    const heard = listenTo(license);
    product.drop('not a license');
    await license.refresh();
    expect(heard().map((text) => text.split(':')[0])).toEqual(['refused armor_malformed', 'warning armor_malformed']);
    expect(warnings(license).filter((text) => text.startsWith('clock_ahead'))).toHaveLength(1);
    product.clock = IAT + 60;
    await license.refresh();
    expect(warnings(license).some((text) => text.startsWith('clock_ahead'))).toBe(false);
  });
});

describe('an installation', () => {
  it('clears what was said of the file before, and is not read again', async () => {
    product.drop(first);
    const license = await product.begin();
    product.drop('not a license');
    await license.refresh();
    const heard = listenTo(license);
    expect(await license.install(textOf(await made({ ctr: 8 })))).toEqual({ ok: true, outcome: 'in_force' });
    expect([heard(), warnings(license)]).toEqual([['change active 8'], [CREATED]]);
    await license.refresh();
    expect(heard()).toEqual([]);
    expect(await license.install('not a license')).toMatchObject({ ok: false });
    expect(heard()).toEqual([expect.stringMatching(/^refused armor_malformed: /)]);
    expect(warnings(license)).toEqual([CREATED]);
  });

  it('that is refused says all the same that it repaired the state', async () => {
    product.drop(first);
    const [copy, lost] = [product.store, { ...memoryStore(), name: 'lost' }];
    const license = await product.begin({ stores: [copy, lost] });
    const tag = (await lost.read())?.tag;
    await lost.write(Uint8Array.of(1), tag);
    const heard = listenTo(license);
    await license.install('not a license');
    expect(heard()).toEqual([
      expect.stringMatching(/^refused armor_malformed: /),
      'warning state_copy_repaired: lost: it does not begin as a state does',
    ]);
  });

  it('comes to its end before the next act begins', async () => {
    product.drop(first);
    const order: string[] = [];
    const beforeCommit = async (before: unknown): Promise<void> => {
      if (before === undefined) return;
      order.push('asked');
      await new Promise((resolve) => setTimeout(resolve, 30));
      order.push('answered');
    };
    const license = await product.begin({ beforeCommit });
    await Promise.all([
      license.install(textOf(await made({ ctr: 8 }))).then(() => order.push('installed')),
      license.preview('not a license').then(() => order.push('previewed')),
      license.refresh().then(() => order.push('refreshed')),
    ]);
    expect(order).toEqual(['asked', 'answered', 'installed', 'previewed', 'refreshed']);
  });

  it('goes on with the next one after one that failed', async () => {
    product.drop(first);
    const license = await product.begin();
    expect(await license.preview(textOf(first))).toMatchObject({ ok: true, outcome: 'in_force' });
    const results = await Promise.all([license.install('x'), license.preview('y'), license.install(textOf(first))]);
    expect(results.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(license.view().refusals.count).toBe(2);
  });
});

describe('keysets in a running product', () => {
  const version = (number: number, ...names: string[]): Uint8Array =>
    keysetBlock({ version: number, roots: ['root'], keys: names.map((name) => issuingKey(name)) }, ['root']);
  let path: string;
  let options: Partial<LicenseOptions>;
  beforeEach(() => {
    path = join(product.folder, 'keyset');
    const keys = builtInChain(version(1, 'old key'), { issuer: KEYSET_ISSUER });
    options = { ...product.withVariables({ LICENSE_KEYSET_PATH: path }), keys };
    writeFileSync(path, version(1, 'old key'));
    product.drop(licenseFileOf(testKey('old key')));
  });

  it('are written into the state at once, and the file is judged again by them', async () => {
    const license = await product.begin(options);
    expect((await product.stored()).keyset?.version).toBe(1);
    product.drop(licenseFileOf(testKey('new key'), { ctr: 8 }));
    await license.refresh();
    const heard = listenTo(license);
    writeFileSync(path, version(2, 'old key', 'new key'));
    await license.refresh();
    expect(heard()).toEqual(['change active 8']);
    expect([(await product.stored()).keyset?.version, license.view().keysetVersion]).toEqual([2, 2]);
    await license.close();
    writeFileSync(path, '');
    expect((await product.begin(options)).view().license?.counter).toBe(8);
  });

  it('come with a license of another replica, which goes into the file', async () => {
    const license = await product.begin(options);
    const heard = listenTo(license);
    copyFileSync(product.path, `${product.path}.other`);
    const other = await product.begin({
      ...options,
      ...product.withVariables({ LICENSE_PATH: `${product.path}.other` }),
    });
    // In its grace, which is a warning: no file was refused for it.
    const inItsGrace = { ctr: 8, nbf: NBF - 9 * DAY, exp: NBF - DAY, grace: 30 * DAY };
    const next = textOf(licenseFileOf(testKey('new key'), inItsGrace)).trim();
    const outcome = await other.install(`${textOf(version(2, 'old key', 'new key'))}${next}`);
    expect(outcome).toEqual({ ok: true, outcome: 'in_force' });
    await product.pass(300, license);
    expect([heard()[0], product.file(), license.view().refusals.count]).toEqual(['change grace 8', next, 0]);
    await license.close();
    expect((await product.begin(options)).view().license?.counter).toBe(8);
  });

  it('of the state are not replaced by older ones, nor by others of the same version', async () => {
    const license = await product.begin(options);
    for (const number of [1, 9]) {
      const keyset = { version: number, chain: Uint8Array.of(255) };
      const state = { ...(await product.stored()), keyset };
      await product.store.write(encodeState({ ...state, revision: 90 + number }), (await product.store.read())?.tag);
      await product.pass(300, license);
      expect((await product.stored()).keyset).toEqual(keyset);
    }
  });

  it('stay in the state of a product that has its keys built in', async () => {
    const keyset = { version: 3, chain: Uint8Array.of(255) };
    await product.store.write(encodeState({ ...EMPTY_STATE, keyset }), undefined);
    product.drop(first);
    const license = await product.begin();
    await product.pass(300, license);
    expect([license.state, (await product.stored()).keyset]).toEqual(['active', keyset]);
  });

  it('that are pasted let a file be judged again that was refused before', async () => {
    const license = await product.begin(options);
    product.drop(licenseFileOf(testKey('new key'), { ctr: 8 }));
    await license.refresh();
    const heard = listenTo(license);
    expect(await license.install(textOf(version(2, 'old key', 'new key')))).toEqual({ ok: true, outcome: 'keyset' });
    expect(heard()).toEqual([]);
    expect(warnings(license).some((text) => text.startsWith('key_unknown'))).toBe(true);
    await license.refresh();
    expect(heard()).toEqual([
      'change active 8',
      'warning keyset_older: file: its newest version is 1, and version 2 is in force',
    ]);
  });

  it('are in force with a warning where the state cannot be written', async () => {
    const one = failing();
    const license = await product.begin({ ...options, stores: [one.store] });
    const heard = listenTo(license);
    one.fault = 'no space';
    writeFileSync(path, version(2, 'old key', 'new key'));
    await license.refresh();
    expect([heard(), license.view().keysetVersion]).toEqual([['warning state_unwritable: the store: no space'], 2]);
  });

  it('that do not go with the environment change nothing, with a warning', async () => {
    const { ed25519 } = testKey('composite later').publicKey;
    const LICENSE_PUBLIC_KEY = Buffer.from(ed25519).toString('base64');
    const license = await product.begin({
      ...options,
      ...product.withVariables({ LICENSE_KEYSET_PATH: path, LICENSE_PUBLIC_KEY }),
      production: false,
    });
    const heard = listenTo(license);
    writeFileSync(path, version(2, 'old key', 'composite later'));
    await license.refresh();
    expect(heard()).toEqual([expect.stringMatching(/^warning configuration_invalid: /)]);
    expect(license.view().keysetVersion).toBe(1);
  });

  it('are not called a wrong setting where the product itself is at fault', async () => {
    let isBroken = false;
    const environment = Object.defineProperty(
      { ...options.environment, DEPLOYMENT_MODE: 'onprem' },
      'LICENSE_PUBLIC_KEY',
      {
        get: () => {
          if (isBroken) throw new TypeError('no environment');
          return undefined;
        },
      },
    );
    const license = await product.begin({ ...options, environment, production: false });
    writeFileSync(path, version(2, 'old key', 'new key'));
    isBroken = true;
    await expect(license.refresh()).rejects.toThrow('no environment');
    isBroken = false;
    await license.refresh();
    expect(license.view().keysetVersion).toBe(2);
  });

  it('that revoke a key end its license at once, and a refused installation takes them all the same', async () => {
    const license = await product.begin(options);
    const heard = listenTo(license);
    const revoked = textOf(
      keysetBlock({ version: 2, roots: ['root'], keys: [issuingKey('old key', { status: 'revoked' })] }, ['root']),
    );
    expect(await license.install(`${revoked}${textOf(first)}`)).toMatchObject({ ok: false });
    expect(heard().map((text) => text.split(':')[0])).toEqual(['refused key_unknown', 'change free_tier 7']);
    expect(license.state).toBe('free_tier');
  });
});
