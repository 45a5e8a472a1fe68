/**
 * A process of the explorer: real code that is replayed up to each place where it waits for an act.
 *
 * Code that is deterministic goes on equally from equal results. So a place (`Node`) is known by the run, by what the
 * process has on disk, and by the results that it still knows; what follows after a further result is found out once, by
 * running the code again with the recorded results, and is then only looked up.
 */

/** A part of what all processes share. Equal texts mean equal contents. */
export interface Part {
  readonly text: string;
  clone(): this;
}

/** What one process has: on its disk, and in its memory. */
export interface Disk extends Part {
  /** What a kill leaves. */
  readonly lasting: string;
}

/** By what a run meets what the processes share. Everything else that it does must be deterministic. */
export interface Gate<P, D> {
  /** Waits until the explorer schedules the act. Acts on one part that have one name do the same. */
  readonly act: <T>(part: string, name: string, act: (part: P) => T) => Promise<T>;
  /** An act that changes nothing. */
  readonly look: <T>(part: string, name: string, act: (part: P) => T) => Promise<T>;
  /** Acts that follow only from what the name says: their outcome is all that the caller knows of them. */
  readonly call: <T>(name: string, body: (gate: Gate<P, D>) => Promise<T>) => Promise<T>;
  /** All that the run, or the call, still knows of the results until now: fewer places are different then. */
  readonly forget: (known: string) => void;
  /** Copies what another process has on its disk. */
  readonly diskOf: (process: number) => Promise<D>;
}

export type Run<P, D> = (disk: D, gate: Gate<P, D>) => Promise<void>;

/** How a run ends that does not go on: expected. */
export class Refused extends Error {}

export type Act<P> =
  | {
      readonly on: 'part';
      readonly part: string;
      readonly name: string;
      readonly act: (part: P) => unknown;
      readonly changes: boolean;
    }
  | { readonly on: 'disk'; readonly process: number };

type Outcome = { readonly value: unknown } | { readonly error: unknown };

interface Call<P, D> {
  readonly name: string;
  readonly body: (gate: Gate<P, D>) => Promise<unknown>;
}

export interface Node<P, D> {
  readonly id: number;
  /** What it waits for; undefined if every run has ended. */
  readonly act: Act<P> | undefined;
  readonly disk: D;
  readonly text: string;
  /** The run has changed something that lasts: to kill it leaves another state than not to begin it. */
  readonly hasChanged: boolean;
  /** By the number of a result. */
  readonly next: Map<number, Node<P, D>>;
  /** How the real code comes here. */
  readonly way: Way<P, D>;
}

interface Way<P, D> {
  readonly run: number;
  readonly start: D;
  readonly outer: readonly Outcome[];
  readonly call: Call<P, D> | undefined;
  readonly inner: readonly unknown[];
  readonly hasActed: boolean;
}

/** Where code that was replayed has arrived. */
interface Arrived<P, D> {
  readonly seen: readonly string[];
  readonly disk: D;
  readonly at:
    { readonly act: Act<P> } | { readonly call: Call<P, D> } | { readonly outcome: Outcome } | { readonly ended: true };
}

export class ExploredProcess<P, D extends Disk> {
  readonly #runs: readonly Run<P, D>[];
  readonly #nodes: Map<string, Node<P, D>> = new Map();
  readonly nodes: Node<P, D>[] = [];
  /** How often real code was run. */
  replays = 0;

  constructor(runs: readonly Run<P, D>[]) {
    this.#runs = runs;
  }

  begin(disk: D): Promise<Node<P, D>> {
    return this.#arrive({ run: 0, start: disk.clone(), outer: [], call: undefined, inner: [], hasActed: false });
  }

  /** The run begins again with what is on the disk. */
  kill(node: Node<P, D>): Promise<Node<P, D>> {
    return this.#arrive({
      run: node.way.run,
      start: node.disk,
      outer: [],
      call: undefined,
      inner: [],
      hasActed: false,
    });
  }

  async after(node: Node<P, D>, result: number, value: unknown): Promise<Node<P, D>> {
    const way = { ...node.way, hasActed: node.way.hasActed || (node.act?.on === 'part' && node.act.changes) };
    const next = await this.#arrive(
      way.call === undefined ? { ...way, outer: [...way.outer, { value }] } : { ...way, inner: [...way.inner, value] },
    );
    node.next.set(result, next);
    return next;
  }

  async #arrive(way: Way<P, D>): Promise<Node<P, D>> {
    if (way.call === undefined) return this.#arriveOutside(way);
    const inside = await this.#replay(
      way.inner.map((value) => ({ value })),
      undefined,
      way.call.body,
    );
    if ('outcome' in inside.at)
      return this.#arriveOutside({ ...way, outer: [...way.outer, inside.at.outcome], call: undefined, inner: [] });
    if (!('act' in inside.at)) throw new Error('a call within a call');
    const outside = await this.#outside(way);
    return this.#node(way, outside, `${way.call.name}/${inside.seen.join('/')}`, inside.at.act);
  }

  async #arriveOutside(way: Way<P, D>): Promise<Node<P, D>> {
    const outside = await this.#outside(way);
    if ('call' in outside.at) return this.#arrive({ ...way, call: outside.at.call, inner: [] });
    if ('act' in outside.at) return this.#node(way, outside, '', outside.at.act);
    // The next run begins with what this one has left on the disk.
    const run = way.run + 1;
    if (run < this.#runs.length)
      return this.#arriveOutside({ run, start: outside.disk, outer: [], call: undefined, inner: [], hasActed: false });
    return this.#node({ ...way, run }, { ...outside, seen: [] }, '', undefined);
  }

  async #outside(way: Way<P, D>): Promise<Arrived<P, D>> {
    const run = this.#runs[way.run];
    if (run === undefined) throw new Error('there is no such run');
    const disk = way.start.clone();
    const arrived = await this.#replay(way.outer, disk, (gate) => run(disk, gate), [`from ${way.start.text}`]);
    if (!('outcome' in arrived.at)) return arrived;
    if ('error' in arrived.at.outcome && !(arrived.at.outcome.error instanceof Refused))
      throw new Error('a run failed', { cause: arrived.at.outcome.error });
    return { ...arrived, at: { ended: true } };
  }

  #node(way: Way<P, D>, { seen, disk }: Arrived<P, D>, inside: string, act: Act<P> | undefined): Node<P, D> {
    const name = act === undefined ? 'ended' : act.on === 'disk' ? `disk of ${act.process}` : `${act.part} ${act.name}`;
    const text = [way.run, way.hasActed, disk.text, seen.join('/'), inside, name].join('|');
    const found = this.#nodes.get(text);
    if (found !== undefined) return found;
    const hasChanged = way.hasActed || way.start.lasting !== disk.lasting;
    const node = { id: this.nodes.length, act, disk: disk.clone(), text, hasChanged, next: new Map(), way };
    this.#nodes.set(text, node);
    this.nodes.push(node);
    return node;
  }

  /** Runs code with recorded results until it needs a further one. */
  #replay(
    script: readonly Outcome[],
    disk: D | undefined,
    code: (gate: Gate<P, D>) => Promise<unknown>,
    from: readonly string[] = [],
  ): Promise<Arrived<P, D>> {
    this.replays++;
    let seen = [...from];
    let position = 0;
    return new Promise((resolve) => {
      const arrive = (at: Arrived<P, D>['at']): void => {
        resolve({ seen, disk: disk as D, at });
      };
      /** The recorded result, or never any. */
      const next = <T>(what: string, otherwise: () => Arrived<P, D>['at']): Promise<T> => {
        const recorded = script[position++];
        if (recorded === undefined) {
          arrive(otherwise());
          return new Promise(() => undefined);
        }
        if ('error' in recorded) {
          seen.push(`${what}!${String(recorded.error)}`);
          return Promise.reject(recorded.error);
        }
        seen.push(`${what}=${textOf(recorded.value)}`);
        return Promise.resolve(recorded.value as T);
      };
      const gate: Gate<P, D> = {
        act: (part, name, act) =>
          next(`${part} ${name}`, () => ({ act: { on: 'part', part, name, act, changes: true } })),
        look: (part, name, act) =>
          next(`${part} ${name}`, () => ({ act: { on: 'part', part, name, act, changes: false } })),
        call: (name, body) => next(name, () => ({ call: { name, body } })),
        diskOf: (process) => next(`disk of ${process}`, () => ({ act: { on: 'disk', process } })),
        forget: (known) => {
          seen = [known];
        },
      };
      code(gate).then(
        (value) => {
          arrive({ outcome: { value } });
        },
        (error: unknown) => {
          arrive({ outcome: { error } });
        },
      );
    });
  }
}

/** Runs code with nobody beside it. @returns how it ended */
export async function runAlone<P, D>(run: Run<P, D>, disk: D, parts: (name: string) => P): Promise<string> {
  const act = <T>(part: string, _name: string, doIt: (part: P) => T): Promise<T> => Promise.resolve(doIt(parts(part)));
  const gate: Gate<P, D> = {
    act,
    look: act,
    call: (_name, body) => body(gate),
    diskOf: () => Promise.reject(new Error('there is no other process')),
    forget: () => undefined,
  };
  try {
    await run(disk, gate);
    return 'done';
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

export function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64').slice(-12);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value === 'object' && value !== null && 'text' in value) return String(value.text);
  return JSON.stringify(value) ?? 'undefined';
}
