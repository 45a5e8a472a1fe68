/** The arguments of `vtlic-conform`, checked. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { VtlicError } from '../../formats/error.ts';
import type { SearchKind } from '../properties/search.ts';

export const HELP = `vtlic-conform tests a verifier of .vtlic licenses, in any language.

  vtlic-conform [options] -- COMMAND [ARGUMENT...]
  vtlic-conform [options] -- COMMAND ... -- COMMAND ...   and compares them

It runs a smoke test, the published vectors, and generated licenses, settings
(keysets, overrides, key files) and histories. docs/conformance.md explains the
protocol and the results.

  --only PREFIX              only vectors whose id begins with it, also while
                             the smoke test fails; no generated cases
  --no-vectors               generated cases only
  --vectors FOLDER           other vectors than those that come with it
  --case FOLDER              replays a case that it wrote; may be repeated
  --seconds N                for generated licenses, again for settings, and
                             again for histories (default 20; 0: none)
  --search KIND              of generated cases only "licenses", "settings" or
                             "histories"
  --seed N                   repeats a search (default: another one each time)
  --expected-failures FILE   lines "ID REASON" of vectors that may fail
  --timeout N                seconds for an answer (default 10)
  --start-timeout N          seconds for the first one (default 60)
  --one-shot                 the command has no protocol, but exit codes
  --found FOLDER             where found cases are written
                             (default conform-found)
  --json FILE  --junit FILE  --html FILE    reports
  --quiet                    no progress

Exit: 0 passed, 1 failed, 2 nothing was run, 3 the harness broke.

Example: vtlic-conform --html report.html -- python3 my_verifier.py
`;

export interface Options {
  readonly commands: readonly (readonly string[])[];
  readonly only: string;
  readonly vectors: boolean;
  readonly vectorsFolder?: string;
  readonly cases: readonly string[];
  readonly seconds: number;
  readonly search?: SearchKind;
  readonly seed?: number;
  readonly expectedFailures?: string;
  readonly timeoutSeconds: number;
  readonly startSeconds: number;
  readonly oneShot: boolean;
  readonly found: string;
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly quiet: boolean;
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  only: { type: 'string', default: '' },
  'no-vectors': { type: 'boolean', default: false },
  vectors: { type: 'string' },
  case: { type: 'string', multiple: true },
  seconds: { type: 'string' },
  search: { type: 'string' },
  seed: { type: 'string' },
  'expected-failures': { type: 'string' },
  timeout: { type: 'string', default: '10' },
  'start-timeout': { type: 'string', default: '60' },
  'one-shot': { type: 'boolean', default: false },
  found: { type: 'string', default: 'conform-found' },
  json: { type: 'string' },
  junit: { type: 'string' },
  html: { type: 'string' },
  quiet: { type: 'boolean', default: false },
} as const;

const MAX_SECONDS = 86_400;

/**
 * @returns undefined: help was asked for
 * @throws VtlicError `usage`
 */
export function readOptions(argv: readonly string[]): Options | undefined {
  const end = argv.indexOf('--');
  const values = parse(end < 0 ? argv : argv.slice(0, end));
  if (values.help === true) return undefined;
  const commands = splitAt(end < 0 ? [] : argv.slice(end + 1));
  if (commands.length === 0 || commands.some(([program = '']) => program === ''))
    throw usage('no verifier is named', 'Name its command behind --, such as: vtlic-conform -- ./my-verifier');
  if (values['one-shot'] && commands.length > 1)
    throw usage('--one-shot takes one command', 'Run it once for each command.');
  const { only, vectors, search, seed, json, junit, html } = values;
  const failures = values['expected-failures'];
  const isReplay = (values.case ?? []).length > 0;
  refuseWithoutEffect(values);
  const seconds = number('seconds', values.seconds ?? (only === '' && !isReplay ? '20' : '0'), 0, MAX_SECONDS);
  const reports = [json, junit, html].flatMap((path) => (path === undefined ? [] : [resolve(path)]));
  if (new Set(reports).size < reports.length)
    throw usage('two reports have the same file', 'Give each of --json, --junit and --html a file of its own.');
  if (seconds === 0 && values['no-vectors'])
    throw usage('nothing is left to run without vectors and generated cases', 'Give --seconds, a number above 0.');
  if (seconds === 0 && search !== undefined)
    throw usage('--search has no effect without generated cases', 'Give --seconds, a number above 0.');
  return {
    commands,
    only,
    vectors: !values['no-vectors'] && !isReplay,
    ...(vectors === undefined ? {} : { vectorsFolder: vectors }),
    cases: values.case ?? [],
    seconds,
    ...(search === undefined ? {} : { search: kind(search) }),
    ...(seed === undefined ? {} : { seed: number('seed', seed, 0, 2 ** 31 - 1) }),
    ...(failures === undefined ? {} : { expectedFailures: failures }),
    timeoutSeconds: number('timeout', values.timeout, 1, MAX_SECONDS),
    startSeconds: number('start-timeout', values['start-timeout'], 1, MAX_SECONDS),
    oneShot: values['one-shot'],
    found: values.found,
    ...(json === undefined ? {} : { json }),
    ...(junit === undefined ? {} : { junit }),
    ...(html === undefined ? {} : { html }),
    quiet: values.quiet,
  };
}

const read = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

function parse(args: readonly string[]): ReturnType<typeof read>['values'] {
  try {
    const { values, positionals } = read(args);
    const [first] = positionals;
    if (first !== undefined)
      throw usage(`${first} is not an option`, `Put -- before the command of the verifier: vtlic-conform -- ${first}`);
    return values;
  } catch (error) {
    if (error instanceof VtlicError) throw error;
    throw usage(
      error instanceof Error ? (error.message.split('.')[0] ?? '') : '',
      'vtlic-conform --help lists the options.',
    );
  }
}

/** Options that are not used beside another one. */
const UNUSED_BESIDE = {
  case: ['vectors', 'no-vectors', 'seconds', 'search'],
  'no-vectors': ['vectors', 'only', 'expected-failures'],
} as const;

function refuseWithoutEffect(values: ReturnType<typeof parse>): void {
  const isGiven = (name: keyof typeof OPTIONS): boolean => ![undefined, false, ''].includes(values[name] as never);
  for (const name of ['case', 'no-vectors'] as const) {
    const unused = UNUSED_BESIDE[name].find(isGiven);
    if (isGiven(name) && unused !== undefined)
      throw usage(`--${unused} has no effect beside --${name}`, 'Leave one of them out.');
  }
}

function splitAt(args: readonly string[]): readonly (readonly string[])[] {
  const commands: string[][] = args.length === 0 ? [] : [[]];
  for (const argument of args)
    if (argument === '--') commands.push([]);
    else commands.at(-1)?.push(argument);
  return commands;
}

function kind(text: string): SearchKind {
  if (text === 'licenses' || text === 'settings' || text === 'histories') return text;
  throw usage(`--search is ${JSON.stringify(text)}`, 'Give licenses, settings or histories, or leave it out for all.');
}

function number(name: string, text: string, min: number, max: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw usage(`--${name} is ${JSON.stringify(text)}`, `Give a whole number from ${min} to ${max}.`);
}

function usage(message: string, hint: string): VtlicError {
  return new VtlicError('usage', message, { hint });
}
