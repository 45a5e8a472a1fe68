/**
 * The state of a running product: what was read last, the running time since then, and the lease on advancing the time
 * (docs/runtime.md, "Time").
 */
import { changeState, loadState, lockStores, type Changed } from './copies.ts';
import { advanceTime } from './effective-time.ts';
import type { Situation } from './judge.ts';
import type { Notice } from './notices.ts';
import { EMPTY_STATE, mergeStates, type RuntimeState } from './state.ts';
import type { HeldLock } from './stores/lock.ts';
import { hasEnded, processIdentity } from './stores/process-identity.ts';
import type { StateStore } from './stores/store.ts';

/** Readings of the host: whole or broken seconds. */
export interface Clocks {
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Seconds since any moment; never set back. */
  readonly monotonic: () => number;
}

/** If the beat of a lease did not rise for so long, its process on another host counts as dead. */
export const LEASE_SECONDS = 900;

let keepers = 0;

export class StateKeeper {
  readonly #stores: readonly StateStore[];
  readonly #clocks: Clocks;
  readonly #amend: (state: RuntimeState) => RuntimeState;
  readonly #holder: string = `${processIdentity()} ${++keepers}`;
  #state: RuntimeState = EMPTY_STATE;
  /** The floor, and the monotonic time for which it is right. */
  #base: { readonly epoch: number; readonly floor: number; readonly at: number };
  #seenLease: { readonly text: string; readonly at: number } | undefined;

  /** @param amend what goes into the state with each write; pure */
  constructor(stores: readonly StateStore[], clocks: Clocks, amend: (state: RuntimeState) => RuntimeState) {
    this.#stores = stores;
    this.#clocks = clocks;
    this.#amend = amend;
    this.#base = { epoch: 0, floor: 0, at: clocks.monotonic() };
  }

  get state(): RuntimeState {
    return this.#state;
  }

  /** What a license is judged by now. */
  situation(): Pick<Situation, 'state' | 'clock' | 'elapsed'> {
    const { floor } = this.#base;
    const state = { ...this.#state, time: { ...this.#state.time, floor } };
    return { state, clock: this.#clocks.clock(), elapsed: this.#elapsed() };
  }

  /** @returns what is wrong with the state; the one that was read before stays then */
  async load(): Promise<{ readonly fault?: Notice; readonly warnings: readonly Notice[] }> {
    const loaded = await loadState(this.#stores);
    if (!loaded.ok) return { fault: loaded.fault, warnings: [] };
    this.#adopt(loaded.state);
    return { warnings: loaded.warnings };
  }

  /**
   * Writes what `change` makes of the state, repairs copies, and advances the time where this process has the lease.
   *
   * @param change is pure, and may be called several times
   */
  async change(change: (state: RuntimeState) => RuntimeState): Promise<Changed> {
    const changed = await changeState(this.#stores, (stored) => {
      const state = mergeStates(stored, this.#state);
      return this.#advance(state, this.#amend(change(state)));
    });
    if (changed.ok) this.#adopt(changed.state);
    return changed;
  }

  /** What is due every few minutes: the holder of the lease writes the time, the others only read. */
  async sync(): Promise<{ readonly fault?: Notice; readonly warnings: readonly Notice[] }> {
    const loaded = await this.load();
    if (loaded.fault !== undefined || !this.#mayTakeLease(this.#state)) return loaded;
    const changed = await this.change((state) => state);
    return changed.ok ? { warnings: changed.warnings } : { fault: changed.fault, warnings: [] };
  }

  /** @returns undefined where another process has the lock for longer than `wait` milliseconds */
  lock(wait: number): Promise<HeldLock | undefined> {
    return lockStores(this.#stores, wait);
  }

  /** Gives the lease back, so that the next start need not wait for it. Never throws. */
  async close(): Promise<void> {
    if (this.#state.lease?.holder === this.#holder)
      await changeState(this.#stores, (stored) => {
        const state = mergeStates(stored, this.#state);
        const { lease: _lease, ...rest } = this.#advance(state, state);
        return state.lease?.holder === this.#holder ? rest : stored;
      });
    for (const store of this.#stores) {
      try {
        await store.close?.();
      } catch {
        // A database that cannot be reached needs no closing.
      }
    }
  }

  #elapsed(): number {
    return Math.max(0, Math.floor(this.#clocks.monotonic() - this.#base.at));
  }

  /** The lease and, for its holder, the marks of time. A change that began an epoch has set the time itself. */
  #advance(before: RuntimeState, after: RuntimeState): RuntimeState {
    if (!this.#mayTakeLease(before)) return after;
    const beat = before.lease?.holder === this.#holder ? before.lease.beat + 1 : 0;
    const lease = { holder: this.#holder, beat };
    if (after.epoch !== before.epoch || before.epoch !== this.#base.epoch) return { ...after, lease };
    // What is left of the running time: a write that took long, or another holder, may have counted a part of it.
    const left = Math.max(0, this.#base.floor + this.#elapsed() - after.time.floor);
    const time = advanceTime(after.time, this.#clocks.clock(), left);
    return { ...after, time, lease };
  }

  #mayTakeLease({ lease }: RuntimeState): boolean {
    if (lease === undefined || lease.holder === this.#holder || hasEnded(lease.holder)) return true;
    const text = `${lease.holder} ${lease.beat}`;
    const now = this.#clocks.monotonic();
    if (this.#seenLease?.text !== text) this.#seenLease = { text, at: now };
    return now - this.#seenLease.at >= LEASE_SECONDS;
  }

  /** A running process never forgets what it has read, even if an older copy of a store is put back. */
  #adopt(stored: RuntimeState): void {
    const state = mergeStates(stored, this.#state);
    this.#state = state;
    this.#mayTakeLease(state);
    const { epoch, floor, at } = this.#base;
    const elapsed = this.#elapsed();
    if (state.epoch === epoch && state.time.floor < floor + elapsed) return;
    // Parts of a second are kept for the next time.
    const exact = state.epoch === epoch && state.time.floor === floor + elapsed;
    this.#base = { epoch: state.epoch, floor: state.time.floor, at: exact ? at + elapsed : this.#clocks.monotonic() };
  }
}
