/**
 * How a license comes into force: the lock, the product's consent, the state, the product's notice. Errors of the
 * product never stop the runtime.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { License } from '../../formats/license/license.ts';
import { acceptInto, type Examined, type Situation } from './judge.ts';
import { notice, shownError, type Notice } from './notices.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { HeldLock } from './stores/lock.ts';

export interface CommitHooks {
  /**
   * Prepares the product for a license that is new to the installation; refuses it by throwing. It may be called again
   * for the same license, and must leave the product able to work with the old one and the new one.
   */
  readonly beforeCommit?: (before: License | undefined, next: License) => Promise<void> | void;
  /** The license is in force and durable: the old one may go. Repeated at each start. */
  readonly afterCommit?: (license: License) => Promise<void> | void;
  /** The time limit of each call, above 0. Default 30. */
  readonly commitSeconds?: number;
}

/** The hooks with the time limit that applies. */
export interface TimedHooks {
  readonly beforeCommit?: CommitHooks['beforeCommit'] | undefined;
  readonly afterCommit?: CommitHooks['afterCommit'] | undefined;
  readonly commitSeconds: number;
}

export const COMMIT_SECONDS = 30;
const LOCK_SECONDS = 10;
/** 2^31 - 1: a longer delay of a timer counts as none. */
const MAX_TIMER_MILLISECONDS = 2_147_483_647;

export const LOCKED: Notice = notice('state_locked', `another process used the state for ${LOCK_SECONDS} seconds`);

/** A delay in seconds as one of a timer of Node.js. */
export function timerMilliseconds(seconds: number): number {
  return Math.min(seconds * 1000, MAX_TIMER_MILLISECONDS);
}

/** What an operator should know of a lock that was taken. */
export function lockWarnings({ faults }: HeldLock): readonly Notice[] {
  return faults.map((fault) => notice('state_lock_unusable', fault));
}

/** The result of writing that a license is in force. */
export interface Taken {
  readonly fault?: Notice | undefined;
  readonly warnings: readonly Notice[];
}

export class Committer {
  readonly #hooks: TimedHooks;
  readonly #keeper: StateKeeper;
  readonly #situation: () => Situation;
  readonly #lockSeconds: number;

  /** @param lockSeconds how long another process may keep the lock */
  constructor(hooks: TimedHooks, keeper: StateKeeper, situation: () => Situation, lockSeconds: number = LOCK_SECONDS) {
    this.#lockSeconds = lockSeconds;
    this.#hooks = hooks;
    this.#keeper = keeper;
    this.#situation = situation;
  }

  /** @returns undefined where another process keeps the lock for too long */
  lock(): Promise<HeldLock | undefined> {
    return this.#keeper.lock(timerMilliseconds(this.#lockSeconds));
  }

  /** A license from a file that was put there without `install`, or one that begins now. */
  async take(next: Examined, before: Examined | undefined): Promise<Taken> {
    const lock = await this.lock();
    if (lock === undefined) return { fault: LOCKED, warnings: [] };
    try {
      const loaded = await this.#keeper.load();
      if (loaded.fault !== undefined) return loaded;
      const refused = await this.ask(next, before);
      if (refused !== undefined) return { fault: refused, warnings: lockWarnings(lock) };
      const written = await this.write(next);
      const warnings = [...lockWarnings(lock), ...written.warnings];
      if (written.fault !== undefined) return { ...written, warnings };
      return { warnings: [...warnings, ...(await this.tell(next))] };
    } finally {
      await lock.release();
    }
  }

  /** @returns why the product does not take the license. A payload that the state knows was asked about before. */
  async ask({ accepted }: Examined, before: Examined | undefined): Promise<Notice | undefined> {
    const { beforeCommit } = this.#hooks;
    const isKnown = this.#keeper.state.entries.some(({ payloadDigest }) => payloadDigest === accepted.payloadDigest);
    if (isKnown || beforeCommit === undefined) return undefined;
    return this.#within('commit_refused', () => beforeCommit(before?.accepted.license, accepted.license));
  }

  async write(examined: Examined): Promise<Taken> {
    let refused: Notice | undefined;
    const changed = await this.#keeper.change((state) => {
      const accepted = acceptInto({ ...this.#situation(), state }, examined);
      refused = accepted.refused;
      return accepted.state;
    });
    if (!changed.ok) return { fault: changed.fault, warnings: [] };
    return { fault: refused, warnings: changed.warnings };
  }

  async tell(examined: Examined | undefined): Promise<readonly Notice[]> {
    const { afterCommit } = this.#hooks;
    if (examined === undefined || afterCommit === undefined) return [];
    const failed = await this.#within('after_commit_failed', () => afterCommit(examined.accepted.license));
    return failed === undefined ? [] : [failed];
  }

  async #within(
    code: 'commit_refused' | 'after_commit_failed',
    call: () => Promise<void> | void,
  ): Promise<Notice | undefined> {
    const { commitSeconds: seconds } = this.#hooks;
    const ended = new AbortController();
    const late = async (): Promise<Notice | undefined> => {
      await sleep(timerMilliseconds(seconds), undefined, { signal: ended.signal });
      return notice(code, `the product did not answer within ${seconds} seconds`, { seconds });
    };
    const asked = async (): Promise<undefined> => {
      await call();
    };
    try {
      return await Promise.race([asked(), late()]);
    } catch (error) {
      return notice(code, shownError(error), { message: shownError(error) });
    } finally {
      ended.abort();
    }
  }
}
