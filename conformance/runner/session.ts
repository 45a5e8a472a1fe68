/** A verifier over a whole run: a harness that broke is started again, as often as a run allows. */
import { OneShot } from '../protocol/one-shot.ts';
import { startHarness, type Harness, type Limits } from '../protocol/process.ts';
import {
  hasNoVerdict,
  type Answer,
  type Decoded,
  type HarnessFault,
  type Hello,
  type Request,
} from '../protocol/protocol.ts';

/** A run ends after so many, since more of them would say nothing new about the verifier. */
const MAX_FAULTS = 10;

export class Session {
  readonly command: readonly string[];
  readonly #limits: Limits;
  readonly #oneShot: boolean;
  #harness: Harness;
  #faults = 0;

  private constructor(command: readonly string[], limits: Limits, oneShot: boolean, harness: Harness) {
    this.command = command;
    this.#limits = limits;
    this.#oneShot = oneShot;
    this.#harness = harness;
  }

  static async start(command: readonly string[], limits: Limits, oneShot: boolean): Promise<Decoded<Session>> {
    const started = await start(command, limits, oneShot);
    return started.ok ? { ok: true, value: new Session(command, limits, oneShot, started.value) } : started;
  }

  get hello(): Hello {
    return this.#harness.hello;
  }

  /** Whether so much went wrong that the run should end. */
  get isBroken(): boolean {
    return this.#faults >= MAX_FAULTS;
  }

  expectable(expected: Answer): Answer | undefined {
    return this.#harness.expectable(expected);
  }

  async ask(request: Request): Promise<Decoded<Answer>> {
    const answer = await this.#harness.ask(request);
    if (answer.ok || hasNoVerdict(answer.fault)) return answer;
    this.#faults++;
    this.#harness.kill();
    const again = await start(this.command, this.#limits, this.#oneShot);
    if (again.ok) this.#harness = again.value;
    else this.#faults = MAX_FAULTS;
    return answer;
  }

  /** @returns what was wrong at the end */
  async close(): Promise<HarnessFault | undefined> {
    if (!this.isBroken) return this.#harness.close();
    this.#harness.kill();
    return undefined;
  }
}

function start(command: readonly string[], limits: Limits, oneShot: boolean): Promise<Decoded<Harness>> {
  return oneShot ? Promise.resolve({ ok: true, value: new OneShot(command, limits) }) : startHarness(command, limits);
}
