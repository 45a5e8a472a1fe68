/**
 * Copies of one site share an anchor, and each is stopped, killed or resumed at every act on it: no counter is on two
 * licenses, and nobody is locked out for good. What runs is the real exchange of the anchor; only its files and objects
 * are in memory. `npm run test:model` explores more: a kill in every history, and changes that begin anew.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../formats/bytes.ts';
import { isCborArray } from '../../../../formats/cbor/index.ts';
import { decodeOrNothing } from '../../../../signer/anchor/anchor-record.ts';
import { exploreScenario, type Scenario, SCENARIOS } from './anchor-scenarios.ts';
import {
  fileBefore,
  inFile,
  inToken,
  notAtOnce,
  objectsBefore,
  objectsOf,
  type Protocol,
} from './exchange-protocols.ts';

const TIMEOUT = { timeout: 600_000 };

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
}

describe.each([
  ['a file', inFile, fileBefore],
  ['a token', inToken(1), objectsBefore],
])('an anchor in %s that copies of one site share', (_place, protocol, before) => {
  it.each(SCENARIOS)('gives no counter to two licenses, and locks nobody out: $name', TIMEOUT, async (each) => {
    const totals = await exploreScenario(protocol, each, 0);
    expect(totals.states).toBeGreaterThan(500);
    expect(totals.ends).toBeGreaterThan(3);
  });

  it('gives no counter to two licenses where either copy is killed at any act', TIMEOUT, async () => {
    expect((await exploreScenario(protocol, scenario('both issue'), 1)).states).toBeGreaterThan(10_000);
  });

  it.each(SCENARIOS)('gave one counter to two licenses as version 0.1.0 wrote it: $name', TIMEOUT, async (each) => {
    await expect(exploreScenario(before, each, 0)).rejects.toThrow('one counter is on two licenses');
  });
});

describe('an anchor in a token that looks at one object after the other', () => {
  it.each(['both issue', 'both issue, one of them twice', 'one moves the anchor, one restores'].map(scenario))(
    'gives no counter to two licenses: $name',
    TIMEOUT,
    async (each) => {
      expect((await exploreScenario(inToken(1, notAtOnce), each, 0)).states).toBeGreaterThan(5000);
    },
  );
});

describe('the exploration', () => {
  it.each(SCENARIOS)(
    'finds a change in a token that does not see the claims of others: $name',
    TIMEOUT,
    async (each) => {
      const blind = inToken(1, (place, gate) => {
        const objects = objectsOf(place, gate);
        const mine = new Set<string>();
        return {
          ...objects,
          list: async () => (await objects.list()).filter((bytes) => !isClaim(bytes) || mine.has(toHex(bytes))),
          create: (bytes) => {
            mine.add(toHex(bytes));
            return objects.create(bytes);
          },
        };
      });
      await expect(exploreScenario(blind, each, 0)).rejects.toThrow('one counter is on two licenses');
    },
  );

  it('finds a change in a token that goes by one list', TIMEOUT, async () => {
    const single = inToken(1, (place, gate) => {
      const objects = notAtOnce(place, gate);
      let before: readonly Uint8Array[] | undefined;
      return {
        ...objects,
        list: async () => {
          const again = before;
          before = again === undefined ? await objects.list() : undefined;
          return again ?? before ?? [];
        },
      };
    });
    const each = scenario('one moves the anchor, one restores');
    await expect(exploreScenario(single, each, 0)).rejects.toThrow('one counter is on two licenses');
  });

  it.each(SCENARIOS)('finds an anchor that nothing can change any more: $name', TIMEOUT, async (each) => {
    const stuck: Protocol = (place, gate) => ({ ...inFile(place, gate), replace: () => Promise.resolve(false) });
    await expect(exploreScenario(stuck, each, 0)).rejects.toThrow('both copies are locked out for good');
  });
});

function isClaim(bytes: Uint8Array): boolean {
  const value = decodeOrNothing(bytes);
  return isCborArray(value) && value.length === 7 && value[5] instanceof Uint8Array && value[5].length === 0;
}
