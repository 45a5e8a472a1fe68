/** A license that a product opens: when it looks for changes by itself, and what it calls. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, openLicense, type LiveLicense } from '../../../../verifier/runtime/index.ts';
import { EXP, licenseFile, NBF } from '../sample.ts';
import { listen, Product, textOf } from './product.ts';

let product: Product;
beforeEach(async () => {
  product = new Product();
  product.keepStateInMemory();
  await product.dropLicense({ grace: 0 });
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(async () => {
  mock.timers.reset();
  await product.remove();
});

/** Lets promises and events of the file system come through. */
async function settle(milliseconds = 0): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let turn = 0; turn < 20 || performance.now() < end; turn++)
    await new Promise((resolve) => setImmediate(resolve));
}

/** Time goes on for the timers of the product. */
async function passes(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await settle();
}

/** Looks for changes without an event: the folder of the license is made after the start. */
async function unwatched(): Promise<readonly [license: LiveLicense, path: string]> {
  const folder = join(product.folder, 'volume');
  const path = join(folder, 'license.vtlic');
  const environment = { ...product.options().environment, LICENSE_PATH: path };
  const license = await product.start({ environment, production: false });
  mkdirSync(folder);
  return [license, path];
}

const renewal = (ctr = 8, tier = 'renewed'): Promise<Uint8Array> => licenseFile({ ctr, tier, grace: 0 });

describe('a product that runs by itself', () => {
  it('notices a file within a minute where there is no event, as on the volume of a container', async () => {
    const [license, path] = await unwatched();
    writeFileSync(path, await renewal());
    await passes(59_999);
    expect(license.state).toBe('free_tier');
    await passes(1);
    expect(license.entitlements?.tier).toBe('renewed');
    writeFileSync(path, await renewal(9, 'again'));
    await passes(59_999);
    expect(license.entitlements?.tier).toBe('renewed');
    await passes(1);
    expect(license.entitlements?.tier).toBe('again');
  });

  it('changes at the second of a boundary that comes earlier than that', async () => {
    product.clock = EXP - 30;
    const license = await product.start();
    product.clock = EXP;
    await passes(29_999);
    expect(license.view().warnings.map(({ code }) => code)).not.toContain('lapsed');
    await passes(1);
    expect(license.view().warnings.map(({ code }) => code)).toContain('lapsed');
  });

  it('keeps the boundary of a license that is installed', async () => {
    const [license, path] = await unwatched();
    writeFileSync(path, await renewal());
    await passes(60_000);
    const short = await licenseFile({ ctr: 9, nbf: NBF - 10, iat: NBF - 10, exp: NBF + 10, grace: 0 });
    await license.install(textOf(short));
    const heard = listen(license);
    product.clock = NBF + 10;
    await passes(9_999);
    expect(heard).toEqual([]);
    await passes(1);
    expect(heard).toEqual(['change free_tier free', 'warning lapsed']);
  });

  it('reads a file 200 milliseconds after an event, however many events follow', async () => {
    const license = await product.start();
    product.drop(await renewal());
    await settle(100);
    await passes(100);
    product.drop(await renewal(9, 'again'));
    await settle(100);
    await passes(99);
    expect(license.entitlements?.tier).toBe('enterprise');
    await passes(1);
    expect(license.entitlements?.tier).toBe('again');
  });

  it('looks once a minute, also after it looked out of turn', async () => {
    let readings = 0;
    const license = await product.start({ clocks: { clock: () => NBF, monotonic: () => readings++ } });
    await passes(30_000);
    const ofOne = async (act: () => Promise<void>): Promise<number> => {
      readings = 0;
      await act();
      return readings;
    };
    const once = await ofOne(() => license.refresh());
    expect(once).toBeGreaterThan(0);
    for (let minute = 0; minute < 3; minute++) expect(await ofOne(() => passes(60_000))).toBe(once);
  });

  it('gives the watch of its folder back where it is closed', async () => {
    const watches = (): number =>
      readdirSync('/proc/self/fdinfo')
        .map((fd) => `/proc/self/fdinfo/${fd}`)
        .filter((path) => existsSync(path))
        .flatMap((path) => readFileSync(path, 'utf8').match(/^inotify /gm) ?? []).length;
    const before = watches();
    const license = await openLicense(product.options());
    await settle();
    expect(watches()).toBe(before + 1);
    await license.close();
    await settle();
    expect(watches()).toBe(before);
  });

  it('does nothing more once it is closed', async () => {
    let readings = 0;
    const clocks = { clock: () => NBF, monotonic: () => readings++ };
    const license = await openLicense(product.options({ clocks }));
    await license.close();
    const before = readings;
    product.drop(await renewal());
    await settle(100);
    await passes(60_000);
    expect(readings).toBe(before);
    await license.refresh();
    const once = readings;
    await passes(120_000);
    expect([once > before, readings]).toEqual([true, once]);
    expect(license.entitlements?.tier).toBe('renewed');
  });

  it('says once that it cannot judge, goes on trying, and says it again after it could', async () => {
    let fault: string | undefined;
    const clock = (): number => {
      if (fault !== undefined) throw new Error(fault);
      return NBF;
    };
    const license = await product.start({ clocks: { clock, monotonic: () => 0 } });
    const heard: string[] = [];
    license.on('warning', ({ code, detail }) => heard.push(`${code}: ${detail}`));
    await settle();
    heard.length = 0;
    for (const one of ['broken', 'broken', 'gone', undefined, 'gone', undefined]) {
      fault = one;
      await passes(60_000);
    }
    expect(heard).toEqual(['refresh_failed: broken', 'refresh_failed: gone', 'refresh_failed: gone']);
    expect(license.state).toBe('active');
  });
});

describe('a license that a product opens', () => {
  it('tells its warnings once the product could listen, and what it is asked', async () => {
    const license = await product.start();
    const heard: string[] = [];
    const remove = license.on('warning', ({ code }) => heard.push(code));
    expect(heard).toEqual([]);
    await settle();
    expect(heard).toEqual(['state_created']);
    remove();
    expect([license.state, license.entitlements?.tier, license.nextChange]).toEqual(['active', 'enterprise', EXP]);
    expect(Object.isFrozen(license)).toBe(true);
    expect(license.view()).toMatchObject({ state: 'active', nextChange: EXP });
    const next = textOf(await renewal());
    expect(await license.preview(next)).toMatchObject({ ok: true, outcome: 'in_force' });
    expect(await license.install(next)).toEqual({ ok: true, outcome: 'in_force' });
    expect(product.file()).toBe(next);
  });

  it('keeps no process alive', async () => {
    mock.timers.reset();
    await settle();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const license = await product.start();
    await license.refresh();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('closes its stores where it is refused, and where it is closed', async () => {
    const closed: string[] = [];
    const closing = (name: string): Parameters<Product['start']>[0] => ({
      stores: [{ ...memoryStore(), close: () => Promise.resolve(void closed.push(name)) }],
    });
    await (await openLicense(product.options(closing('one that ran')))).close();
    product.drop('not a license');
    await expect(openLicense(product.options(closing('one that was refused')))).rejects.toThrow('armor_malformed');
    expect(closed).toEqual(['one that ran', 'one that was refused']);
  });

  it('in the mode saas has no entitlement from a file, and does nothing', async () => {
    const environment = { DEPLOYMENT_MODE: 'saas' };
    const license = await openLicense(product.options({ environment }));
    expect([license.state, license.entitlements, license.nextChange]).toEqual(['not_applicable', undefined, undefined]);
    const refusal = expect.objectContaining({
      code: 'install_not_possible',
      detail: 'DEPLOYMENT_MODE is saas, where no license is installed',
      values: { place: 'saas' },
    }) as unknown;
    expect(await license.install('x')).toEqual({ ok: false, refusal });
    expect(await license.preview('x')).toEqual({ ok: false, refusal });
    expect(license.view()).toEqual({
      state: 'not_applicable',
      entitlements: undefined,
      warnings: [],
      place: 'nowhere: DEPLOYMENT_MODE is saas',
      location: { kind: 'saas' },
      installFault: refusal,
      refusals: { count: 0 },
    });
    const view = license.view();
    for (const value of [license, view, view.warnings, view.location]) expect(Object.isFrozen(value)).toBe(true);
    expect(license.on('change', () => undefined)()).toBeUndefined();
    expect([await license.refresh(), await license.close()]).toEqual([undefined, undefined]);
  });
});
