/** The sessions of one token in the host: each runs one operation at a time, since PKCS#11 keeps its state in the session. */
import type { SessionHandle } from './module.ts';

export class SessionPool {
  readonly #free: SessionHandle[];
  readonly #waiting: ((session: SessionHandle) => void)[] = [];
  readonly size: number;

  constructor(sessions: readonly SessionHandle[]) {
    this.#free = [...sessions];
    this.size = sessions.length;
  }

  async use<T>(work: (session: SessionHandle) => T | Promise<T>): Promise<T> {
    const session = this.#free.pop() ?? (await new Promise<SessionHandle>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(session);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(session);
      else next(session);
    }
  }
}
