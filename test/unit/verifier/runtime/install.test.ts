/** Installing: the product's consent, faults between the steps, other processes, changes that come as a file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import { memoryStore, openLicense, type StateStore } from '../../../../verifier/runtime/index.ts';
import { packMain } from '../../../support/pack-main.ts';
import { EXP, licenseFile, NBF } from '../sample.ts';
import { DAY, FREE_TIER, listen, Product, textOf } from './product.ts';

let product: Product;
beforeEach(async () => {
  product = new Product();
  await product.dropLicense({ ctr: 7 });
});
afterEach(async () => {
  await product.remove();
});

const renewal = async (changes: Partial<License> = {}): Promise<string> =>
  textOf(await licenseFile({ ctr: 8, tier: 'renewed', ...changes }));

describe('beforeCommit', () => {
  it('is asked about every payload that is new here, with the license before it, and afterCommit at each start', async () => {
    const calls: string[] = [];
    const hooks = {
      beforeCommit: (before: License | undefined, next: License) => {
        calls.push(`before ${before?.ctr ?? 'none'} ${next.ctr}`);
      },
      afterCommit: (license: License) => {
        calls.push(`after ${license.ctr}`);
      },
    };
    const running = await product.start(hooks);
    await running.install(await renewal());
    await running.install(await renewal());
    product.drop(await renewal({ ctr: 9 }));
    await running.refresh();
    await running.close();
    await product.start(hooks);
    expect(calls).toEqual([
      'before none 7',
      'after 7',
      'before 7 8',
      'after 8',
      'after 8',
      'before 8 9',
      'after 9',
      'after 9',
    ]);
  });

  it('a beforeCommit that throws keeps the license before, and nothing is written', async () => {
    let refuses = true;
    const running = await product.start({
      beforeCommit: (_before, next) => {
        if (refuses && next.ctr === 8) throw new Error('the tenants are not migrated\u001b[2J');
      },
    });
    const file = product.file();
    expect(await running.install(await renewal())).toMatchObject({
      ok: false,
      refusal: { code: 'commit_refused', detail: 'the tenants are not migrated\\u{001B}[2J' },
    });
    expect(product.file()).toBe(file);
    product.drop(await renewal());
    await running.refresh();
    expect(running.view().license?.counter).toBe(7);
    expect(running.view().warnings.map(({ code }) => code)).toContain('commit_refused');
    refuses = false;
    await product.pass(60, running);
    expect(running.view().license?.counter).toBe(8);
    expect(running.view().warnings.map(({ code }) => code)).not.toContain('commit_refused');
  });

  it('a beforeCommit that throws at a first start refuses it in production', async () => {
    const refuse = (): never => {
      throw new Error('not now');
    };
    expect((await product.refusal({ beforeCommit: refuse })).code).toBe('commit_refused');
    expect((await product.start({ beforeCommit: refuse, production: false })).state).toBe('free_tier');
  });

  it('has as long as the product says, also where no timer of Node.js is that long', async () => {
    const beforeCommit = async (): Promise<void> => sleep(20);
    expect((await product.start({ beforeCommit, commitSeconds: 30 * 86_400 })).state).toBe('active');
    for (const commitSeconds of [0, -1, Number.NaN, Infinity])
      await expect(product.start({ beforeCommit, commitSeconds })).rejects.toMatchObject({ code: 'usage' });
  });

  it('a beforeCommit that does not answer is given up after its time', async () => {
    const running = await product.start();
    await running.close();
    const slow = await product.start({
      beforeCommit: () => sleep(60_000, undefined, { ref: false }),
      commitSeconds: 0.05,
    });
    expect(await slow.install(await renewal())).toMatchObject({ ok: false, refusal: { code: 'commit_refused' } });
  });

  it('a license that lapses while beforeCommit is working is not taken', async () => {
    const running = await product.start({
      beforeCommit: async (_before, next) => {
        if (next.ctr === 8) await product.pass(2 * DAY);
      },
    });
    const file = product.file();
    const short = await renewal({ exp: NBF + DAY, grace: 0 });
    expect(await running.install(short)).toMatchObject({ ok: false, refusal: { code: 'lapsed' } });
    expect(product.file()).toBe(file);
    expect(running.view().license?.counter).toBe(7);
  });

  it('is asked again for a renewal whose time has come, and may still refuse it', async () => {
    const asked: number[] = [];
    const running = await product.start({
      beforeCommit: (_before, next) => {
        asked.push(next.ctr);
        if (asked.length === 3) throw new Error('not yet');
      },
    });
    await running.install(await renewal({ nbf: NBF + DAY }));
    await product.pass(DAY, running);
    expect(running.view().license?.counter).toBe(7);
    await product.pass(60, running);
    expect(running.view().license?.counter).toBe(8);
    expect(asked).toEqual([7, 8, 8, 8]);
  });
});

describe('an installation', () => {
  it('an installation that cannot write the state puts the old file back', async () => {
    const inner = memoryStore();
    let isFull = false;
    const store: StateStore = {
      ...inner,
      write: async (document, expected) => {
        // The probe before the file is written still succeeds.
        if (isFull && product.file().includes(await renewal())) throw new Error('the disk is full');
        return inner.write(document, expected);
      },
    };
    const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
    const running = await product.start({ stores: [store], environment });
    const file = product.file();
    isFull = true;
    expect(await running.install(await renewal())).toMatchObject({ ok: false, refusal: { code: 'state_unwritable' } });
    expect(product.file()).toBe(file);
    expect(running.view().license?.counter).toBe(7);
    isFull = false;
    expect(await running.install(await renewal())).toEqual({ ok: true, outcome: 'in_force' });
  });

  it('replaces the file that a link points to, and not the link', async () => {
    const real = join(product.folder, 'real.vtlic');
    copyFileSync(product.path, real);
    rmSync(product.path);
    symlinkSync(real, product.path);
    const running = await product.start();
    expect(await running.install(await renewal())).toEqual({ ok: true, outcome: 'in_force' });
    expect(readFileSync(real, 'utf8')).toBe(await renewal());
    expect(lstatSync(product.path).isSymbolicLink()).toBe(true);
  });

  it('an installation of the next license overtakes a renewal that waits', async () => {
    const running = await product.start();
    await running.install(await renewal({ nbf: NBF + DAY }));
    expect(await running.install(await renewal({ ctr: 9, tier: 'corrected' }))).toEqual({
      ok: true,
      outcome: 'in_force',
    });
    expect(running.view().waiting).toBeUndefined();
    await product.pass(2 * DAY, running);
    expect(running.entitlements?.tier).toBe('corrected');
  });

  it('is one at a time, however many are asked for at once', async () => {
    const running = await product.start();
    const texts = await Promise.all([8, 9, 10, 11].map((ctr) => renewal({ ctr })));
    const results = await Promise.all(texts.map((text) => running.install(text)));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(running.view().license?.counter).toBe(11);
  });

  it('an installation by several processes at once leaves the highest counter in file and state', async () => {
    await (await product.start()).close();
    const main = await packMain('test/unit/verifier/runtime/install-child.ts');
    const counters = [8, 9, 10, 11, 12, 13];
    const outputs = await Promise.all(
      counters.map(async (ctr) => {
        const path = join(product.folder, `${ctr}.vtlic`);
        writeFileSync(path, await renewal({ ctr }));
        const child = spawn(process.execPath, [main, product.folder, path], { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        await once(child, 'close');
        return `${ctr} ${output}`;
      }),
    );
    for (const output of outputs)
      expect(output).toMatch(/^\d+ (?:in_force|counter_rolled_back: .*|start refused: counter_rolled_back: .*)$/);
    expect(outputs).toContain('13 in_force');
    const running = await product.start();
    expect(running.view().license?.counter).toBe(13);
    expect(product.file()).toBe(await renewal({ ctr: 13 }));
  }, 120_000);
});

describe('a product that runs by itself', () => {
  it('takes a file that is dropped, copied or renamed into place, within a second, by an event', async () => {
    const running = await openLicense({ ...product.options(), clocks: realFrom(NBF) });
    const heard = listen(running);
    const folder = join(product.folder, 'incoming');
    mkdirSync(folder);
    writeFileSync(join(folder, 'x'), await renewal());
    renameSync(join(folder, 'x'), product.path);
    await expectSoon(() => heard.includes('change active renewed'));
    product.drop(await renewal({ ctr: 9, tier: 'again' }));
    await expectSoon(() => heard.includes('change active again'));
    await running.close();
  });

  it('changes at the second of a boundary, without an event', async () => {
    product.drop(await renewal({ grace: 0 }));
    const running = await openLicense({ ...product.options(), clocks: realFrom(EXP - 2) });
    const heard = listen(running);
    expect(running.state).toBe('active');
    await expectSoon(() => heard.includes('change free_tier free'), 15_000);
    await running.close();
  });
});

/** Clocks that go on by themselves. */
function realFrom(start: number): { clock: () => number; monotonic: () => number } {
  const began = performance.now();
  const passed = (): number => (performance.now() - began) / 1000;
  return { clock: () => start + passed(), monotonic: passed };
}

async function expectSoon(condition: () => boolean, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error('this did not happen');
    await sleep(20);
  }
}

describe('the free tier of a product', () => {
  it.each([
    [{ ...FREE_TIER, tier: '' }, 'freeTier.tier'],
    [{ ...FREE_TIER, seats: -1 }, 'freeTier.seats'],
    [{ ...FREE_TIER, features: ['a b'] }, 'freeTier.features'],
    [{ ...FREE_TIER, limits: { vaults: 0.5 } }, 'freeTier.limits'],
  ])('%j is misuse', async (freeTier, field) => {
    await expect(product.start({ freeTier })).rejects.toMatchObject({ code: 'usage', place: { field } });
  });
});

describe('a start while another process keeps the lock', () => {
  it('judges without it after ten seconds, says so, and writes later', async () => {
    const inner = memoryStore();
    let isLocked = true;
    let renewals = 0;
    const store: StateStore = {
      ...inner,
      // A holder on another host, who renews the note all the time.
      readLock: () => (isLocked ? Promise.resolve(`elsewhere 1 1 1 ${++renewals}`) : inner.readLock()),
      swapLock: (expected, next) => (isLocked ? Promise.resolve(false) : inner.swapLock(expected, next)),
    };
    const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
    const running = await product.start({ stores: [store], environment });
    expect(running.state).toBe('active');
    expect(running.view().warnings.map(({ code }) => code)).toContain('state_locked');
    expect(await inner.read()).toBeUndefined();
    isLocked = false;
    await product.pass(600, running);
    expect(await inner.read()).toBeDefined();
    expect(running.view().warnings.map(({ code }) => code)).not.toContain('state_locked');
  }, 30_000);
});

describe('an error that is not a fault of the license', () => {
  it('is a warning, once, and what is in force goes on', async () => {
    let clock = (): number => NBF;
    const running = await openLicense({
      ...product.options(),
      clocks: { clock: () => clock(), monotonic: () => performance.now() / 1000 },
    });
    const heard = listen(running);
    clock = () => {
      throw new Error('the clock of this test is broken');
    };
    await expect(running.refresh()).rejects.toThrow('the clock of this test is broken');
    product.drop('x');
    await expectSoon(() => heard.includes('warning refresh_failed'));
    expect(running.entitlements?.tier).toBe('enterprise');
    clock = () => NBF;
    await running.close();
  });
});
