/** How a license comes into force: each step of the product's consent, with what is said of it. */
import { describe, expect, it } from 'vitest';
import { COMMIT_SECONDS, lockWarnings, timerMilliseconds } from '../../../../verifier/runtime/commit.ts';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';
import { NBF, EXP } from '../sample.ts';
import { CommitSite, noting, words } from './commit-site.ts';
import { at, composite, examined, first, renewal, RENEWAL_NBF } from './judged.ts';

const CREATED = 'state_created: the store';
const license = examined(first, at(NBF));

describe('a license that is taken', () => {
  it('is asked about, written, and the product hears of it, in this order', async () => {
    const asked: string[] = [];
    const site = new CommitSite(noting(asked));
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
    expect(words(await new CommitSite().committer.take(license, undefined))).toEqual([undefined, CREATED]);
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    for (const commitSeconds of [10, 1e10]) {
      const slow = new CommitSite({ beforeCommit: pause, afterCommit: pause, commitSeconds });
      expect(words(await slow.committer.take(license, undefined))).toEqual([undefined, CREATED]);
      expect(await slow.committer.tell(undefined)).toEqual([]);
    }
  });

  it('leaves no timer behind, which would keep the process alive', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const { committer } = new CommitSite({ beforeCommit: () => undefined, commitSeconds: 10 });
    expect(COMMIT_SECONDS).toBe(30);
    await new Promise(setImmediate);
    const before = timers();
    await committer.ask(license, undefined);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('has no more time than a timer can count', () => {
    expect([0.05, 30, 2_147_483, 2_147_484, 1e10].map(timerMilliseconds)).toEqual([
      50, 30_000, 2_147_483_000, 2_147_483_647, 2_147_483_647,
    ]);
  });

  it('stays out of force where the product refuses it, and nothing is written', async () => {
    const site = new CommitSite({ beforeCommit: () => Promise.reject(new Error('no\u001b[2J room')) });
    const taken = await site.committer.take(license, undefined);
    expect(words(taken)).toEqual(['commit_refused: no\\u{001B}[2J room']);
    expect(taken.fault?.values).toEqual({ message: 'no\\u{001B}[2J room' });
    expect([site.counters(), await site.store.read(), await site.store.readLock()]).toEqual([[], undefined, undefined]);
  });

  it('is in force where the product fails after that, with a warning', async () => {
    const fails = (): never => {
      throw new Error('no room');
    };
    const site = new CommitSite({ afterCommit: fails });
    expect(words(await site.committer.take(license, undefined))).toEqual([
      undefined,
      CREATED,
      'after_commit_failed: no room',
    ]);
    expect(site.counters()).toEqual([7]);
  });

  it('is given up where the product does not answer in its time', async () => {
    const site = new CommitSite({ beforeCommit: () => new Promise<void>(() => undefined), commitSeconds: 0.03 });
    const taken = await site.committer.take(license, undefined);
    expect(words(taken)).toEqual(['commit_refused: the product did not answer within 0.03 seconds']);
    expect(taken.fault?.values).toEqual({ seconds: 0.03 });
  });

  it('stays out of force where its time has passed, or another one came into force meanwhile', async () => {
    const late = new CommitSite();
    late.clock = EXP;
    expect(words(await late.committer.take(license, undefined))).toEqual([
      'lapsed: it was in force until 2028-01-01T00:00:00Z',
      CREATED,
    ]);
    const overtaken = new CommitSite();
    await overtaken.committer.take(examined(composite, at(NBF)), undefined);
    expect(words(await overtaken.committer.take(license, undefined))).toEqual([
      'counter_rolled_back: its counter is 7, and 9 was accepted before',
    ]);
    expect(overtaken.counters()).toEqual([9]);
  });

  it('is not asked about where the state cannot be read, and does not say that it is in force where nothing is written', async () => {
    const asked: string[] = [];
    const refuse = (): Promise<never> => Promise.reject(new Error('no such disk'));
    const unreadable = new CommitSite(noting(asked), { read: refuse });
    expect(words(await unreadable.committer.take(license, undefined))).toEqual([
      'state_unwritable: the store: no such disk',
    ]);
    expect([asked, await unreadable.store.readLock()]).toEqual([[], undefined]);
    const full = new CommitSite(noting(asked), { write: refuse });
    expect(words(await full.committer.take(license, undefined))).toEqual(['state_unwritable: the store: no such disk']);
    expect(asked).toEqual(['before undefined 7']);
  });

  it('is not taken while another process keeps the lock', async () => {
    const site = new CommitSite();
    const held = await acquireLock(site.store, 0);
    expect(words(await site.committer.take(license, undefined))).toEqual([
      'state_locked: another process used the state for 10 seconds',
    ]);
    await held?.release();
    expect(site.counters()).toEqual([]);
  });

  it('says of the lock that it cannot be used, also where nothing is written', async () => {
    const readLock = (): Promise<never> => Promise.reject(new Error('no locks'));
    const unlocked = 'state_lock_unusable: the store: no locks';
    const site = new CommitSite({}, { readLock });
    expect(words(await site.committer.take(license, undefined))).toEqual([undefined, unlocked, CREATED]);
    const refuse = (): Promise<never> => Promise.reject(new Error('no space'));
    const full = new CommitSite({}, { readLock, write: refuse });
    expect(words(await full.committer.take(license, undefined))).toEqual([
      'state_unwritable: the store: no space',
      unlocked,
    ]);
    const beforeCommit = (): Promise<never> => Promise.reject(new Error('no room'));
    const unwilling = new CommitSite({ beforeCommit }, { readLock });
    expect(words(await unwilling.committer.take(license, undefined))).toEqual(['commit_refused: no room', unlocked]);
    expect(lockWarnings({ faults: [], release: () => Promise.resolve() })).toEqual([]);
  });
});
