/**
 * Explores every interleaving of some processes, each of which may be stopped for any time, or killed, at each of its
 * acts. The processes run real code; only the acts on what they share are scheduled.
 *
 * A state is known by what is shared, and by what each process has seen so far: code that is deterministic goes on from
 * equal states equally. To go back to a state, the explorer runs everything again from the beginning.
 */

export interface Gate {
  /** Waits until the explorer schedules the act, then does it at once. */
  <T>(name: string, act: () => T): Promise<T>;
  /** All that the run still knows of what it has seen, and where it is: fewer states are different then. */
  readonly forget: (known: string) => void;
  /** How much the run has seen until now, to forget only what it sees later. */
  readonly mark: () => number;
  /** As `forget`, for what it has seen since the mark. */
  readonly forgetSince: (mark: number, known: string) => void;
}

export interface Explored {
  /** For each process its runs, one after the other. A run that is killed is begun again. */
  readonly processes: readonly (readonly ((gate: Gate) => Promise<void>)[])[];
  /** All that outlives a process, as text. */
  readonly shared: () => string;
  /** Called in every state. Throws if the state must not be. */
  readonly check: () => void;
  /** Called once for each state in which every run has ended. Throws if the state must not be the last. */
  readonly atEnd: () => Promise<void>;
}

interface Choice {
  readonly process: number;
  readonly kill: boolean;
}

interface Waiting {
  readonly name: string;
  readonly go: () => void;
}

class Process {
  readonly #runs: readonly ((gate: Gate) => Promise<void>)[];
  #run = 0;
  /** Acts of a run that was killed are never done. */
  #life = 0;
  #seen: string[] = [];
  #waiting: Waiting | undefined;
  #arrived: () => void = () => undefined;

  constructor(runs: readonly ((gate: Gate) => Promise<void>)[]) {
    this.#runs = runs;
  }

  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  get state(): string {
    return `${this.#run}:${this.#waiting?.name ?? 'ended'}:${this.#seen.join('/')}`;
  }

  /** Runs until it waits for its next act, or has ended. */
  async start(): Promise<void> {
    const run = this.#runs[this.#run];
    this.#waiting = undefined;
    this.#seen = [];
    if (run === undefined) return;
    const number = ++this.#life;
    const arrival = this.#arrival();
    const wait = <T>(name: string, act: () => T): Promise<T> => this.#wait(number, name, act);
    const forgetSince = (mark: number, known: string): void => {
      if (number === this.#life) this.#seen = [...this.#seen.slice(0, mark), known];
    };
    const forget = (known: string): void => {
      forgetSince(0, known);
    };
    const mark = (): number => this.#seen.length;
    void run(Object.assign(wait, { forget, mark, forgetSince })).then(
      () => this.#end(number),
      (error: unknown) => this.#end(number, error),
    );
    await arrival;
  }

  async step(): Promise<void> {
    const arrival = this.#arrival();
    const { go } = this.#waiting ?? { go: () => undefined };
    this.#waiting = undefined;
    go();
    await arrival;
  }

  async kill(): Promise<void> {
    await this.start();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  #wait<T>(number: number, name: string, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (number !== this.#life) return;
      this.#waiting = {
        name,
        go: () => {
          try {
            const result = act();
            this.#seen.push(`${name}=${textOf(result)}`);
            resolve(result);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      };
      this.#arrived();
    });
  }

  async #end(number: number, error?: unknown): Promise<void> {
    if (number !== this.#life) return;
    if (error !== undefined && !(error instanceof Refused)) this.#failed = error;
    this.#run++;
    const arrived = this.#arrived;
    await this.start();
    arrived();
  }

  #failed: unknown;

  get failed(): unknown {
    return this.#failed;
  }
}

/** How a run ends that does not go on: expected. */
export class Refused extends Error {}

export interface Totals {
  readonly states: number;
  readonly ends: number;
}

/** @param kills how many times a process is killed at most, in one history */
export async function explore(make: () => Explored, kills: number): Promise<Totals> {
  const known = new Set<string>();
  const ends = new Set<string>();
  const paths: (readonly Choice[])[] = [[]];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const world = make();
    const processes = world.processes.map((runs) => new Process(runs));
    for (const process of processes) await process.start();
    let here = path;
    // A kill is explored where the process has just changed something: killed later, before it changes more, it leaves
    // the same.
    const changed = new Set<number>();
    const take = async (choice: Choice): Promise<void> => {
      const before = kills === 0 ? '' : world.shared();
      await follow(processes, choice);
      if (kills > 0 && world.shared() !== before) changed.add(choice.process);
      else changed.delete(choice.process);
    };
    for (const choice of path) await take(choice);
    for (;;) {
      const left = kills - here.filter(({ kill }) => kill).length;
      const state = `${left}|${world.shared()}|${processes.map(({ state: own }) => own).join('|')}`;
      if (known.has(state)) break;
      known.add(state);
      explain(here, processes, () => {
        for (const { failed } of processes)
          if (failed !== undefined) throw new Error('a run failed', { cause: failed });
        world.check();
      });
      const choices = processes.flatMap(({ waiting }, process): Choice[] =>
        waiting === undefined
          ? []
          : [{ process, kill: false }, ...(left > 0 && changed.has(process) ? [{ process, kill: true }] : [])],
      );
      const [first, ...others] = choices;
      if (first === undefined) {
        if (!ends.has(world.shared())) {
          ends.add(world.shared());
          try {
            await world.atEnd();
          } catch (error) {
            throw new Error(`${story(here)}\n${error instanceof Error ? error.message : String(error)}`, {
              cause: error,
            });
          }
        }
        break;
      }
      for (const choice of others) paths.push([...here, choice]);
      here = [...here, first];
      await take(first);
    }
  }
  return { states: known.size, ends: ends.size };
}

async function follow(processes: readonly Process[], { process, kill }: Choice): Promise<void> {
  await (kill ? processes[process]?.kill() : processes[process]?.step());
}

/** Runs one process to its end, with nobody beside it. @returns how it ended */
export async function runAlone(run: (gate: Gate) => Promise<void>): Promise<string> {
  try {
    const act = <T>(_name: string, doIt: () => T): Promise<T> => Promise.resolve(doIt());
    await run(Object.assign(act, { forget: () => undefined, mark: () => 0, forgetSince: () => undefined }));
    return 'done';
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

function explain(path: readonly Choice[], processes: readonly Process[], check: () => void): void {
  try {
    check();
  } catch (error) {
    const where = processes.map(({ state }, i) => `${i}: ${state}`).join('\n');
    throw new Error(
      `${story(path)}
${where}
${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

function story(path: readonly Choice[]): string {
  return path.map(({ process, kill }) => `${process}${kill ? '!' : ''}`).join(' ');
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64').slice(-12);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  return JSON.stringify(value) ?? 'undefined';
}
