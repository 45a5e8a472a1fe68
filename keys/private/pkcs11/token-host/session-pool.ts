/** The sessions of one token in the host: each runs one operation at a time, since PKCS#11 keeps its state in the session. */
import type { SessionHandle } from './module.ts';

export class SessionPool {
  readonly #free: SessionHandle[];
  readonly #waiting: ((session: SessionHandle) => void)[] = [];
  readonly #resting: (() => void)[] = [];
  readonly size: number;
  readonly #renew: (session: SessionHandle) => SessionHandle;

  /**
   * @param renew takes a session in which an operation failed, and gives one that is surely at rest: SoftHSM leaves an operation active
   *   after a C_Sign that failed, and refuses every later one in that session
   */
  constructor(sessions: readonly SessionHandle[], renew: (session: SessionHandle) => SessionHandle) {
    this.#free = [...sessions];
    this.size = sessions.length;
    this.#renew = renew;
  }

  async use<T>(work: (session: SessionHandle) => T | Promise<T>): Promise<T> {
    let session = this.#free.pop() ?? (await new Promise<SessionHandle>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(session);
    } catch (error) {
      session = this.#renew(session);
      throw error;
    } finally {
      this.#giveBack(session);
    }
  }

  get isAtRest(): boolean {
    return this.#free.length === this.size;
  }

  /** The same of a pool at rest, for work that waits for nothing. */
  useNow<T>(work: (session: SessionHandle) => T): T {
    let session = this.#free.pop();
    if (session === undefined) throw new Error('no session is free');
    try {
      return work(session);
    } catch (error) {
      session = this.#renew(session);
      throw error;
    } finally {
      this.#giveBack(session);
    }
  }

  #giveBack(session: SessionHandle): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(session);
    else next(session);
    if (this.isAtRest) for (const resolve of this.#resting.splice(0)) resolve();
  }

  /** Resolves when no session is in use. */
  async atRest(): Promise<void> {
    if (!this.isAtRest) await new Promise<void>((resolve) => this.#resting.push(resolve));
  }
}
