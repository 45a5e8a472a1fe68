/** How a license comes into force: each step of the product's consent, with what is said of it. */
import { describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import {
  COMMIT_SECONDS,
  Committer,
  lockWarnings,
  type CommitHooks,
  type Taken,
} from '../../../../verifier/runtime/commit.ts';
import { memoryStore, type Notice, type StateStore } from '../../../../verifier/runtime/index.ts';
import type { Situation } from '../../../../verifier/runtime/judge.ts';
import { StateKeeper } from '../../../../verifier/runtime/state-keeper.ts';
import { NBF, EXP } from '../sample.ts';
import { at, composite, examined, first, renewal, RENEWAL_NBF } from './judged.ts';

const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const words = ({ fault, warnings }: Taken): unknown => [fault && said(fault), ...warnings.map(said)];

/** A product with its state in memory, at the time of the clock. */
class Site {
  readonly store: StateStore;
  readonly keeper: StateKeeper;
  readonly committer: Committer;
  readonly asked: string[] = [];
  clock: number = NBF;

  constructor(hooks: CommitHooks = {}, changes: Partial<StateStore> = {}) {
    const timed = { commitSeconds: COMMIT_SECONDS, ...hooks };
    this.store = { ...memoryStore(), name: 'the store', ...changes };
    const clocks = { clock: () => this.clock, monotonic: () => 0 };
    this.keeper = new StateKeeper([this.store], clocks, (state) => state);
    const situation = (): Situation => ({ ...at(0), ...this.keeper.situation() });
    this.committer = new Committer(timed, this.keeper, situation);
  }

  counters(): readonly number[] {
    return this.keeper.state.entries.map(({ counter }) => counter);
  }
}

const CREATED = 'state_created: the store';
const license = examined(first, at(NBF));

/** Hooks that write down with which counters they are called. */
const noting = (asked: string[]): CommitHooks => ({
  beforeCommit: (before: License | undefined, next: License) => void asked.push(`before ${before?.ctr} ${next.ctr}`),
  afterCommit: ({ ctr }: License) => void asked.push(`after ${ctr}`),
});

describe('a license that is taken', () => {
  it('is asked about, written, and the product hears of it, in this order', async () => {
    const asked: string[] = [];
    const site = new Site(noting(asked));
    expect(words(await site.committer.take(license, undefined))).toEqual([undefined, CREATED]);
    expect([asked, site.counters()]).toEqual([['before undefined 7', 'after 7'], [7]]);
    expect(await site.store.readLock()).toBeUndefined();
    site.clock = RENEWAL_NBF;
    const next = examined(renewal, at(RENEWAL_NBF));
    expect(words(await site.committer.take(next, license))).toEqual([undefined]);
    expect(asked.slice(2)).toEqual(['before 7 8', 'after 8']);
    expect(await site.committer.ask(next, license)).toBeUndefined();
    expect(asked).toHaveLength(4);
  });

  it('comes into force without hooks, and by hooks that work for a while', async () => {
    expect(words(await new Site().committer.take(license, undefined))).toEqual([undefined, CREATED]);
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    for (const commitSeconds of [10, 1e10]) {
      const slow = new Site({ beforeCommit: pause, afterCommit: pause, commitSeconds });
      expect(words(await slow.committer.take(license, undefined))).toEqual([undefined, CREATED]);
      expect(await slow.committer.tell(undefined)).toEqual([]);
    }
  });

  it('leaves no timer behind, which would keep the process alive', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const { committer } = new Site({ beforeCommit: () => undefined, commitSeconds: 10 });
    const before = timers();
    await committer.ask(license, undefined);
    expect(timers()).toBe(before);
  });

  it('stays out of force where the product refuses it, and nothing is written', async () => {
    const site = new Site({ beforeCommit: () => Promise.reject(new Error('no\u001b[2J room')) });
    const taken = await site.committer.take(license, undefined);
    expect(words(taken)).toEqual(['commit_refused: no\\u{001B}[2J room']);
    expect(taken.fault?.values).toEqual({ message: 'no\\u{001B}[2J room' });
    expect([site.counters(), await site.store.read(), await site.store.readLock()]).toEqual([[], undefined, undefined]);
  });

  it('is in force where the product fails after that, with a warning', async () => {
    const fails = (): never => {
      throw new Error('no room');
    };
    const site = new Site({ afterCommit: fails });
    expect(words(await site.committer.take(license, undefined))).toEqual([
      undefined,
      CREATED,
      'after_commit_failed: no room',
    ]);
    expect(site.counters()).toEqual([7]);
  });

  it('is given up where the product does not answer in its time', async () => {
    const site = new Site({ beforeCommit: () => new Promise<void>(() => undefined), commitSeconds: 0.03 });
    const taken = await site.committer.take(license, undefined);
    expect(words(taken)).toEqual(['commit_refused: the product did not answer within 0.03 seconds']);
    expect(taken.fault?.values).toEqual({ seconds: 0.03 });
  });

  it('stays out of force where its time has passed, or another one came into force meanwhile', async () => {
    const late = new Site();
    late.clock = EXP;
    expect(words(await late.committer.take(license, undefined))).toEqual([
      'lapsed: it was in force until 2028-01-01T00:00:00Z',
      CREATED,
    ]);
    const overtaken = new Site();
    await overtaken.committer.take(examined(composite, at(NBF)), undefined);
    expect(words(await overtaken.committer.take(license, undefined))).toEqual([
      'counter_rolled_back: its counter is 7, and 9 was accepted before',
    ]);
    expect(overtaken.counters()).toEqual([9]);
  });

  it('is not asked about where the state cannot be read, and does not say that it is in force where nothing is written', async () => {
    const asked: string[] = [];
    const refuse = (): Promise<never> => Promise.reject(new Error('no such disk'));
    const unreadable = new Site(noting(asked), { read: refuse });
    expect(words(await unreadable.committer.take(license, undefined))).toEqual([
      'state_unwritable: the store: no such disk',
    ]);
    expect([asked, await unreadable.store.readLock()]).toEqual([[], undefined]);
    const full = new Site(noting(asked), { write: refuse });
    expect(words(await full.committer.take(license, undefined))).toEqual(['state_unwritable: the store: no such disk']);
    expect(asked).toEqual(['before undefined 7']);
  });

  it('says of the lock that it cannot be used, also where nothing is written', async () => {
    const readLock = (): Promise<never> => Promise.reject(new Error('no locks'));
    const unlocked = 'state_lock_unusable: the store: no locks';
    const site = new Site({}, { readLock });
    expect(words(await site.committer.take(license, undefined))).toEqual([undefined, unlocked, CREATED]);
    const refuse = (): Promise<never> => Promise.reject(new Error('no space'));
    const full = new Site({}, { readLock, write: refuse });
    expect(words(await full.committer.take(license, undefined))).toEqual([
      'state_unwritable: the store: no space',
      unlocked,
    ]);
    expect(lockWarnings({ faults: [], release: () => Promise.resolve() })).toEqual([]);
  });
});
