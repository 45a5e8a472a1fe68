/** Tries changes in several processes at a time, and keeps what was found while neither source nor test changes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { digestOf, keep, readKept, suiteDigest } from './records.ts';
import { sourceOf, type Source } from './sources.ts';
import { suitesOf, type Reach } from './suites.ts';
import type { Line } from './worker.ts';

/** Who noticed a change, if anything did. */
export type Outcome = 'vectors' | 'tests' | 'survived';

export interface TryOptions {
  readonly lanes: number;
  readonly reach: Reach;
  /** Whether to use what earlier runs found. */
  readonly isCached: boolean;
  readonly say: (line: string) => void;
}

interface Kept {
  /** Of the suites that were asked, for a change that survived, or of the one that noticed it. */
  readonly suites: string;
  readonly suite?: string;
  readonly outcome: Outcome;
}

/** So few that all processes are at work until the end. */
const CHANGES_PER_PROCESS = 200;
const CHANGES_BETWEEN_SAVES = 50;
const SECONDS_BEFORE_IT_HANGS = 240;

const keyOf = (source: Source, id: number): string => {
  const mutation = source.mutations[id - source.offset];
  return `${mutation?.code ?? ''}\n${mutation?.change ?? ''}\n${mutation?.nth ?? 0}`;
};

class Results {
  readonly #kept = new Map<string, Record<string, Kept>>();
  readonly #digests = new Map<string, string>();
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  #nameOf({ file, text }: Source): string {
    return `found-${file.replaceAll('/', '-')}-${digestOf(text)}`;
  }

  #of(source: Source): Record<string, Kept> {
    const name = this.#nameOf(source);
    const kept = this.#kept.get(name) ?? (readKept(name) as Record<string, Kept> | undefined) ?? {};
    this.#kept.set(name, kept);
    return kept;
  }

  #digestOf(suite: string): string {
    const digest = this.#digests.get(suite) ?? suiteDigest(suite);
    this.#digests.set(suite, digest);
    return digest;
  }

  /** With the reach: the same suites are asked without their slow checks where only near ones are. */
  #allOf({ file }: Source): string {
    return digestOf(this.#reach, ...suitesOf(file, this.#reach).map(({ name }) => this.#digestOf(name)));
  }

  get(source: Source, id: number): Outcome | undefined {
    const kept = this.#of(source)[keyOf(source, id)];
    if (kept === undefined) return undefined;
    const now = kept.suite === undefined ? this.#allOf(source) : this.#digestOf(kept.suite);
    return now === kept.suites ? kept.outcome : undefined;
  }

  set(source: Source, id: number, outcome: Outcome, suite?: string): void {
    this.#of(source)[keyOf(source, id)] =
      suite === undefined
        ? { outcome, suites: this.#allOf(source) }
        : { outcome, suite, suites: this.#digestOf(suite) };
  }

  save(sources: readonly Source[]): void {
    for (const source of sources) {
      const name = this.#nameOf(source);
      const kept = this.#kept.get(name);
      if (kept !== undefined) keep(name, kept);
    }
  }
}

/** @returns the result of each change, by its number */
export async function tryChanges(
  sources: readonly Source[],
  ids: readonly number[],
  { lanes, reach, isCached, say }: TryOptions,
): Promise<ReadonlyMap<number, Outcome>> {
  const results = new Results(reach);
  const outcomes = new Map<number, Outcome>();
  const set = (id: number, outcome: Outcome, suite?: string): void => {
    const source = sourceOf(sources, id);
    outcomes.set(id, outcome);
    results.set(source, id, outcome, suite);
    const mutation = source.mutations[id - source.offset];
    // A person should see a change that is counted because its process hung or ended, or left something behind.
    const how = outcome === 'survived' ? 'survived' : suite === undefined ? 'broke its process' : undefined;
    if (how !== undefined && mutation !== undefined) say(`${how} ${source.file}:${mutation.line} ${mutation.change}`);
    if (outcomes.size % CHANGES_BETWEEN_SAVES === 0) results.save(sources);
  };
  const left: number[] = [];
  for (const id of ids) {
    const known = isCached ? results.get(sourceOf(sources, id), id) : undefined;
    if (known === undefined) left.push(id);
    else outcomes.set(id, known);
  }
  const batches: number[][] = [];
  for (let at = 0; at < left.length; at += CHANGES_PER_PROCESS) batches.push(left.slice(at, at + CHANGES_PER_PROCESS));
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      await tryBatch(batch, reach, set, say);
      results.save(sources);
      say(`${outcomes.size} of ${ids.length} tried`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return outcomes;
}

type Set = (id: number, outcome: Outcome, suite?: string) => void;

/** Starts a process again where a change makes it hang, or leaves something behind that disturbs the next ones. */
async function tryBatch(batch: readonly number[], reach: Reach, set: Set, say: (line: string) => void): Promise<void> {
  const left = new Set(batch);
  const disturbed = new Set<number>();
  while (left.size > 0) {
    let trying: number | undefined;
    let isFirst = true;
    let isPolluted = false;
    const killed = (id: number, outcome: Outcome, suite?: string): void => {
      left.delete(id);
      isFirst = false;
      set(id, outcome, suite);
    };
    await runWorker([...left], reach, (line) => {
      if ('trying' in line) trying = line.trying;
      else if ('killed' in line) killed(line.killed, line.suite.includes('vectors') ? 'vectors' : 'tests', line.suite);
      else if ('survived' in line) killed(line.survived, 'survived');
      else if ('skipped' in line) say(`not asked, since it fails here: ${line.skipped}`);
      else if ('polluted' in line) {
        // The change itself is to blame where nothing was tried before it, or where it happens twice.
        isPolluted = true;
        if (isFirst || disturbed.has(line.polluted)) killed(line.polluted, 'tests');
        disturbed.add(line.polluted);
      }
    });
    if (!isPolluted && trying !== undefined && left.has(trying)) killed(trying, 'tests');
    else if (!isPolluted && left.size > 0 && trying === undefined) throw new Error('the changes could not be tried');
  }
}

async function runWorker(ids: readonly number[], reach: Reach, report: (line: Line) => void): Promise<void> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'worker.ts'), reach], {
    stdio: ['pipe', 'pipe', process.env['VTLIC_MUTATION_ERRORS'] === undefined ? 'ignore' : 'inherit'],
  });
  child.stdin.end(JSON.stringify(ids));
  const stop = (): void => void child.kill('SIGKILL');
  let timer = setTimeout(stop, SECONDS_BEFORE_IT_HANGS * 1000);
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(stop, SECONDS_BEFORE_IT_HANGS * 1000);
    // A test of a command may print something of its own.
    if (line.startsWith('{"')) report(JSON.parse(line) as Line);
  }
  clearTimeout(timer);
}
