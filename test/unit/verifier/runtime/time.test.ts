/** Clocks that are wrong (docs/runtime.md, "Time"). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, type LiveLicense } from '../../../../verifier/runtime/index.ts';
import { StateKeeper } from '../../../../verifier/runtime/state-keeper.ts';
import { decodeState } from '../../../../verifier/runtime/state-document.ts';
import type { RuntimeState } from '../../../../verifier/runtime/state.ts';
import { makeTrust } from '../../../../verifier/trust.ts';
import { ed25519Key, EXP, IAT, licenseFile, NBF, trusted } from '../sample.ts';
import { DAY, Product, textOf } from './product.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
  product.keepStateInMemory();
});
afterEach(async () => {
  await product.remove();
});

describe('a clock that is set back', () => {
  it('does not bring back a license that lapsed, once the product has run for three days', async () => {
    await product.dropLicense({ grace: 0 });
    product.clock = EXP - 4 * DAY;
    const license = await product.start();
    for (let hour = 0; hour < 75; hour++) await product.pass(3600, license);
    await license.close();
    product.clock = EXP + 1800;
    const later = await product.start();
    expect(later.state).toBe('free_tier');
    for (let hour = 0; hour < 2; hour++) await product.pass(3600, later);
    await later.close();
    product.clock = NBF;
    expect((await product.start()).state).toBe('free_tier');
  });

  it('a clock below the iat of a license that was accepted counts as that iat', async () => {
    await product.dropLicense({ iat: NBF + DAY });
    product.clock = NBF - 10 * DAY;
    expect((await product.start()).state).toBe('free_tier');
    product.clock = NBF + DAY;
    await (await product.start()).close();
    product.clock = NBF - 10 * DAY;
    expect((await product.start()).state).toBe('active');
  });

  it('a clock below the nbf gives the free tier until it is right, unless the product has run for three days', async () => {
    await product.dropLicense();
    const first = await product.start();
    await product.pass(DAY, first);
    await first.close();
    product.clock = 0;
    const license = await product.start();
    expect(license.state).toBe('free_tier');
    product.clock = NBF + DAY;
    await license.refresh();
    expect(license.state).toBe('active');
    for (let hour = 0; hour < 80; hour++) await product.pass(3600, license);
    await license.close();
    product.clock = 0;
    expect((await product.start()).state).toBe('active');
  });

  it('a clock that is set back or stands still does not keep a running product from noticing the end', async () => {
    await product.dropLicense({ iat: IAT, grace: 0 });
    product.clock = EXP - 10;
    const license = await product.start();
    for (let hour = 0; hour < 72; hour++) {
      product.running += 3600;
      await license.refresh();
    }
    expect(license.state).toBe('active');
    // From here on the floor is that of the clock, and follows the running time.
    product.running += 20;
    await license.refresh();
    expect(license.state).toBe('free_tier');
  });
});

describe('a clock that is far ahead twice', () => {
  const run = async (license: LiveLicense, hours: number): Promise<void> => {
    for (let hour = 0; hour < hours; hour++) await product.pass(3600, license);
  };
  const right = NBF + 3 * DAY;

  it('becomes the floor after three days with the second lead', async () => {
    await product.dropLicense({ exp: right + 6 * DAY, grace: 0 });
    product.clock = NBF;
    const license = await product.start();
    await run(license, 72);
    product.clock = right + 3 * DAY;
    await run(license, 72);
    product.clock = right;
    await license.refresh();
    expect(license.state).toBe('free_tier');
    await license.close();
  });

  it('does not become the floor before three days with the second lead', async () => {
    await product.dropLicense({ exp: right + 5 * DAY, grace: 0 });
    product.clock = NBF;
    const first = await product.start();
    await run(first, 72);
    await first.close();
    const license = await product.start();
    product.clock = right + 3 * DAY;
    await run(license, 48);
    product.clock = right + 2 * DAY;
    await run(license, 1);
    product.clock = right + 5 * DAY;
    await run(license, 48);
    product.clock = right;
    await license.refresh();
    expect(license.state).toBe('active');
    await license.close();
  });
});

describe('a clock that is far ahead', () => {
  it('counts at that moment, and leaves nothing behind once it is right again', async () => {
    await product.dropLicense({ grace: 0 });
    await (await product.start()).close();
    product.clock = NBF + 70 * 365 * DAY;
    const wrong = await product.start();
    expect(wrong.state).toBe('free_tier');
    for (let hour = 0; hour < 48; hour++) await product.pass(3600, wrong);
    product.clock = NBF + DAY;
    await wrong.refresh();
    expect(wrong.state).toBe('active');
    await wrong.close();
    expect((await product.start()).state).toBe('active');
  });

  it('is said once the floor is known', async () => {
    await product.dropLicense({ grace: 0 });
    const license = await product.start();
    for (let hour = 0; hour < 80; hour++) await product.pass(3600, license);
    expect(license.view().warnings.map(({ code }) => code)).not.toContain('clock_ahead');
    product.clock += 30 * DAY;
    await license.refresh();
    expect(license.view().warnings.map(({ code }) => code)).toContain('clock_ahead');
  });
});

describe('a license with clk', () => {
  it('is the way out for an installation that accepted a license with a wrong time', async () => {
    const wrongIat = NBF + 50 * 365 * DAY;
    await product.dropLicense({ ctr: 7, iat: wrongIat, exp: wrongIat + DAY, grace: 0 });
    const license = await product.start();
    expect(license.state).toBe('active');
    const honest = textOf(await licenseFile({ ctr: 8, grace: 0 }));
    expect(await license.install(honest)).toMatchObject({ ok: false, refusal: { code: 'lapsed' } });
    const way = textOf(await licenseFile({ ctr: 9, clk: true, grace: 0 }));
    expect(await license.install(way)).toEqual({ ok: true, outcome: 'in_force' });
    expect(license.view().license?.counter).toBe(9);
    await license.close();
    const again = await product.start();
    expect(again.state).toBe('active');
    expect(again.nextChange).toBe(EXP);
  });
});

describe('a policy with a date', () => {
  it('ends a license by Ed25519 at its second, in a running product', async () => {
    await product.dropLicense();
    const until = NBF + 10 * DAY;
    const license = await product.start({ keys: makeTrust({ keys: [trusted(ed25519Key)], ed25519Until: until }) });
    expect(license.nextChange).toBe(until);
    await product.pass(10 * DAY - 1, license);
    expect(license.state).toBe('active');
    await product.pass(1, license);
    expect(license.state).toBe('free_tier');
    expect(license.view().warnings.map(({ code }) => code)).toContain('algorithm_not_allowed');
  });
});

describe('three replicas with one store', () => {
  it('advance the time as fast as one does, since only the holder of the lease does', async () => {
    const store = memoryStore();
    await product.dropLicense();
    const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
    const replicas = [];
    for (let i = 0; i < 3; i++) replicas.push(await product.start({ stores: [store], environment }));
    const floor = async (): Promise<number> => {
      const decoded = decodeState((await store.read())?.document ?? new Uint8Array());
      if (!decoded.ok) throw new Error(decoded.detail);
      return decoded.state.time.floor;
    };
    for (let hour = 0; hour < 40; hour++) {
      product.clock += 3600;
      product.running += 3600;
      for (const replica of replicas) await replica.refresh();
    }
    expect(await floor()).toBe(40 * 3600);
    // The holder ends; another one takes over.
    await replicas[0]?.close();
    for (let hour = 0; hour < 40; hour++) {
      product.clock += 3600;
      product.running += 3600;
      for (const replica of replicas.slice(1)) await replica.refresh();
    }
    expect(await floor()).toBeGreaterThan(NBF);
  });

  it('a replica without the lease leaves the time to its holder, also when it writes the state', async () => {
    const store = memoryStore();
    let running = 0;
    const clocks = { clock: () => 0, monotonic: () => running };
    const same = (state: RuntimeState): RuntimeState => state;
    const [holder, other] = [new StateKeeper([store], clocks, same), new StateKeeper([store], clocks, same)];
    const began = await holder.change(same);
    running += 1000;
    const written = await other.change(same);
    expect(began.ok && written.ok && written.state.lease?.holder).toBe(began.ok && began.state.lease?.holder);
    expect(written).toMatchObject({ ok: true, state: { time: { floor: 0 } } });
  });

  it('the holder neither counts the seconds twice that another one counted, nor those before another epoch', async () => {
    const store = memoryStore();
    let running = 0;
    const clocks = { clock: () => 0, monotonic: () => running };
    const same = (state: RuntimeState): RuntimeState => state;
    const holder = new StateKeeper([store], clocks, same);
    const other = new StateKeeper([store], clocks, same);
    await holder.change(same);
    const floorAfter = async (change: (state: RuntimeState) => RuntimeState): Promise<number | undefined> => {
      running += 1000;
      await other.change(change);
      const changed = await holder.change(same);
      return changed.ok ? changed.state.time.floor : undefined;
    };
    const at = (floor: number): RuntimeState['time'] => ({ floor, leadRun: 0, leadTime: 0 });
    expect(await floorAfter((state) => ({ ...state, time: at(5000) }))).toBe(5000);
    expect(await floorAfter((state) => ({ ...state, epoch: 1, time: at(300) }))).toBe(300);
  });
});
