/**
 * Explores every interleaving of some processes, each of which may be stopped for any time, or killed, at each of its
 * acts. The processes run real code (`explored-process.ts`); only the acts on what they share are scheduled.
 *
 * A state is a row of numbers: the contents of each shared part, the place of each process, and how many kills are
 * left. What an act does to a part, and where a process goes on after a result, is found out once for each pair.
 */
import { type Act, ExploredProcess, type Disk, type Node, type Part, type Run, textOf } from './explored-process.ts';

export interface Explored<P extends Part, D extends Disk> {
  readonly parts: Readonly<Record<string, P>>;
  /** For each process its disk, and its runs, one after the other. A run that is killed is begun again. */
  readonly processes: readonly { readonly disk: D; readonly runs: readonly Run<P, D>[] }[];
  /** How many times a process is killed at most, in one history. */
  readonly kills: number;
  /** Called for each content of this part. Throws if it must not be. */
  readonly watched: string;
  readonly check: (part: P) => void;
  /**
   * Called once for each different outcome after which every run has ended, with copies. Throws if it must not be the
   * last.
   */
  readonly atEnd: (parts: (name: string) => P, disks: readonly D[]) => Promise<void>;
}

export interface Totals {
  readonly states: number;
  readonly ends: number;
}

/** Numbers things by their text. */
class Numbered<T> {
  readonly #numbers: Map<string, number> = new Map();
  readonly things: T[] = [];

  number(text: string, thing: () => T): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.things.length);
    return this.things.push(thing()) - 1;
  }
}

interface Effect {
  readonly part: number;
  readonly result: number;
}

class PartTable<P extends Part> {
  readonly contents: Numbered<P> = new Numbered();
  readonly #effects: Map<string, Effect>[] = [];

  add(part: P): number {
    return this.contents.number(part.text, () => part);
  }

  apply(content: number, name: string, act: (part: P) => unknown, results: Numbered<unknown>): Effect {
    const effects = (this.#effects[content] ??= new Map());
    const known = effects.get(name);
    if (known !== undefined) return known;
    const part = this.at(content).clone();
    const value = act(part);
    const effect = { part: this.add(part), result: results.number(textOf(value), () => value) };
    effects.set(name, effect);
    return effect;
  }

  at(content: number): P {
    const part = this.contents.things[content];
    if (part === undefined) throw new Error('no such content');
    return part;
  }
}

/** Rows of small numbers, each once, in the order in which they came. */
class Rows {
  readonly #width: number;
  #rows: Int32Array;
  #slots: Int32Array = new Int32Array(1 << 16);
  count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#rows = new Int32Array(width << 15);
  }

  /** @returns true if the row is new */
  add(row: readonly number[]): boolean {
    if (this.count * 2 > this.#slots.length) this.#grow();
    let slot = this.#slotOf(row);
    for (;;) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) break;
      if (this.#isAt(taken - 1, row)) return false;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    if ((this.count + 1) * this.#width > this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#rows.set(row, this.count * this.#width);
    this.#slots[slot] = ++this.count;
    return true;
  }

  at(index: number): number[] {
    return [...this.#rows.subarray(index * this.#width, (index + 1) * this.#width)];
  }

  #isAt(index: number, row: readonly number[]): boolean {
    const start = index * this.#width;
    return row.every((value, i) => this.#rows[start + i] === value);
  }

  #slotOf(row: readonly number[]): number {
    let hash = 0x811c9dc5;
    for (const value of row) hash = Math.imul(hash ^ value ^ (hash >>> 15), 0x01000193 + 0x5bd1e994);
    return (hash ^ (hash >>> 13)) & (this.#slots.length - 1);
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let index = 0; index < this.count; index++) {
      let slot = this.#slotOf(this.at(index));
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = index + 1;
    }
  }
}

export async function explore<P extends Part, D extends Disk>(world: Explored<P, D>): Promise<Totals> {
  return new Exploration(world).run();
}

class Exploration<P extends Part, D extends Disk> {
  readonly #world: Explored<P, D>;
  readonly #names: readonly string[];
  readonly #tables: readonly PartTable<P>[];
  readonly #processes: readonly ExploredProcess<P, D>[];
  readonly #results: Numbered<unknown> = new Numbered();
  readonly #rows: Rows;
  /** For each row the one before it, and the act between them: twice the process, and 1 for a kill. */
  readonly #before: number[] = [];
  readonly #by: number[] = [];
  readonly #ends: Set<string> = new Set();
  #checked = 0;

  constructor(world: Explored<P, D>) {
    this.#world = world;
    this.#names = Object.keys(world.parts);
    this.#tables = this.#names.map(() => new PartTable<P>());
    this.#processes = world.processes.map(({ runs }) => new ExploredProcess(runs));
    this.#rows = new Rows(this.#names.length + this.#processes.length + 1);
  }

  async run(): Promise<Totals> {
    const { processes, kills, parts } = this.#world;
    const nodes: number[] = [];
    for (const [i, process] of this.#processes.entries()) {
      const disk = processes[i]?.disk;
      if (disk === undefined) throw new Error('a process has no disk');
      nodes.push((await process.begin(disk)).id);
    }
    this.#add([...this.#names.map((name, i) => this.#table(i).add(part(parts, name))), ...nodes, kills], -1, -1);
    for (let index = 0; index < this.#rows.count; index++) {
      try {
        await this.#goOnFrom(index);
      } catch (error) {
        throw new Error(`${this.#story(index)}\n${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
    return { states: this.#rows.count, ends: this.#ends.size };
  }

  async #goOnFrom(index: number): Promise<void> {
    const row = this.#rows.at(index);
    const left = row.at(-1) ?? 0;
    let isEnd = true;
    for (const [i, process] of this.#processes.entries()) {
      const node = this.#node(row, i);
      if (node.act === undefined) continue;
      isEnd = false;
      const at = this.#names.length + i;
      const after = [...row];
      const result = this.#do(node.act, after);
      const next = node.next.get(result) ?? (await process.after(node, result, this.#results.things[result]));
      after[at] = next.id;
      this.#add(after, index, 2 * i);
      if (left === 0 || !node.hasChanged) continue;
      const killed = [...row];
      killed[at] = (await process.kill(node)).id;
      killed[killed.length - 1] = left - 1;
      this.#add(killed, index, 2 * i + 1);
    }
    if (isEnd) await this.#end(row);
  }

  /** Does the act to a part of the row. @returns the number of its result */
  #do(act: Act<P>, row: number[]): number {
    if (act.on === 'disk') {
      const { disk } = this.#node(row, act.process);
      return this.#results.number(`disk ${disk.text}`, () => disk);
    }
    const i = this.#names.indexOf(act.part);
    const { part, result } = this.#table(i).apply(row[i] ?? 0, act.name, act.act, this.#results);
    row[i] = part;
    this.#check();
    return result;
  }

  #add(row: readonly number[], before: number, by: number): void {
    if (!this.#rows.add(row)) return;
    this.#before.push(before);
    this.#by.push(by);
  }

  #check(): void {
    const { things } = this.#table(this.#names.indexOf(this.#world.watched)).contents;
    for (; this.#checked < things.length; this.#checked++) {
      const content = things[this.#checked];
      if (content !== undefined) this.#world.check(content);
    }
  }

  async #end(row: readonly number[]): Promise<void> {
    const disks = this.#processes.map((_, i) => this.#node(row, i).disk);
    const name = `${row.slice(0, this.#names.length).join()} ${disks.map(({ text }) => text).join()}`;
    if (this.#ends.has(name)) return;
    this.#ends.add(name);
    const copies = new Map(
      this.#names.map((each, i) => [
        each,
        this.#table(i)
          .at(row[i] ?? 0)
          .clone(),
      ]),
    );
    await this.#world.atEnd(
      (each) => part(Object.fromEntries(copies), each),
      disks.map((disk) => disk.clone()),
    );
  }

  #table(i: number): PartTable<P> {
    const table = this.#tables[i];
    if (table === undefined) throw new Error('there is no such part');
    return table;
  }

  #node(row: readonly number[], process: number): Node<P, D> {
    const node = this.#processes[process]?.nodes[row[this.#names.length + process] ?? -1];
    if (node === undefined) throw new Error('there is no such place');
    return node;
  }

  /** The acts that lead to a row. */
  #story(index: number): string {
    const lines: string[] = [];
    for (let at = index; at > 0; at = this.#before[at] ?? -1) {
      const by = this.#by[at] ?? 0;
      const process = by >> 1;
      const { act } = this.#node(this.#rows.at(this.#before[at] ?? 0), process);
      const what = by % 2 === 1 ? 'is killed' : act?.on === 'part' ? `${act.part} ${act.name}` : 'copies';
      lines.push(`${process}: ${what}`);
    }
    return lines.reverse().join('\n');
  }
}

function part<P>(parts: Readonly<Record<string, P>>, name: string): P {
  const found = parts[name];
  if (found === undefined) throw new Error(`there is no part ${name}`);
  return found;
}
