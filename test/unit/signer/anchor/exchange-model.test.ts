/**
 * Copies of one site share an anchor, and each is stopped, killed or resumed at every act on it: no counter is on two
 * licenses, and nobody is locked out for good. What runs is the real exchange of the anchor; only its files and objects
 * are in memory.
 */
import { describe, expect, it } from 'vitest';
import type { AnchorStore } from '../../../../signer/anchor/anchor.ts';
import { encodeAnchorRecord } from '../../../../signer/anchor/anchor-record.ts';
import { explore, type Explored, type Gate, runAlone, type Totals } from '../../../support/explore.ts';
import { CopyOfSite, FIRST_PLACE } from './copies-of-a-site.ts';
import {
  decodeAll,
  fileBefore,
  inFile,
  inToken,
  objectsBefore,
  type Protocol,
  recordsIn,
  Storage,
} from './exchange-protocols.ts';

/** `VTLIC_MODEL_KILLS=1` kills once more in every history: minutes instead of seconds. */
const ASKED = process.env['VTLIC_MODEL_KILLS'];
const MORE_KILLS = Number(ASKED ?? 0);

/** How often a change in a token begins anew when another one interrupts it, before its run gives up. */
const ATTEMPTS = 1 + MORE_KILLS;

type Run = (gate: Gate) => Promise<void>;

interface Scenario {
  readonly name: string;
  readonly kills: number;
  readonly runs: (a: CopyOfSite, b: CopyOfSite) => readonly (readonly Run[])[];
}

/** A copy that is taken of another one at any moment, also while that one is stopped. */
const copied =
  (copy: CopyOfSite, of: CopyOfSite, then: Run): Run =>
  async (gate) => {
    await gate('copied', () => {
      copy.copyFrom(of);
    });
    await then(gate);
  };

const SCENARIOS: readonly Scenario[] = [
  { name: 'both issue', kills: 1, runs: (a, b) => [[a.issue], [b.issue]] },
  { name: 'both issue, one of them twice', kills: 0, runs: (a, b) => [[a.issue, a.issue], [b.issue]] },
  { name: 'one issues, one restores', kills: 0, runs: (a, b) => [[a.issue], [b.restore(), b.issue]] },
  {
    name: 'one issues, one has lost and restores',
    kills: 0,
    runs: (a, b) => [[a.issue], [b.issue, b.restore(), b.issue]],
  },
  {
    name: 'both restore',
    kills: 0,
    runs: (a, b) => [
      [a.issue, a.restore()],
      [b.issue, b.restore()],
    ],
  },
  { name: 'one moves the anchor, one issues', kills: 0, runs: (a, b) => [[a.move('Y'), a.issue], [b.issue]] },
  {
    name: 'both move the anchor',
    kills: 0,
    runs: (a, b) => [
      [a.move('Y'), a.issue],
      [b.move('Z'), b.issue],
    ],
  },
  {
    name: 'one moves the anchor, one restores',
    kills: 0,
    runs: (a, b) => [
      [a.move('Y'), a.issue],
      [b.restore('Y'), b.issue],
    ],
  },
  {
    name: 'a copy is taken of one that is stopped',
    kills: 0,
    runs: (a, b) => [[a.issue], [copied(b, a, b.issue)]],
  },
];

function worldOf(protocol: Protocol, { runs }: Scenario): Explored {
  const storages = new Map<string, Storage>();
  const left = new Set<string>();
  const store = (place: string, gate: Gate): AnchorStore => {
    const storage = storages.get(place) ?? new Storage();
    storages.set(place, storage);
    const { contents, settle, replace } = protocol(storage, gate);
    return {
      description: place,
      whenMissing: '',
      settle,
      replace,
      read: async () => recordsIn(await contents()),
      movedBy: async () => decodeAll(await contents()).find((content) => content?.moved === true)?.record,
    };
  };
  const places = { store, left };
  const [a, b] = ['a', 'b'].map((name) => new CopyOfSite(name, places));
  if (a === undefined || b === undefined) throw new Error('no copies');
  const first = new Storage();
  // As version 0.1.0 left it, and as an issue with this version does.
  first.items.set('anchor', encodeAnchorRecord({ record: a.record(), moved: false }, new Uint8Array(16)));
  storages.set(FIRST_PLACE, first);
  return {
    processes: runs(a, b),
    shared: () =>
      [...storages].map(([name, storage]) => `${name}:${storage.text}`).join(';') +
      [...left].sort().join() +
      a.text +
      b.text,
    check: () => {
      const counters = [...left].map((license) => license.split(' ')[0]);
      if (new Set(counters).size !== counters.length)
        throw new Error(`one counter is on two licenses: ${[...left].join(', ')}`);
    },
    atEnd: async () => {
      const before = left.size;
      const ends: string[] = [];
      for (const run of [
        a.issue,
        a.move('Y'),
        a.issue,
        a.restore(),
        a.issue,
        a.restore('Y'),
        a.issue,
        a.restore('Z'),
        a.issue,
        a.restore('X'),
        a.issue,
      ]) {
        ends.push(await runAlone(run));
        if (left.size > before) return;
      }
      throw new Error(`the first copy is locked out for good: ${ends.join('; ')}`);
    },
  };
}

async function exploreAll(protocol: Protocol, scenario: Scenario): Promise<Totals> {
  return explore(() => worldOf(protocol, scenario), scenario.kills + MORE_KILLS);
}

/** A token has more states than a file: moves, two restores and kills are explored with `VTLIC_MODEL_KILLS`. */
const LONG_IN_TOKEN = /move|both restore/;
const IN_TOKEN = SCENARIOS.filter(({ name }) => ASKED !== undefined || !LONG_IN_TOKEN.test(name)).map((scenario) => ({
  ...scenario,
  kills: 0,
}));

describe.each([
  ['a file', inFile, fileBefore, SCENARIOS],
  ['a token', inToken(ATTEMPTS), objectsBefore, IN_TOKEN],
])('an anchor in %s that copies of one site share', (_name, protocol, before, scenarios) => {
  it.each(scenarios)(
    'gives no counter to two licenses, and locks nobody out: $name',
    { timeout: 1_200_000 },
    async (scenario) => {
      const totals = await exploreAll(protocol, scenario);
      expect(totals.states).toBeGreaterThan(50);
      expect(totals.ends).toBeGreaterThan(1);
    },
  );

  it.each(SCENARIOS)(
    'gave one counter to two licenses as version 0.1.0 wrote it: $name',
    { timeout: 1_200_000 },
    async (scenario) => {
      await expect(exploreAll(before, scenario)).rejects.toThrow('one counter is on two licenses');
    },
  );
});
