/**
 * Tries changes, in a process of its own: `node worker.ts REACH`, with their numbers on standard input. Prints one line of
 * JSON for what it is about to try and for what it found, so that the driver knows which change made it hang.
 */
import { readFileSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import fc from 'fast-check';
import { digestOf, isIn, keep, packed, readKept, suiteDigest, type CheckRecord } from './records.ts';
import { readSources, type Source } from './sources.ts';
import type { Check, Reach, Suite } from './suites.ts';
import { atLoading, state, switchSources } from './switched-modules.ts';

export type Line =
  | { readonly trying: number }
  | { readonly killed: number; readonly suite: string; readonly by: string }
  | { readonly survived: number }
  /** The check that failed fails on the source as it is, too: something of an earlier change is left. */
  | { readonly polluted: number }
  | { readonly skipped: string }
  | { readonly recording: string };

const say = (line: Line): void => void writeSync(1, `${JSON.stringify(line)}\n`);

/** The same examples in each run, and no search for a smaller one. */
fc.configureGlobal({ seed: 20_260_101, endOnFailure: true });
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => undefined);

interface Known {
  readonly check: Check;
  readonly milliseconds: number;
  readonly reached: Uint8Array;
}

const MIN_WAIT = 5_000;
/** Turns of loops in one check, unless it makes many without any change. */
const MAX_TURNS = 5_000_000;
const FIRST_WAIT = 120_000;

/** The real ones: a test that hangs may have put others in their place. */
const { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout } = globalThis;

/** Whether a check passes, in `wait` milliseconds, with a change on. */
async function passes(check: Check, wait: number, on = -1, maxTurns = MAX_TURNS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  state.turns = 0;
  state.maxTurns = maxTurns;
  state.on = on;
  try {
    // The timer is first: some tests count the timers at their beginning and at their end.
    const late = new Promise((_resolve, reject) => {
      timer = setRealTimeout(() => reject(new Error('it takes too long')), wait);
    });
    await Promise.race([late, (async () => check.run())()]);
    return true;
  } catch {
    return false;
  } finally {
    state.on = -1;
    clearRealTimeout(timer);
    mock.timers.reset();
    syncBuiltinESMExports();
  }
}

const sources = readSources();
switchSources(sources);
const { suitesOf } = await import('./suites.ts');
/** The numbers in the records are those of these changes. */
const allSources = digestOf(...sources.map(({ file, text, mutations }) => file + text + JSON.stringify(mutations)));

async function record(suite: Suite, checks: readonly Check[]): Promise<readonly CheckRecord[]> {
  const name = `reached-${digestOf(allSources, suiteDigest(suite.name))}`;
  const kept = readKept(name) as readonly CheckRecord[] | undefined;
  if (kept !== undefined) return kept;
  const records: CheckRecord[] = [];
  for (const check of checks) {
    say({ recording: check.name });
    state.marks.fill(0);
    state.isMarking = true;
    const start = performance.now();
    const passed = await passes(check, FIRST_WAIT);
    state.isMarking = false;
    const milliseconds = performance.now() - start;
    if (passed) records.push({ name: check.name, milliseconds, reached: packed(state.marks) });
    else say({ skipped: `${suite.name}: ${check.name}` });
  }
  keep(name, records);
  return records;
}

const loaded = new Map<Suite, readonly Known[]>();

async function checksOf(suite: Suite): Promise<readonly Known[]> {
  const known = loaded.get(suite);
  if (known !== undefined) return known;
  const checks = await suite.load();
  const byName = new Map((await record(suite, checks)).map((one) => [one.name, one]));
  const all = checks.flatMap((check) => {
    const kept = byName.get(check.name);
    if (kept === undefined) return [];
    return [{ check, milliseconds: kept.milliseconds, reached: Uint8Array.from(Buffer.from(kept.reached, 'base64')) }];
  });
  loaded.set(
    suite,
    all.toSorted((a, b) => a.milliseconds - b.milliseconds),
  );
  return all;
}

/** Check → when it last noticed a change: neighbors are often noticed by the same check. */
const lastNoticed = new Map<string, number>();
let notices = 0;

const promisingFirst = (checks: readonly Known[]): readonly Known[] =>
  checks.toSorted((a, b) => (lastNoticed.get(b.check.name) ?? 0) - (lastNoticed.get(a.check.name) ?? 0));

/** Whether the change is noticed by one of the checks, which pass without it. */
async function isNoticed(
  id: number,
  suite: Suite,
  checks: readonly (readonly [changed: Check, known: Known])[],
): Promise<boolean> {
  for (const [changed, { check, milliseconds }] of checks) {
    const wait = milliseconds * 10 + MIN_WAIT;
    if (await passes(changed, wait, id)) continue;
    const isEndless = state.turns > MAX_TURNS;
    if (!(await passes(check, wait))) {
      say({ polluted: id });
      process.exit(0);
    }
    if (isEndless && (await passes(changed, wait, id, MAX_TURNS + 4 * state.turns))) continue;
    lastNoticed.set(check.name, ++notices);
    say({ killed: id, suite: suite.name, by: check.name });
    return true;
  }
  return false;
}

/** A module that is loaded twice by one number runs once, and gives its tests once. */
let copies = 0;

/** Loads the modules again with the change on, since it acts while they are loaded. */
async function isNoticedAnew(id: number, source: Source, suite: Suite, known: readonly Known[]): Promise<boolean> {
  let checks: readonly Check[];
  state.turns = 0;
  state.maxTurns = MAX_TURNS;
  state.on = id;
  try {
    checks = await suite.load([source.file, ++copies]);
  } catch {
    say({ killed: id, suite: suite.name, by: 'loading it' });
    return true;
  } finally {
    state.on = -1;
  }
  const byName = new Map(checks.map((check) => [check.name, check]));
  return isNoticed(
    id,
    suite,
    promisingFirst(known).flatMap((one) => {
      const check = byName.get(one.check.name);
      return check === undefined ? [] : [[check, one] as const];
    }),
  );
}

const reach = process.argv[2] as Reach;
/** Milliseconds of a check that is asked after all others, or never where only near suites are asked. */
const SLOW = 150;
const SUITES_LOADED_ANEW = 5;

async function trySource(source: Source, ids: ReadonlySet<number>): Promise<void> {
  const left = new Set(ids);
  const suites = suitesOf(source.file, reach);
  const turns = [false, ...(reach === 'near' ? [] : [true])].flatMap((isSlow) =>
    suites.map((suite, i) => ({ suite, isSlow, isLoadedAnew: i < SUITES_LOADED_ANEW })),
  );
  for (const { suite, isSlow, isLoadedAnew } of turns) {
    if (left.size === 0) break;
    const known = (await checksOf(suite)).filter(({ milliseconds }) => milliseconds >= SLOW === isSlow);
    if (known.length === 0) continue;
    for (const id of left) {
      const reaching = known.filter(({ reached }) => isIn(reached, id));
      say({ trying: id });
      if (
        await isNoticed(
          id,
          suite,
          promisingFirst(reaching).map((one) => [one.check, one]),
        )
      )
        left.delete(id);
      else if (atLoading.has(id) && isLoadedAnew && (await isNoticedAnew(id, source, suite, known))) left.delete(id);
    }
  }
  for (const id of left) say({ survived: id });
}

const wanted = (JSON.parse(readFileSync(0, 'utf8')) as readonly number[]).toSorted((a, b) => a - b);
for (const source of sources) {
  const ids = wanted.filter((id) => id >= source.offset && id < source.offset + source.mutations.length);
  if (ids.length > 0) await trySource(source, new Set(ids));
}
process.exit(0);
