/** The lock of a store, to the millisecond, with time that the test moves. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock, LEASE_MILLISECONDS, type HeldLock } from '../../../../../verifier/runtime/stores/lock.ts';
import { processIdentity } from '../../../../../verifier/runtime/stores/process-identity.ts';
import { memoryStore, type StateStore } from '../../../../../verifier/runtime/stores/store.ts';
import { HeldTime } from './held-time.ts';

const ELSEWHERE = 'elsewhere 1 2 1 0';

let time: HeldTime;
let memory: StateStore;
/** The memory, which notes when it was asked for the note, and how a note was replaced. */
let store: StateStore;
let reads: number[];
let swaps: string[];

beforeEach(() => {
  time = new HeldTime();
  memory = memoryStore();
  [reads, swaps] = [[], []];
  store = {
    ...memory,
    readLock: () => {
      reads.push(time.now);
      return memory.readLock();
    },
    swapLock: (expected, next) => {
      swaps.push(`${time.now}: ${expected ?? 'free'} -> ${next ?? 'free'}`);
      return memory.swapLock(expected, next);
    },
  };
});
afterEach(() => {
  time.release();
});

/** The lock, which is free. */
async function taken(): Promise<HeldLock> {
  const lock = await acquireLock(store, 0);
  if (lock === undefined) throw new Error('the lock is not free');
  return lock;
}

describe('a lock', () => {
  it('is taken with a note of the process, of its number, and of a count that rises each second', async () => {
    const lock = await taken();
    const note = (await memory.readLock()) ?? '';
    const own = note.slice(0, note.lastIndexOf(' '));
    expect(own.startsWith(`${processIdentity()} `)).toBe(true);
    expect(own.split(' ')).toHaveLength(4);
    expect(note).toBe(`${own} 0`);
    await time.pass(2999);
    await lock.release();
    expect(swaps).toEqual([
      `0: free -> ${own} 0`,
      `1000: ${own} 0 -> ${own} 1`,
      `2000: ${own} 1 -> ${own} 2`,
      `2999: ${own} 2 -> free`,
    ]);
    await time.pass(3000);
    expect(swaps).toHaveLength(4);
    expect(lock.faults).toEqual([]);
  });

  it('has another number for each that a process takes', async () => {
    await (await taken()).release();
    await (await taken()).release();
    expect(new Set(swaps).size).toBe(4);
  });

  it('of a process that has ended is free at once, and of one that lives it is not', async () => {
    const ended = processIdentity().replace(/ \d+ /, ' 999999999 ');
    for (const note of [`${ended} 1 0`, `${ended} 12 34`]) {
      await memory.swapLock(await memory.readLock(), note);
      const lock = await acquireLock(store, 0);
      expect(lock).toBeDefined();
      await lock?.release();
    }
    await memory.swapLock(undefined, `${processIdentity()} 99 5`);
    expect(await acquireLock(store, 0)).toBeUndefined();
    expect(await memory.readLock()).toBe(`${processIdentity()} 99 5`);
  });

  it('does not keep a process alive', async () => {
    time.release();
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await new Promise((resolve) => setImmediate(resolve));
    const before = timers();
    const lock = await acquireLock(memoryStore(), 0);
    expect(timers()).toBe(before);
    await lock?.release();
  });
});

describe('a process that waits for a lock', () => {
  it('asks soon, then twice as late each time, and at last ten times a second', async () => {
    await memory.swapLock(undefined, ELSEWHERE);
    const waiting = acquireLock(store, 500);
    await time.pass(600);
    expect(await waiting).toBeUndefined();
    expect(reads).toEqual([0, 5, 15, 35, 75, 155, 255, 355, 455, 555]);
  });

  it.each([
    [0, [0]],
    [5, [0, 5]],
    [6, [0, 5, 15]],
  ])('gives up once it has waited for %i milliseconds', async (wait, asked) => {
    await memory.swapLock(undefined, ELSEWHERE);
    const waiting = acquireLock(store, wait);
    await time.pass(50);
    expect(await waiting).toBeUndefined();
    expect(reads).toEqual(asked);
  });

  it('gets it as soon as it is free', async () => {
    await memory.swapLock(undefined, ELSEWHERE);
    const waiting = acquireLock(store, 1000);
    await time.pass(10);
    await memory.swapLock(ELSEWHERE, undefined);
    await time.pass(5);
    expect(await waiting).toBeDefined();
    expect(reads).toEqual([0, 5, 15]);
  });

  it('goes on where another one was faster', async () => {
    let isFirst = true;
    const racing: StateStore = {
      ...store,
      swapLock: async (expected, next) => {
        if (isFirst) await memory.swapLock(undefined, ELSEWHERE);
        isFirst = false;
        return store.swapLock(expected, next);
      },
    };
    const waiting = acquireLock(racing, 10);
    await time.pass(20);
    expect(await waiting).toBeUndefined();
    expect(await memory.readLock()).toBe(ELSEWHERE);
  });

  it('takes a note that was not renewed for five seconds since it saw it first', async () => {
    expect(LEASE_MILLISECONDS).toBe(5000);
    time.now = 100_000;
    await memory.swapLock(undefined, ELSEWHERE);
    let lock: HeldLock | undefined;
    void acquireLock(store, 20_000).then((held) => (lock = held));
    await time.pass(200);
    // It is renewed once more, and the next time it is asked for is 255 milliseconds after the beginning.
    await memory.swapLock(ELSEWHERE, 'elsewhere 1 2 1 1');
    await time.pass(55 + 4999);
    expect(lock).toBeUndefined();
    await time.pass(1);
    expect(lock).toBeDefined();
    expect(swaps.at(-1)).toMatch(/^105255: elsewhere 1 2 1 1 -> /);
    await lock?.release();
  });
});

describe('the holder of a lock', () => {
  it('that lost it neither takes it again nor frees it', async () => {
    const lock = await taken();
    await memory.swapLock(await memory.readLock(), ELSEWHERE);
    await time.pass(1000);
    expect(swaps).toHaveLength(2);
    await memory.swapLock(ELSEWHERE, undefined);
    await time.pass(5000);
    await lock.release();
    expect(swaps).toHaveLength(2);
    expect(await memory.readLock()).toBeUndefined();
  });

  it('renews it a second later where the store could not be reached, and can give it back', async () => {
    const swap = store.swapLock.bind(store);
    const lock = await taken();
    const own = swaps[0]?.replace(/.*-> (.*) 0$/, '$1') ?? '';
    const away = (): Promise<boolean> => Promise.reject(new Error('away'));
    store.swapLock = away;
    await time.pass(1500);
    store.swapLock = swap;
    await time.pass(500);
    expect(swaps.at(-1)).toBe(`2000: ${own} 0 -> ${own} 2`);
    store.swapLock = away;
    await lock.release();
    expect(await memory.readLock()).toBe(`${own} 2`);
  });

  it('frees it with its last note, after a renewal that still goes on', async () => {
    const lock = await taken();
    const swap = store.swapLock.bind(store);
    let go = (): void => undefined;
    store.swapLock = async (expected, next) => {
      if (next !== undefined) await new Promise<void>((resolve) => (go = resolve));
      return swap(expected, next);
    };
    await time.pass(1000);
    const releasing = lock.release();
    await time.pass(1);
    expect(swaps).toHaveLength(1);
    go();
    await releasing;
    expect(await memory.readLock()).toBeUndefined();
  });
});

describe('a store in memory', () => {
  it('replaces a document and a note only for whoever knows the last one', async () => {
    expect(memory.name).toBe('the memory of this process');
    const document = Uint8Array.of(1);
    expect(await memory.write(document, undefined)).toBe(true);
    document[0] = 9;
    const first = await memory.read();
    expect(first?.document).toEqual(Uint8Array.of(1));
    expect(await memory.write(document, undefined)).toBe(false);
    expect(await memory.write(document, first?.tag)).toBe(true);
    const second = await memory.read();
    expect(second?.document).toEqual(Uint8Array.of(9));
    expect(second?.tag).not.toBe(first?.tag);
    expect(await memory.swapLock('a', 'b')).toBe(false);
    expect(await memory.swapLock(undefined, 'a')).toBe(true);
    expect(await memory.readLock()).toBe('a');
    expect(await memory.swapLock('a', undefined)).toBe(true);
    expect(await memory.readLock()).toBeUndefined();
  });
});
