/**
 * The whole life of a product: starts, installations, restored files and states, clocks that are wrong, renewals early,
 * late and in grace, replicas, stores that diverge. The properties are about the licenses that were seen in force, not
 * about how the runtime decides.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import type { StoredCopy } from '../../../../verifier/runtime/index.ts';
import { IAT, licenseFile, NBF } from '../../../unit/verifier/sample.ts';
import { DAY, textOf } from '../../../unit/verifier/runtime/product.ts';
import { World, type Host } from './world.ts';

const YEAR = 365 * DAY;
const GRACE = 30 * DAY;
/** Longer than the time after which a process reads what others wrote. */
const STEP = 600;

/** Renewals of one customer, each dated a month before the year that it is for. */
const renewal = (ctr: number): Partial<License> => ({
  ctr,
  iat: IAT + (ctr - 1) * YEAR,
  nbf: NBF + (ctr - 1) * YEAR,
  exp: NBF + ctr * YEAR,
  grace: GRACE,
});
const RENEWALS = 5;
let renewals: readonly string[];
let others: readonly string[];

beforeAll(async () => {
  const counters = Array.from({ length: RENEWALS }, (_, i) => i + 1);
  renewals = await Promise.all(counters.map(async (ctr) => textOf(await licenseFile(renewal(ctr)))));
  const changed: Partial<License>[] = [
    { ...renewal(1), sub: 'another-customer', iat: IAT + 1 },
    { ...renewal(2), sub: 'another-customer', iat: IAT + YEAR + 1 },
    { ...renewal(2), seats: 9999 },
    { ...renewal(3), clk: true, iat: IAT + YEAR, nbf: NBF },
    { ...renewal(2), exp: NBF + 10 * YEAR, nbf: NBF },
  ];
  others = await Promise.all(changed.map(async (changes) => textOf(await licenseFile(changes))));
});

type Command =
  | { readonly kind: 'drop' | 'paste'; readonly host: number; readonly license: number }
  | { readonly kind: 'restart'; readonly host: number }
  | { readonly kind: 'pass'; readonly days: number }
  | { readonly kind: 'clock'; readonly host: number; readonly days: number }
  | { readonly kind: 'away' | 'back' | 'damage' | 'lose'; readonly store: number }
  | { readonly kind: 'save' | 'restore' };

const host = fc.integer({ min: 0, max: 2 });
const store = fc.integer({ min: 0, max: 1 });
const license = fc.integer({ min: 0, max: RENEWALS + 4 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('drop', 'paste'), host, license }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart'), host }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), days: fc.constantFrom(0, 1, 4, 40, 200, 365) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('clock'),
      host,
      days: fc.constantFrom(-4000, -400, -1, 0, 1, 400, 30_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('away', 'back', 'damage', 'lose'), store }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('save', 'restore') }) },
) as fc.Arbitrary<Command>;

/** A newer license of another customer takes the place of the first, on one host and then on the next. */
const CHANGE_OF_CUSTOMER: Command[] = [
  { kind: 'paste', host: 0, license: RENEWALS },
  { kind: 'pass', days: 1 },
  { kind: 'drop', host: 1, license: RENEWALS },
  { kind: 'restart', host: 1 },
];

describe('whatever happens to three replicas with two stores', () => {
  it('no license is in force that is older than one that was, as long as a copy of the state is left', async () => {
    const met = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        const world = new World(3, 2);
        const all = [...renewals, ...others];
        /** Customer → the highest counter that was in force, since the state exists. */
        let highest = new Map<string, number>();
        let saved:
          { readonly copies: readonly (StoredCopy | undefined)[]; readonly highest: Map<string, number> } | undefined;
        for (const each of world.hosts) {
          each.drop(renewals[0] ?? '');
          await each.restart();
        }
        try {
          for (const one of commands) {
            await perform(one, world, all);
            if (one.kind === 'save')
              saved = { copies: await Promise.all(world.stores.map((each) => each.save())), highest: new Map(highest) };
            if (one.kind === 'restore' && saved !== undefined) {
              // A whole volume that is rolled back, with the processes that ran on it: nothing local notices.
              for (const { live } of world.hosts) await live?.close();
              for (const each of world.hosts) each.live = undefined;
              for (const [i, each] of world.stores.entries()) await each.restore(saved.copies[i]);
              highest = new Map(saved.highest);
            }
            // What others wrote is read, and what a store missed is written to it.
            await world.pass(STEP);
            await world.pass(STEP);
            for (const { inForce } of world.hosts) {
              if (inForce === undefined) continue;
              met.set(inForce.customer, (met.get(inForce.customer) ?? 0) + 1);
              const before = highest.get(inForce.customer) ?? 0;
              expect(inForce.counter, one.kind).toBeGreaterThanOrEqual(before);
              highest.set(inForce.customer, inForce.counter);
            }
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: 100, examples: [[CHANGE_OF_CUSTOMER]] },
    );
    // The walk proves something only if licenses were in force during it; how often varies with the seed.
    expect(met.get('acme-gmbh')).toBeGreaterThan(100);
    expect(met.get('another-customer')).toBeGreaterThanOrEqual(CHANGE_OF_CUSTOMER.length);
  });
});

/**
 * A store is taken away only while both can be reached and a product runs, which brings both to the newest state: an
 * adversary who takes every copy of the newest state takes the state.
 */
const mayLoseOne = (world: World): boolean =>
  world.stores.every(({ isAway }) => !isAway) && world.hosts.some(({ live }) => live !== undefined);

async function perform(one: Command, world: World, all: readonly string[]): Promise<void> {
  switch (one.kind) {
    case 'drop':
      world.hosts[one.host]?.drop(all[one.license] ?? '');
      break;
    case 'paste':
      await world.hosts[one.host]?.live?.install(all[one.license] ?? '');
      break;
    case 'restart':
      await world.hosts[one.host]?.restart();
      break;
    case 'pass':
      await world.pass(one.days * DAY);
      break;
    case 'clock': {
      const at = world.hosts[one.host];
      if (at !== undefined) at.wrong = one.days * DAY;
      break;
    }
    case 'away':
      if (mayLoseOne(world)) setAway(world, one.store, true);
      break;
    case 'back':
      setAway(world, one.store, false);
      break;
    case 'damage':
      if (mayLoseOne(world)) await world.stores[one.store]?.damage();
      break;
    case 'lose':
      if (mayLoseOne(world)) await world.stores[one.store]?.restore(undefined);
      break;
    case 'save':
    case 'restore':
      break;
  }
}

function setAway(world: World, number: number, isAway: boolean): void {
  const one = world.stores[number];
  if (one !== undefined) one.isAway = isAway;
}

type Honest =
  | { readonly kind: 'pass'; readonly days: number }
  | {
      readonly kind:
        'restart' | 'wrong clock once' | 'clock an hour off' | 'lose a store' | 'lose the state' | 'blanks';
    }
  | { readonly kind: 'renew'; readonly way: 'paste' | 'drop' };

const honest: fc.Arbitrary<Honest> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass'), days: fc.constantFrom(1, 20, 340, 345, 390) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'restart',
        'wrong clock once',
        'clock an hour off',
        'lose a store',
        'lose the state',
        'blanks',
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('renew'), way: fc.constantFrom('paste', 'drop') }) },
) as fc.Arbitrary<Honest>;

describe('an honest customer, whatever he does', () => {
  it('always starts, and has the full license whenever the newest one he was sent is in its time', async () => {
    let full = 0;
    let early = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(honest, { maxLength: 20 }), async (steps) => {
        const world = new World(1, 2);
        const [only] = world.hosts;
        if (only === undefined) throw new Error('there is no host');
        let installed = 1;
        /** The license before the one that is installed is still in the state. */
        let hasKept = false;
        only.drop(renewals[0] ?? '');
        await only.restart();
        try {
          for (const step of steps) {
            const before = only.inForce?.counter;
            const next = await live(step, world, only, installed);
            if (next !== installed) hasKept = before === installed;
            if (step.kind === 'lose the state') hasKept = false;
            installed = next;
            await world.pass(STEP);
            expect(only.refusal, step.kind).toBeUndefined();
            const { nbf = 0 } = renewal(installed);
            const isEarly = world.time < nbf;
            const serving = isEarly && hasKept ? installed - 1 : isEarly ? 0 : installed;
            const expected = serving > 0 && world.time < NBF + serving * YEAR + GRACE ? serving : undefined;
            if (expected !== undefined) full++;
            if (isEarly && expected !== undefined) early++;
            expect(only.inForce?.counter, step.kind).toBe(expected);
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: 150 },
    );
    expect(full).toBeGreaterThan(100);
    expect(early).toBeGreaterThan(0);
  });
});

/** @returns the counter of the license that is installed now */
async function live(step: Honest, world: World, only: Host, counter: number): Promise<number> {
  if (step.kind === 'renew') return renew(step.way, world, only, counter);
  if (step.kind === 'pass') {
    await world.pass(step.days * DAY);
    return counter;
  }
  if (step.kind === 'blanks') only.drop(`\r\n${(renewals[counter - 1] ?? '').replaceAll('\n', '\r\n')}\n\n`);
  if (step.kind === 'lose a store') await world.stores[0]?.restore(undefined);
  if (step.kind === 'lose the state') {
    // A new machine, to which only the license was copied.
    await only.live?.close();
    only.live = undefined;
    for (const each of world.stores) await each.restore(undefined);
  }
  only.wrong = step.kind === 'wrong clock once' ? 70 * YEAR : step.kind === 'clock an hour off' ? -3600 : 0;
  await only.restart();
  if (only.wrong !== 0) {
    await world.pass(DAY);
    only.wrong = 0;
    await only.restart();
  }
  return counter;
}

/** Sent a month before its year; installed then, or as late as he likes. */
async function renew(way: 'paste' | 'drop', world: World, only: Host, counter: number): Promise<number> {
  const next = counter + 1;
  const text = renewals[next - 1];
  if (text === undefined || world.time < (renewal(next).iat ?? 0)) return counter;
  if (way === 'drop') {
    only.drop(text);
    await only.restart();
    return next;
  }
  const isLapsed = world.time >= (renewal(next).exp ?? 0) + GRACE;
  const result = await only.live?.install(text);
  expect(result?.ok).toBe(!isLapsed);
  return isLapsed ? counter : next;
}
