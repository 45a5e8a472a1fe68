/**
 * Copies of one site share an anchor, and each is stopped, killed or resumed at every act on it: no counter is on two
 * licenses, and nobody is locked out for good. What runs is the real exchange of the anchor; only its files and objects
 * are in memory.
 */
import { describe, expect, it } from 'vitest';
import { compareBytes, equalBytes, toHex } from '../../../../formats/bytes.ts';
import type { AnchorChange, AnchorRecord, AnchorStore } from '../../../../signer/anchor/anchor.ts';
import {
  decodeAnchorRecord,
  digestOf,
  encodeAnchorRecord,
  sameRecords,
} from '../../../../signer/anchor/anchor-record.ts';
import { type AnchorFiles, exchangeFile } from '../../../../signer/anchor/exchange-file.ts';
import { type AnchorObjects, exchangeObjects, seeObjects } from '../../../../signer/anchor/exchange-objects.ts';
import { explore, type Explored, type Gate, runAlone, type Totals } from '../../../support/explore.ts';
import { CopyOfSite, FIRST_PLACE } from './copies-of-a-site.ts';

/** `VTLIC_MODEL_KILLS=1` kills once more in every history: minutes instead of seconds. */
const MORE_KILLS = Number(process.env['VTLIC_MODEL_KILLS'] ?? 0);

/** A disk in memory: names with contents. */
class Storage {
  readonly items: Map<string, Uint8Array> = new Map();

  get text(): string {
    return [...this.items]
      .map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString('base64').slice(-12)}`)
      .sort()
      .join(',');
  }

  rename(from: string, to: string): boolean {
    const bytes = this.items.get(from);
    if (bytes === undefined) return false;
    this.items.delete(from);
    this.items.set(to, bytes);
    return true;
  }

  /** As a token: objects without names, in no order. Each change makes bytes of its own. */
  add(bytes: Uint8Array): void {
    this.items.set(toHex(bytes), bytes);
  }

  destroy(bytes: Uint8Array): void {
    for (const [name, item] of this.items) if (equalBytes(item, bytes)) this.items.delete(name);
  }

  list(): Uint8Array[] {
    return [...this.items.values()].sort(compareBytes);
  }
}

type Protocol = (
  storage: Storage,
  gate: Gate,
) => Pick<AnchorStore, 'settle' | 'replace'> & {
  readonly contents: () => Promise<readonly Uint8Array[]>;
};

const decodeAll = (contents: readonly Uint8Array[]): ReturnType<typeof decodeAnchorRecord>[] =>
  contents.map((bytes) => decodeAnchorRecord(bytes));

function recordsIn(contents: readonly Uint8Array[]): readonly AnchorRecord[] {
  return decodeAll(contents).flatMap((content) => (content === undefined || content.moved ? [] : [content.record]));
}

const bytesOf = ({ next, moved = false, nonce }: AnchorChange): Uint8Array =>
  encodeAnchorRecord({ record: next, moved }, nonce);

/** What version 0.1.0 did: read, then make the new file exclusively and rename it. */
const fileBefore: Protocol = (storage, gate) => {
  const contents = (): Promise<readonly Uint8Array[]> =>
    gate('read', () => [storage.items.get('anchor')].filter((bytes) => bytes !== undefined));
  return {
    contents,
    settle: () => Promise.resolve(),
    replace: async (change) => {
      if (!sameRecords(recordsIn(await contents()), change.known)) return false;
      await gate('create', () => storage.items.set('new', bytesOf(change)));
      await gate('rename', () => storage.rename('new', 'anchor'));
      return true;
    },
  };
};

const objectsBefore: Protocol = (storage, gate) => {
  const contents = (): Promise<readonly Uint8Array[]> => gate('list', () => storage.list());
  return {
    contents,
    settle: () => Promise.resolve(),
    replace: async (change) => {
      const old = await contents();
      if (!sameRecords(recordsIn(old), change.known)) return false;
      await gate('create', () => {
        storage.add(bytesOf(change));
      });
      for (const bytes of old)
        await gate('destroy', () => {
          storage.destroy(bytes);
        });
      return true;
    },
  };
};

const inFile: Protocol = (storage, gate) => {
  const get = (name: string): Promise<Uint8Array | undefined> => gate(`get ${name}`, () => storage.items.get(name));
  const files: AnchorFiles = {
    anchor: () => get('anchor'),
    leftNew: () => Promise.resolve(undefined),
    names: () =>
      gate('names', () => {
        const names = [...storage.items.keys()].filter((name) => name !== 'anchor').sort();
        return names.length === 0 ? undefined : names;
      }),
    content: get,
    makeGuard: (name) =>
      gate('guard', () => {
        if ([...storage.items.keys()].every((other) => other === 'anchor')) storage.items.set(name, new Uint8Array());
      }),
    create: (name, bytes) =>
      gate('create', () => {
        if (storage.items.has(name)) throw new Error('a name is used a second time');
        storage.items.set(name, bytes);
      }),
    rename: (from, to) => gate('rename', () => storage.rename(from, to)),
    publish: (name) =>
      gate('publish', () => {
        storage.rename(name, 'anchor');
      }),
    remove: (name) =>
      gate('remove', () => {
        storage.items.delete(name);
      }),
    removeLeftNew: () => Promise.resolve(),
  };
  return {
    // A look that only advises, and decides nothing, is one act here.
    contents: () => gate('look', () => contentsOf(storage)),
    settle: () => Promise.resolve(),
    replace: (change) =>
      exchangeFile(files, (seen) => sameRecords(recordsIn(seen.contents), change.known), bytesOf(change)),
  };
};

function contentsOf({ items }: Storage): readonly Uint8Array[] {
  const anchor = items.get('anchor');
  const turn = [...items.keys()].find((name) => name.startsWith('at-'));
  const decided = turn === undefined ? undefined : items.get(`new-${turn.slice(3)}`);
  const contents = [decided ?? anchor].filter((bytes) => bytes !== undefined);
  const [only] = contents;
  if (only !== undefined && turn !== undefined && turn !== `at-${toHex(digestOf(only).subarray(0, 16))}`)
    throw new Error('the file is not the one that the guard names');
  return contents;
}

const inToken: Protocol = (storage, gate) => {
  const objects: AnchorObjects = {
    list: () => gate('list', () => storage.list()),
    create: (bytes) =>
      gate('create', () => {
        storage.add(bytes);
      }),
    destroy: (bytes) =>
      gate('destroy', () => {
        storage.destroy(bytes);
      }),
  };
  return {
    contents: async () => (await seeObjects(objects)).contents,
    settle: async (nonce) => {
      await exchangeObjects(objects, () => true, undefined, nonce, ATTEMPTS);
    },
    replace: (change) =>
      exchangeObjects(
        objects,
        (seen) => sameRecords(recordsIn(seen.contents), change.known),
        bytesOf(change),
        change.nonce,
        ATTEMPTS,
      ),
  };
};

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
const IN_TOKEN = SCENARIOS.filter(({ name }) => MORE_KILLS > 0 || !LONG_IN_TOKEN.test(name)).map((scenario) => ({
  ...scenario,
  kills: 0,
}));

describe.each([
  ['a file', inFile, fileBefore, SCENARIOS],
  ['a token', inToken, objectsBefore, IN_TOKEN],
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
