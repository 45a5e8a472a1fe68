/**
 * A lock on a store, for processes on one host and on several. Its holder renews its note; a note that is not renewed
 * for some seconds, by the waiting process' own monotonic clock, belongs to a process that has died. No clock of any
 * host is compared with another.
 *
 * A holder that sleeps longer than that loses the lock without noticing. State is safe then too: each write of a store
 * compares before it sets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, processIdentity } from './process-identity.ts';
import type { StateStore } from './store.ts';

/** A note that did not change for so long has no living holder. */
export const LEASE_MILLISECONDS = 5000;
const RENEW_MILLISECONDS = 1000;
const FIRST_POLL_MILLISECONDS = 5;
const MAX_POLL_MILLISECONDS = 100;

export interface HeldLock {
  /** The stores whose copy can be read, but whose lock cannot be taken, and why. */
  readonly faults: readonly string[];
  /** Never throws: a store that can no longer be reached keeps a note that nobody renews. */
  release(): Promise<void>;
}

let locks = 0;

/**
 * @param wait how long to wait at most, in milliseconds
 * @returns undefined where another process kept the lock all that time
 * @throws what the store throws when it cannot be reached
 */
export async function acquireLock(store: StateStore, wait: number): Promise<HeldLock | undefined> {
  // A note is the identity of a process, the number of its lock, and a count that rises.
  const own = `${processIdentity()} ${++locks}`;
  const began = performance.now();
  let poll = FIRST_POLL_MILLISECONDS;
  let seen: string | undefined;
  let seenAt = began;
  for (;;) {
    const note = await store.readLock();
    const now = performance.now();
    if (note !== seen) [seen, seenAt] = [note, now];
    const free = note === undefined || hasEnded(note) || now - seenAt >= LEASE_MILLISECONDS;
    const mine = `${own} 0`;
    if (free && (await store.swapLock(note, mine))) return held(store, own, mine);
    if (now - began >= wait) return undefined;
    await sleep(poll);
    poll = Math.min(poll * 2, MAX_POLL_MILLISECONDS);
  }
}

function held(store: StateStore, own: string, first: string): HeldLock {
  let note: string | undefined = first;
  let renewals = 0;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async (): Promise<void> => {
    if (note === undefined) return;
    const next = `${own} ${++renewals}`;
    try {
      note = (await store.swapLock(note, next)) ? next : undefined;
    } catch {
      // Tried again a second later, and at the release.
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, RENEW_MILLISECONDS);
  timer.unref();
  return {
    faults: [],
    release: async () => {
      clearInterval(timer);
      await renewing;
      if (note === undefined) return;
      try {
        await store.swapLock(note, undefined);
      } catch {
        // Another process takes it over once it is not renewed.
      }
    },
  };
}
