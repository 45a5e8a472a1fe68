/** What a product reads, asks and writes at its start and as time goes on, with all that it says. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore } from '../../../../verifier/runtime/index.ts';
import type { Source } from '../../../../verifier/runtime/judge.ts';
import { runtimeParts } from '../../../../verifier/runtime/options.ts';
import { Runtime } from '../../../../verifier/runtime/runtime.ts';
import { EXP, NBF } from '../sample.ts';
import { first, inGrace, made, renewal, RENEWAL_NBF } from './judged.ts';
import { DAY, textOf } from './product.ts';
import { CREATED, failing, listenTo, RunningProduct, said, warnings } from './running-product.ts';

let product: RunningProduct;
beforeEach(() => {
  product = new RunningProduct();
});
afterEach(() => product.remove());

describe('a start', () => {
  it('takes the license of the file, and says what is new in this order', async () => {
    product.drop(inGrace);
    product.clock = EXP;
    const told: string[] = [];
    const license = await product.begin({ afterCommit: ({ ctr }) => void told.push(`after ${ctr}`) });
    const grace = 'in_grace: the grace ends in 10 days, at 2028-01-11T00:00:00Z';
    expect([license.state, warnings(license), told]).toEqual(['grace', [CREATED, grace], ['after 7']]);
    expect((await product.stored()).entries.map(({ counter }) => counter)).toEqual([7]);
    await license.close();
    const again = await product.begin({ afterCommit: () => Promise.reject(new Error('no room')) });
    expect(warnings(again)).toEqual(['after_commit_failed: no room', grace]);
    await product.pass(DAY, again);
    expect(warnings(again)).toEqual(['in_grace: the grace ends in 9 days, at 2028-01-11T00:00:00Z']);
  });

  it('judges once more where another replica was faster, by what that wrote', async () => {
    product.drop(first);
    let isFirst = true;
    const racing = {
      ...product.store,
      readLock: async (): Promise<string | undefined> => {
        if (isFirst) await product.takeElsewhere(await made({ ctr: 9 }));
        isFirst = false;
        return product.store.readLock();
      },
    };
    expect(said(await product.refusal({ ...product.withVariables(), stores: [racing] }))).toBe(
      'counter_rolled_back: its counter is 7, and 9 was accepted before',
    );
    isFirst = true;
    product.store = { ...memoryStore(), name: 'the store' };
    const again = { ...racing, ...product.store, readLock: racing.readLock };
    const license = await product.begin({ stores: [again], fallback: 'kept' });
    expect([license.view().license?.counter, warnings(license)]).toEqual([
      9,
      [
        'counter_rolled_back: its counter is 7, and 9 was accepted before',
        'kept_license_serves: the license with the counter 9 is in force',
      ],
    ]);
  });

  it('says that a copy of the state was repaired, and finds out that none can be written, without a new license', async () => {
    product.drop(first);
    await (await product.begin()).close();
    const lost = { ...memoryStore(), name: 'lost' };
    const repaired = await product.begin({ stores: [product.store, lost] });
    expect(warnings(repaired)).toEqual(['state_copy_repaired: lost: missing']);
    await repaired.close();
    const full = { ...product.store, write: () => Promise.reject(new Error('no space')) };
    expect(said(await product.refusal({ ...product.withVariables(), stores: [full] }))).toBe(
      'state_unwritable: the store: no space',
    );
  });

  it('outside production goes on in memory where the state cannot be written, and installs nothing', async () => {
    product.drop(first);
    const full = { ...product.store, write: () => Promise.reject(new Error('no space')) };
    const license = await product.begin({ stores: [full], production: false });
    const fault = 'state_unwritable: the store: no space';
    expect([license.state, warnings(license)]).toEqual(['active', [fault, 'state_not_durable: the store: no space']]);
    expect(license.view().installFault).toMatchObject({ detail: 'the store: no space' });
    const heard = listenTo(license);
    const refusal = expect.objectContaining({ code: 'state_unwritable' }) as unknown;
    expect(await license.preview(textOf(renewal))).toEqual({ ok: false, refusal });
    expect(await license.install(textOf(renewal))).toEqual({ ok: false, refusal });
    expect(heard()).toEqual([`refused ${fault}`, `refused ${fault}`]);
    await product.pass(60, license);
    product.drop(await made({ ctr: 8 }));
    await license.refresh();
    expect(heard()).toEqual(['warning state_created: the memory of this process', 'change active 8']);
  });

  it('without any store goes on in memory too, and says how to set one', async () => {
    product.drop(first);
    const license = await product.begin({ stores: [], production: false });
    const why = 'LICENSE_STATE_PATH is not set, and there is no other store';
    expect(warnings(license).slice(0, 2)).toEqual([`state_unwritable: ${why}`, `state_not_durable: ${why}`]);
    expect(said(await product.refusal(product.withVariables()))).toBe(`state_unwritable: ${why}`);
  });

  it('with a license that the product does not take is refused, or leaves the kept one in force', async () => {
    product.drop(first);
    let asked = 0;
    const beforeCommit = (): Promise<never> => {
      asked++;
      return Promise.reject(new Error('no room'));
    };
    const refused = { ...product.withVariables(), stores: [product.store], beforeCommit };
    expect(said(await product.refusal(refused))).toBe('commit_refused: no room');
    expect(asked).toBe(1);
    const free = await product.begin({ beforeCommit, production: false });
    expect([free.state, warnings(free)]).toEqual(['free_tier', ['commit_refused: no room']]);
    await free.close();
    await (await product.begin()).close();
    product.drop(await made({ ctr: 8 }));
    let isReady = false;
    const license = await product.begin({ beforeCommit: () => (isReady ? undefined : beforeCommit()) });
    expect([license.view().license?.counter, warnings(license)]).toEqual([
      7,
      ['commit_refused: no room', 'kept_license_serves: the license with the counter 7 is in force'],
    ]);
    const heard = listenTo(license);
    isReady = true;
    await license.refresh();
    expect([heard(), warnings(license)]).toEqual([['change active 8'], []]);
  });

  it('tells the product of the kept license that serves', async () => {
    product.drop(first);
    await (await product.begin()).close();
    product.drop(await made({ ctr: 6 }));
    const told: number[] = [];
    const file = product.file();
    const license = await product.begin({ fallback: 'kept', afterCommit: ({ ctr }) => void told.push(ctr) });
    expect(told).toEqual([7]);
    await product.pass(300, license);
    expect([license.view().license?.counter, product.file()]).toEqual([7, file]);
  });
});

describe('time that goes on', () => {
  it('brings the state to the stores every five minutes, and the warnings of the last time', async () => {
    product.drop(first);
    const one = failing();
    const license = await product.begin({ stores: [one.store] });
    const revision = async (): Promise<number> => {
      product.store = one.store;
      return (await product.stored()).revision;
    };
    expect(await revision()).toBe(1);
    expect(warnings(license)).toEqual([CREATED]);
    await product.pass(299, license);
    expect([await revision(), warnings(license)]).toEqual([1, [CREATED]]);
    await product.pass(1, license);
    expect([await revision(), warnings(license)]).toEqual([2, []]);
    await product.pass(299, license);
    expect(await revision()).toBe(2);
    one.fault = 'no space';
    await product.pass(1, license);
    expect([await revision(), warnings(license)]).toEqual([2, ['state_unwritable: the store: no space']]);
    one.fault = undefined;
    await product.pass(300, license);
    expect([await revision(), warnings(license)]).toEqual([3, []]);
  });

  it('changes the state of the license, and the warnings with it, each once', async () => {
    product.drop(inGrace);
    const license = await product.begin();
    const heard = listenTo(license);
    await product.pass(EXP - NBF - 1, license);
    expect(heard()).toEqual([]);
    await product.pass(1, license);
    const grace = (days: string): string => `in_grace: the grace ends in ${days}, at 2028-01-11T00:00:00Z`;
    expect(heard()).toEqual(['change grace 7', `warning ${grace('10 days')}`]);
    await product.pass(DAY, license);
    expect(heard()).toEqual([`warning ${grace('9 days')}`]);
    expect(warnings(license)).toEqual([grace('9 days')]);
    await product.pass(9 * DAY, license);
    const lapsed = 'lapsed: it was in force until 2028-01-11T00:00:00Z';
    expect([heard(), warnings(license)]).toEqual([['change free_tier 7', `warning ${lapsed}`], [lapsed]]);
  });

  it('brings a renewal into force at its time, once the product takes it', async () => {
    product.drop(first);
    let isReady = false;
    const beforeCommit = (before: unknown): void => {
      if (!isReady && before !== undefined) throw new Error('no room');
    };
    const license = await product.begin({ beforeCommit });
    isReady = true;
    expect(await license.install(textOf(renewal))).toEqual({ ok: true, outcome: 'waiting' });
    isReady = false;
    const heard = listenTo(license);
    expect(warnings(license)).toContain('renewal_waits: it comes into force at 2027-12-01T00:00:00Z');
    await product.pass(RENEWAL_NBF - NBF, license);
    expect(heard()).toEqual(['warning commit_refused: no room']);
    expect([license.view().license?.counter, license.view().waiting?.counter]).toEqual([7, 8]);
    await product.pass(60, license);
    expect(heard()).toEqual([]);
    isReady = true;
    await product.pass(60, license);
    expect([heard(), warnings(license)]).toEqual([['change active 8'], []]);
    expect((await product.stored()).entries[0]?.counter).toBe(8);
  });

  it('takes the license that another replica installed into the file, where that is possible', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    const next = await made({ ctr: 8 });
    await product.takeElsewhere(next);
    await product.pass(300, license);
    expect([heard(), product.file(), warnings(license)]).toEqual([['change active 8'], textOf(next), []]);
    await product.pass(60, license);
    expect(heard()).toEqual([]);
    rmSync(product.folder, { recursive: true });
    await license.refresh();
    heard();
    await product.takeElsewhere(await made({ ctr: 9 }));
    await product.pass(300, license);
    const serves = 'kept_license_serves: the license with the counter 9 is in force';
    const rolledBack = 'counter_rolled_back: its counter is 8, and 9 was accepted before';
    expect(heard()).toEqual(['change active 9', `warning ${rolledBack}`, `warning ${serves}`]);
  });

  it('takes it into the file, too, where the license of the file has lapsed', async () => {
    product.drop(first);
    const license = await product.begin();
    await product.pass(EXP - NBF, license);
    expect(license.state).toBe('free_tier');
    const next = await made({ ctr: 8, exp: EXP + DAY });
    await product.takeElsewhere(next);
    await product.pass(300, license);
    expect([license.state, product.file(), warnings(license)]).toEqual(['active', textOf(next), []]);
    await license.close();
    expect((await product.begin()).state).toBe('active');
  });

  it('leaves a renewal that waits in the file, and lets the license of the other replica serve until then', async () => {
    product.drop(first);
    const license = await product.begin();
    const waiting = textOf(await made({ ctr: 9, nbf: RENEWAL_NBF, exp: EXP + DAY }));
    expect(await license.install(waiting)).toEqual({ ok: true, outcome: 'waiting' });
    await product.takeElsewhere(await made({ ctr: 8 }));
    await product.pass(300, license);
    expect([license.view().license?.counter, license.view().waiting?.counter]).toEqual([8, 9]);
    expect(product.file()).toBe(waiting);
    await product.pass(RENEWAL_NBF - NBF, license);
    expect(license.view().license?.counter).toBe(9);
  });

  it.each(['running', 'restarted'])('takes it in place of a renewal that became too old, where %s', async (how) => {
    product.drop(first);
    let license = await product.begin();
    const waiting = textOf(await made({ ctr: 9, nbf: RENEWAL_NBF, exp: EXP + DAY }));
    await license.install(waiting);
    if (how === 'restarted') {
      await license.close();
      license = await product.begin();
    } else {
      await product.takeElsewhere(await made({ ctr: 8 }));
      await product.pass(300, license);
    }
    expect(product.file()).toBe(waiting);
    const newest = await made({ ctr: 10 });
    await product.takeElsewhere(newest);
    await product.pass(300, license);
    expect([license.view().license?.counter, product.file(), warnings(license)]).toEqual([10, textOf(newest), []]);
    await license.close();
    expect((await product.begin()).view().license?.counter).toBe(10);
  });

  it('reads a file again each minute while it cannot be read, and refuses it once', async () => {
    product.drop(first);
    const parts = runtimeParts(product.options(product.withVariables()));
    if (parts === undefined) throw new Error('the mode is saas');
    let readings = 0;
    let fault: string | undefined;
    const read = (): Source => {
      readings++;
      return fault === undefined ? parts.source.read() : { missing: fault };
    };
    const heard: string[] = [];
    const runtime = new Runtime(
      { ...parts, stores: [product.store], source: { ...parts.source, read } },
      (name, value) => heard.push(`${name} ${'code' in value ? value.code : value.state}`),
    );
    await runtime.start();
    await runtime.tick();
    expect([readings, heard]).toEqual([1, []]);
    product.drop(await made({ ctr: 8 }));
    fault = 'too many files are open';
    for (let minute = 0; minute < 3; minute++) await runtime.tick();
    expect([readings, heard.splice(0)]).toEqual([4, ['refused file_missing', 'warning file_missing']]);
    fault = undefined;
    for (let minute = 0; minute < 3; minute++) await runtime.tick();
    expect([readings, heard, runtime.view().license?.counter]).toEqual([5, ['change active'], 8]);
    await runtime.close();
  });

  it('takes it once the file can be written again', async () => {
    product.drop(first);
    const license = await product.begin();
    rmSync(product.path);
    mkdirSync(product.path);
    const next = await made({ ctr: 8 });
    await product.takeElsewhere(next);
    await product.pass(300, license);
    expect([license.view().license?.counter, warnings(license).length]).toEqual([8, 1]);
    rmSync(product.path, { recursive: true });
    const heard = listenTo(license);
    await product.pass(60, license);
    expect([product.file(), heard(), warnings(license)]).toEqual([textOf(next), [], []]);
  });

  it('lets the license of another replica serve where the file is a variable', async () => {
    const text = product.withVariables({ LICENSE_PATH: '', LICENSE_TEXT: textOf(first) });
    const license = await product.begin(text);
    expect(license.view().installFault?.code).toBe('install_not_possible');
    await product.takeElsewhere(await made({ ctr: 8 }));
    await product.pass(300, license);
    expect([license.view().license?.counter, warnings(license)]).toEqual([
      8,
      [
        'counter_rolled_back: its counter is 7, and 8 was accepted before',
        'kept_license_serves: the license with the counter 8 is in force',
      ],
    ]);
  });

  it('lets it serve, too, where something is in the way of the file', async () => {
    product.drop(first);
    const license = await product.begin();
    const heard = listenTo(license);
    rmSync(product.path);
    writeFileSync(join(product.folder, 'x'), '');
    await license.refresh();
    expect(heard()).toEqual([expect.stringMatching(/^refused file_missing/), expect.stringMatching(/^warning file_/)]);
    await product.takeElsewhere(await made({ ctr: 8 }));
    await product.pass(300, license);
    expect(heard()).toEqual(['change active 8']);
    expect(readdirSync(product.folder)).toContain('license.vtlic');
  });
});
