/**
 * The disk goes wrong at the first, second, third … call by which a command changes a file, in each of several ways;
 * after each the same command is run again on a good disk.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NO_KILL } from '../campaign/kill-point.ts';
import { look, Memory } from '../campaign/look.ts';
import { Officer, type Act } from '../campaign/officer.ts';
import { makePlace, type Place } from '../campaign/place.ts';
import { runToDeath, type Ended } from '../campaign/process-that-dies.ts';
import { Random } from '../campaign/random.ts';
import { diskFaultEnv } from './build-disk-faults.ts';

/** See `disk-faults.c`. */
export const WAYS = ['ENOSPC', 'EIO', 'EROFS', 'ENOSPC+', 'EIO+', 'EROFS+', 'short', 'torn'] as const;
export type Way = (typeof WAYS)[number];

export interface DiskCase {
  readonly command: 'issue' | 'batch';
  readonly way: Way;
  /** The call at which it happens, counted from 1. */
  readonly at: number;
  /** "NAME PATH" of that call, without the folder; undefined where the command made fewer calls. */
  readonly call: string | undefined;
  /** All calls of the run. */
  readonly calls: readonly string[];
  readonly code: number | null;
  /** What it said in the end. */
  readonly words: string;
  readonly problems: readonly string[];
}

const SITE_FOR = 60;

/** Walks one way through one command at sites of its own. */
export class DiskWalk {
  readonly #seed: number;
  #place: Place | undefined;
  #officer: Officer | undefined;
  #memory = new Memory();
  #cases = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** @param rows of a batch */
  async try(command: 'issue' | 'batch', way: Way, at: number, rows = 3): Promise<DiskCase> {
    if (this.#cases++ % SITE_FOR === 0) await this.#move();
    const { place, officer } = this.#here();
    const problems: string[] = [];
    const log = join(place.folder, 'calls.log');
    rmSync(log, { force: true });
    const before = await look(place, this.#memory);
    const act = command === 'issue' ? officer.next('issue', undefined) : officer.batch(rows);
    const ended = await runToDeath(act.args, NO_KILL, {
      folder: place.folder,
      env: { ...place.env, ...diskFaultEnv(place.folder, { at, how: way }, log) },
    });
    const calls = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
    const after = await look(place, this.#memory);
    problems.push(...after.problems.map(({ words }) => words), ...faultsOfEnd(ended, after.entries - before.entries));
    if (ended.code === 0) act.done();
    await this.#goOn(ended.code === 0 ? undefined : act, problems);
    if (problems.length > 0) await this.#move();
    return {
      command,
      way,
      at,
      calls,
      call: calls[at - 1]?.replaceAll(`${place.folder}/`, '').replace(/[0-9a-f]{8}\.vtlic/, 'ID.vtlic'),
      code: ended.code,
      words:
        ended.stderr
          .split('\n')
          .findLast((line) => line.startsWith('vtlic: '))
          ?.replaceAll(`${place.folder}/`, '') ?? '',
      problems,
    };
  }

  close(): void {
    this.#place?.remove();
    this.#place = undefined;
  }

  /** On a good disk the same command succeeds by itself, and leaves nothing behind. */
  async #goOn(act: Act | undefined, problems: string[]): Promise<void> {
    const { place, officer } = this.#here();
    const again =
      act === undefined
        ? officer.next('issue', undefined)
        : act.command === 'batch'
          ? officer.next('batch', undefined)
          : act;
    const next = await runToDeath(again.args, NO_KILL, place);
    if (!again.good.includes(next.code ?? -1))
      problems.push(`afterwards, on a good disk: exit code ${next.code}: ${next.stderr}`);
    else again.done();
    const found = await look(place, this.#memory);
    problems.push(...found.problems.map(({ words }) => `afterwards, on a good disk: ${words}`));
    if (found.open > 0 || found.unreleased > 0)
      problems.push(`afterwards ${found.open} counters and ${found.unreleased} licenses are unfinished`);
    const out = join(place.site, 'out');
    const left = existsSync(out)
      ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'))
      : [];
    if (left.length > 0) problems.push(`afterwards half files are left: ${left.join(', ')}`);
  }

  async #move(): Promise<void> {
    this.close();
    const place = await makePlace('software');
    const officer = new Officer(place, new Random(this.#seed));
    this.#place = place;
    this.#officer = officer;
    this.#memory = new Memory();
    for (const act of officer.first()) {
      const ended = await runToDeath(act.args, NO_KILL, place);
      if (ended.code !== 0) throw new Error(`vtlic ${act.args.join(' ')}: ${ended.code} ${ended.stderr}`);
      act.done();
    }
  }

  #here(): { readonly place: Place; readonly officer: Officer } {
    if (this.#place === undefined || this.#officer === undefined) throw new Error('the walk has no site');
    return { place: this.#place, officer: this.#officer };
  }
}

/**
 * 11 where something could not be written, 18 where that was a part of a batch, 2 where the ledger could not even be
 * read. Never 4: it is whole.
 */
const CODES: readonly number[] = [0, 2, 11, 18];

/** A documented exit code, one clear sentence, and no word that the record contradicts. */
function faultsOfEnd(ended: Ended, recorded: number): string[] {
  const { code, stderr } = ended;
  const problems: string[] = [];
  if (code === null || !CODES.includes(code)) problems.push(`exit code ${code}: ${stderr}`);
  if (/\n\s+at |defect of this program/.test(stderr)) problems.push(`no sentence for a person: ${stderr}`);
  const sentences = stderr.split('\n').filter((line) => line.startsWith('vtlic: '));
  if (code !== 0 && code !== 18 && sentences.length !== 1) problems.push(`${sentences.length} sentences: ${stderr}`);
  if (recorded > 0 && stderr.includes('nothing was recorded'))
    problems.push(`it says that nothing was recorded, and ${recorded} entries were: ${sentences.join(' ')}`);
  return problems;
}

export interface WalkOptions {
  /** At every n-th call. */
  readonly every: number;
  readonly seed: number;
  /** Sites at a time. */
  readonly lanes: number;
  readonly ways?: readonly Way[];
  readonly commands?: readonly DiskCase['command'][];
  readonly tell: (line: string) => void;
}

/** Each way through each command, until it makes no more calls. */
export async function walkDisk(options: WalkOptions): Promise<readonly DiskCase[]> {
  const { every, seed, tell } = options;
  const left = (options.commands ?? ['issue', 'batch']).flatMap((command) =>
    (options.ways ?? WAYS).map((way) => ({ command, way })),
  );
  const cases: DiskCase[] = [];
  const lane = async (): Promise<void> => {
    const walk = new DiskWalk(seed);
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        // Not always the same calls where only some are tried.
        for (let at = 1 + (seed % every); ; at += every) {
          const one = await walk.try(next.command, next.way, at);
          if (one.call === undefined) break;
          cases.push(one);
          if (cases.length % 100 === 0) tell(`${cases.length} calls at which the disk went wrong`);
          if (one.problems.length > 0)
            tell(`PROBLEM: ${one.command}, ${one.way} at call ${at} (${one.call}): ${one.problems.join(' | ')}`);
        }
      }
    } finally {
      walk.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return cases;
}
