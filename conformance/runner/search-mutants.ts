/**
 * `node conformance/runner/search-mutants.ts [--write] [NAME…]`: looks for each wrong verifier by generated cases only,
 * without the vectors, and prints the table of docs/conformance.md; `--write` puts it there. Exit code 1 where one is
 * not found.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, refuseArguments } from '../../packages/script-arguments.ts';
import { answering, REFERENCE, readTrust, type Judge } from '../harness/reference/answer.ts';
import { loadMutant } from '../mutants/load.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { STATEFUL_MUTANTS } from '../properties/stateful-mutants.ts';
import { searchBy, type Ask, type SearchKind } from '../properties/search.ts';
import { CAPABILITIES, faulty, type Answer, type Request } from '../protocol/protocol.ts';

interface MutantResult {
  readonly name: string;
  readonly lacks: string;
  readonly seconds: number;
  readonly runs: number;
  /** Absent: it was not found. */
  readonly headline?: string;
  /** Without the new installation that a history begins with. */
  readonly steps?: number;
}

/** For one mutant, on a machine that does nothing else. */
const MAX_SECONDS = 60;

/** What is searched in turn, and for which part of that at most. The first two end when each named change was tried. */
const PASSES: readonly { readonly kind: SearchKind; readonly share: number; readonly namedOnly?: true }[] = [
  { kind: 'licenses', share: 0.5, namedOnly: true },
  { kind: 'settings', share: 0.4, namedOnly: true },
  { kind: 'histories', share: 0.3 },
  { kind: 'licenses', share: 0.2 },
  { kind: 'settings', share: 0.1 },
];

/** A mutant of keysets that also lacks a check of the trust value is to be found by a keyset. */
function passesFor(name: string, isStateful: boolean): typeof PASSES {
  if (isStateful) return [{ kind: 'histories', share: 1 }];
  return name.startsWith('keyset-') ? PASSES.filter(({ kind }) => kind === 'settings') : PASSES;
}

async function findMutant(name: string, seed = 1): Promise<MutantResult> {
  const stateful = STATEFUL_MUTANTS[name];
  const lacks = stateful?.[0] ?? MUTANTS.find((one) => one.name === name)?.lacks;
  if (lacks === undefined) throw new Error(`there is no mutant ${name}`);
  const answer = stateful === undefined ? await answerOfMutant(name) : answerOfStateful(stateful[1]);
  const passes = passesFor(name, stateful !== undefined);
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  let runs = 0;
  for (const { kind, share, namedOnly } of passes) {
    const { findings, faults, ...result } = await searchBy(kind, asking(answer), {
      seed,
      milliseconds: 1000 * Math.min(share * MAX_SECONDS, MAX_SECONDS - seconds()),
      maxRuns: Infinity,
      maxFindings: 1,
      capabilities: new Set(CAPABILITIES),
      hasGray: true,
      ...(namedOnly === undefined ? {} : { namedOnly }),
      progress: () => undefined,
      expectable: (expected) => expected,
    });
    runs += result.runs;
    const [finding] = findings;
    const [broken] = faults;
    const found = { name, lacks, seconds: seconds(), runs };
    // If a mutant throws, its author sees an error of the harness.
    if (broken !== undefined) return { ...found, headline: `${broken.fault.sentence} — ${broken.words}`, steps: 1 };
    if (finding !== undefined)
      return { ...found, headline: finding.headline, steps: Math.max(1, finding.steps.length - 1) };
  }
  return { name, lacks, seconds: seconds(), runs };
}

function asking(answer: (request: Request) => Answer): Ask {
  return (request) => {
    try {
      return Promise.resolve({ ok: true, value: answer(request) });
    } catch (error) {
      return Promise.resolve(faulty('own_error', `the verifier throws "${(error as Error).message}"`));
    }
  };
}

function answerOfStateful(make: (typeof STATEFUL_MUTANTS)[string][1]): (request: Request) => Answer {
  const judge: Judge = {
    ...REFERENCE,
    installation: ({ trust, context, clock }) => new make(readTrust(trust), context, clock),
  };
  return answering(judge);
}

async function answerOfMutant(name: string): Promise<(request: Request) => Answer> {
  const loaded = (await loadMutant(name, import.meta.resolve('../harness/reference/answer.ts'))) as {
    readonly answering: typeof answering;
  };
  return loaded.answering();
}

const MUTANT_NAMES: readonly string[] = [...Object.keys(STATEFUL_MUTANTS), ...MUTANTS.map(({ name }) => name)];

const DOCUMENT = join(import.meta.dirname, '../../docs/conformance.md');
const [BEGIN, END] = ['<!-- made: mutants -->', '<!-- /made -->'];
const HEAD = '| verifier | lacks or does wrongly | found as | steps | runs | s |\n|---|---|---|---|---|---|\n';

function row({ name, lacks, headline, steps, runs, seconds }: MutantResult): string {
  const cells = [`\`${name}\``, lacks, headline ?? '**not found**', steps ?? '', runs, seconds.toFixed(1)];
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |\n`;
}

/** The rows that the page has stay, of those that were not searched now. @param rows by the name of the mutant */
function writeTable(rows: ReadonlyMap<string, string>): void {
  const before = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END, before.indexOf(BEGIN))];
  if (from < 0 || to < 0) throw new Error(`${DOCUMENT} has no place for the table: ${BEGIN} … ${END}`);
  const old = before.slice(from, to).split(/(?<=\n)/);
  const rowOf = (name: string): string =>
    rows.get(name) ?? old.find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
  const table = [HEAD, ...MUTANT_NAMES.map(rowOf)].join('');
  writeFileSync(DOCUMENT, `${before.slice(0, from)}${BEGIN}\n\n${table}\n${before.slice(to)}`);
}

if (import.meta.main) {
  const { values, positionals } = readArguments({ allowPositionals: true, options: { write: { type: 'boolean' } } });
  const names = MUTANT_NAMES.filter((name) => positionals.length === 0 || positionals.includes(name));
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) refuseArguments(`no wrong verifier has the name ${unknown}`);
  const rows = new Map<string, string>();
  let missing = 0;
  process.stdout.write(HEAD);
  for (const name of names) {
    const result = await findMutant(name);
    if (result.headline === undefined) missing++;
    rows.set(name, row(result));
    process.stdout.write(row(result));
  }
  if (values.write === true) writeTable(rows);
  process.exitCode = missing === 0 ? 0 : 1;
}
