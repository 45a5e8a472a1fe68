/** Replicas that share a store, each with a license file of its own, where licenses are pasted on one of them. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { IAT, licenseFile, NBF } from '../../../unit/verifier/sample.ts';
import { DAY, textOf } from '../../../unit/verifier/runtime/product.ts';
import { World } from './world.ts';

const YEAR = 365 * DAY;
/** Longer than the time after which a process reads what others wrote. */
const STEP = 600;
const COUNTERS = 8;
/** For years, for two months only, and from the next year on. */
const TERMS = [
  { nbf: NBF, exp: NBF + 3 * YEAR },
  { nbf: NBF, exp: NBF + 60 * DAY },
  { nbf: NBF + YEAR, exp: NBF + 4 * YEAR },
];

type Command =
  | { readonly kind: 'paste'; readonly host: number; readonly counter: number; readonly term: number }
  | { readonly kind: 'restart'; readonly host: number }
  | { readonly kind: 'pass'; readonly days: number };

const host = fc.integer({ min: 0, max: 2 });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('paste' as const),
    host,
    counter: fc.integer({ min: 1, max: COUNTERS }),
    term: fc.integer({ min: 0, max: TERMS.length - 1 }),
  }),
  fc.record({ kind: fc.constant('restart' as const), host }),
  fc.record({ kind: fc.constant('pass' as const), days: fc.constantFrom(1, 61, 200, 366) }),
);

/** A renewal waits in a file, a license for the time before it comes from another replica, and then a newer one. */
const TOO_OLD_RENEWAL: Command[] = [
  { kind: 'paste', host: 0, counter: 5, term: 2 },
  { kind: 'paste', host: 1, counter: 4, term: 0 },
  { kind: 'paste', host: 1, counter: 6, term: 0 },
  { kind: 'restart', host: 0 },
];

let files: readonly (readonly string[])[];
beforeAll(async () => {
  const counters = Array.from({ length: COUNTERS + 1 }, (_, ctr) => ctr + 1);
  files = await Promise.all(
    TERMS.map((term) =>
      Promise.all(counters.map(async (ctr) => textOf(await licenseFile({ ...term, ctr, iat: IAT + ctr, grace: 0 })))),
    ),
  );
});

describe('three replicas with a file each', () => {
  it('start again at any time, with what is in force on the others', async () => {
    let restarts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (commands) => {
        const world = new World(3, 1);
        try {
          for (const each of world.hosts) {
            each.drop(files[0]?.[0] ?? '');
            await each.restart();
          }
          for (const one of commands) {
            if (one.kind === 'pass') await world.pass(one.days * DAY);
            else if (one.kind === 'restart') await world.hosts[one.host]?.restart();
            else await world.hosts[one.host]?.live?.install(files[one.term]?.[one.counter] ?? '');
            await world.pass(STEP);
            await world.pass(STEP);
            if (one.kind === 'restart') restarts++;
            expect(world.hosts.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined]);
            const counters = world.hosts.map(({ inForce }) => inForce?.counter);
            expect(counters).toEqual([counters[0], counters[0], counters[0]]);
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: 100, examples: [[TOO_OLD_RENEWAL]] },
    );
    expect(restarts).toBeGreaterThan(20);
  });
});
