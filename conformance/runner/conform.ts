/**
 * `vtlic-conform`: from the arguments to the exit code. Failures and errors are printed as they happen, the summary at
 * the end. A sentence about the run itself begins with "error:" and has a hint.
 */
import { join } from 'node:path';
import { describeFileError } from '../../files/index.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { killAllHarnesses } from '../protocol/process.ts';
import type { HarnessFault } from '../protocol/protocol.ts';
import { exitOf, type CaseOutcome, type Report } from '../report/outcome.ts';
import { outcomeLines, textReport } from '../report/text.ts';
import { emptyReports, writeReports } from '../report/write.ts';
import { readFound, readVectors, type Vectors } from './cases.ts';
import { compareVerifiers, isComparable } from './differential.ts';
import { readExpectedFailures } from './expected-failures.ts';
import { writeFound } from './found.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { runAll, type RunPlan } from './run.ts';
import { Session } from './session.ts';

export interface ConformIo {
  readonly out: (text: string) => void;
  readonly report: (text: string) => void;
  /** Whether standard error is a terminal: there, progress is one line. */
  readonly isTerminal: boolean;
  /** The published vectors that come with the program. */
  readonly vectors: string;
  readonly version: string;
  /** Of the random cases, 0 to 2³¹ - 1. `runConform` sets it to the one that the arguments name. */
  seed: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}

export const EXIT_NOTHING_RUN = 2;
const EXIT_BROKEN = 3;
/** Clears the line of progress on a terminal. */
const CLEAR_LINE = '\r\u001b[K';
/** A search ends by time, unless a test wants the same one each time. */
const MAX_RUNS = 1_000_000;

/** @returns the exit code. Leaves no process behind */
export async function runConform(argv: readonly string[], io: ConformIo): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options === undefined) {
      io.out(HELP);
      return 0;
    }
    io.seed = options.seed ?? io.seed;
    return await conform(options, io);
  } catch (error) {
    if (error instanceof VtlicError) reportError(error, io);
    else reportDefect(error, io);
    return EXIT_NOTHING_RUN;
  } finally {
    killAllHarnesses();
  }
}

/** Prints an error that nobody expected. A search is random, so without its seed nobody could see it again. */
export function reportDefect(error: unknown, io: ConformIo): void {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const place = /^ +at .*/m.exec(stack)?.[0].trim() ?? '';
  const defect = new VtlicError('internal', `a defect of this program: ${cleanText(`${name}: ${message}`, 500)}`, {
    hint: `report it (SECURITY.md), with the command, the seed ${io.seed} and the place: ${cleanText(place, 300)}`,
    cause: error,
  });
  reportError(defect, io);
}

function reportError({ message, hint, place: { file: path } }: VtlicError, { report, isTerminal }: ConformIo): void {
  const file = path === undefined || message.includes(path) ? '' : `${cleanText(path)}: `;
  // A message may quote a file that somebody else made.
  const line = (text: string): string => `${cleanText(text, Infinity)}\n`;
  report(
    `${isTerminal ? CLEAR_LINE : ''}${line(`error: ${file}${message}`)}${hint === undefined ? '' : line(`hint: ${hint}`)}`,
  );
}

type Plan = Omit<RunPlan, 'keep' | 'startedAt'>;

interface Setting {
  readonly options: Options;
  readonly io: ConformIo;
  readonly show: Progress;
}

async function conform(options: Options, io: ConformIo): Promise<number> {
  const vectors = vectorsOf(options, io);
  const known = new Set(vectors?.cases.map(({ id }) => id));
  const expectedFailures =
    options.expectedFailures === undefined
      ? new Map<string, string>()
      : readExpectedFailures(options.expectedFailures, known);
  if (vectors !== undefined && options.only !== '' && ![...known].some((id) => id.startsWith(options.only)))
    throw new VtlicError('usage', `no vector has an id that begins with ${JSON.stringify(options.only)}`, {
      hint: 'Ids are like verify/time-nbf; leave --only out to run all.',
    });
  const show = progress(options, io);
  const setting: Setting = { options, io, show };
  const plan: Plan = {
    runner: `vtlic-conform ${io.version}`,
    ...(vectors === undefined ? {} : { vectors }),
    only: options.only,
    expectedFailures,
    seed: io.seed,
    searchMilliseconds: options.seconds * 1000,
    ...(options.search === undefined ? {} : { search: options.search }),
    maxRuns: MAX_RUNS,
    progress: show.update,
    done: (outcome: CaseOutcome) => {
      if (outcome.outcome !== 'fail' && outcome.outcome !== 'error') return;
      show.clear();
      io.out(`${outcomeLines(outcome).join('\n')}\n`);
    },
  };
  const hasSeveral = options.commands.length > 1;
  const runs: [label: string, run: () => Promise<Report | undefined>][] = options.commands.map((command, i) => {
    const label = hasSeveral ? String(i + 1) : '';
    return [label, () => runOne(command, join(options.found, label), plan, setting)];
  });
  if (hasSeveral && isComparable(plan)) runs.push(['compared', () => compare(plan, setting)]);
  else if (hasSeveral) io.report('nothing is compared, since no case asks for the verdict on a license\n');
  const labels = runs.map(([label]) => label);
  emptyReports(options, labels);
  const reports: Report[] = [];
  for (const [, run] of runs) {
    const report = await run();
    if (report === undefined) break;
    reports.push(report);
  }
  writeReports(reports, options, labels);
  return reports.length < runs.length ? EXIT_BROKEN : Math.max(...reports.map((report) => exitOf(report)));
}

function vectorsOf(options: Options, io: ConformIo): Vectors | undefined {
  if (options.cases.length > 0) return { version: 'found', cases: options.cases.map(readFound) };
  return options.vectors ? readVectors(options.vectorsFolder ?? io.vectors) : undefined;
}

function hintOfStart({ kind }: HarnessFault): string {
  switch (kind) {
    case 'cannot_start':
      return 'Name a program that runs, after "--": vtlic-conform -- ./my-verifier';
    case 'ended':
      return 'Run the same command by itself in this folder, and see what it prints.';
    default:
      return 'Read docs/conformance.md, "The protocol", which has a whole conversation.';
  }
}

/** @returns undefined: it could not be started, and why is printed */
async function start(command: readonly string[], { options, io, show }: Setting): Promise<Session | undefined> {
  const { timeoutSeconds, startSeconds, oneShot } = options;
  const limits = { answerMilliseconds: timeoutSeconds * 1000, startMilliseconds: startSeconds * 1000 };
  // A verifier may need long for its first answer.
  const what = `waiting for the first answer of ${cleanText(command.join(' '), 60)}`;
  const waiting = setInterval(() => show.update(what), PROGRESS_MILLISECONDS);
  const started = await Session.start(command, limits, oneShot).finally(() => clearInterval(waiting));
  show.clear();
  if (started.ok) return started.value;
  io.report(`error: ${started.fault.sentence}\nhint: ${hintOfStart(started.fault)}\n`);
  return undefined;
}

async function runOne(
  command: readonly string[],
  found: string,
  plan: Plan,
  setting: Setting,
): Promise<Report | undefined> {
  const { io, show } = setting;
  const keep: RunPlan['keep'] = (id, finding) => {
    try {
      return writeFound(found, id, finding);
    } catch (error) {
      reportError(describeFileError(error, 'output_unwritable', found), io);
      return undefined;
    }
  };
  const session = await start(command, setting);
  if (session === undefined) return undefined;
  const report = await runAll(session, { ...plan, keep, startedAt: io.now() });
  show.clear();
  io.out(textReport(report));
  return report;
}

async function compare(plan: Plan, setting: Setting): Promise<Report | undefined> {
  const { options, io, show } = setting;
  const sessions: Session[] = [];
  for (const command of options.commands) {
    const session = await start(command, setting);
    if (session === undefined) return undefined;
    sessions.push(session);
  }
  const report = await compareVerifiers(sessions, { ...plan, startedAt: io.now() });
  show.clear();
  for (const { outcome, id, title, detail = '' } of report.outcomes) {
    if (outcome === 'pass') io.out(`${title}\n`);
    if (outcome === 'reported') io.out(`${cleanText(`not required: ${id} ${detail}`, Infinity)}\n`);
  }
  return report;
}

interface Progress {
  readonly update: (what: string) => void;
  readonly clear: () => void;
}

const PROGRESS_MILLISECONDS = 200;
/** Without a terminal, a line is printed now and then to show that the run goes on. */
const LINE_MILLISECONDS = 15_000;

function progress({ quiet }: Options, { isTerminal, report }: ConformIo): Progress {
  let last = performance.now();
  let isShown = false;
  return {
    update: (what) => {
      const now = performance.now();
      if (quiet || now - last < (isTerminal ? PROGRESS_MILLISECONDS : LINE_MILLISECONDS)) return;
      last = now;
      isShown = isTerminal;
      report(isTerminal ? `${CLEAR_LINE}${what}` : `${what}\n`);
    },
    clear: () => {
      if (isShown) report(CLEAR_LINE);
      isShown = false;
    },
  };
}
