/** Time that a test moves: timers, waits of `node:timers/promises`, and both clocks. */
import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';

const realNow: typeof performance.now = performance.now.bind(performance);

export class HeldTime {
  /** The clock of the host at the beginning, in milliseconds. */
  static readonly DATE = 1_800_000_000_000;
  /** The monotonic clock. */
  now = 0;

  constructor() {
    // A test that did not end left its own.
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: HeldTime.DATE });
    performance.now = (): number => this.now;
    syncBuiltinESMExports();
  }

  /** Moves on by a millisecond at a time, and lets everything act that waited for it. */
  async pass(milliseconds: number): Promise<void> {
    await this.settle();
    for (let i = 0; i < milliseconds; i++) {
      this.now += 1;
      mock.timers.tick(1);
      await this.settle();
    }
  }

  settle(): Promise<unknown> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  release(): void {
    mock.timers.reset();
    performance.now = realNow;
    syncBuiltinESMExports();
  }
}
