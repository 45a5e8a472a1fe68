/**
 * On which cases each mutant differs from the reference verifier. `mutants-of-cases.json` keeps what was found, so that
 * the cases can name their mutants; a test finds a part of it again, and `npm run test:mutants:vectors` all.
 *
 *     node conformance/vectors/try-mutants.ts [--write] [--cases BEGINNING] [WORD…]
 *
 * WORD is a part of the name of a mutant. With BEGINNING only cases whose ids begin so are judged, and what is known of
 * the others stays.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readArguments, refuseArguments } from '../../packages/script-arguments.ts';
import { loadMutant } from '../mutants/load.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import type { CaseFolder } from './case.ts';
import { allCases } from './cases.ts';
import { readCases } from './files.ts';
import type { agrees, judgeCase, Outcome } from './judge.ts';
import { knownMutants, MUTANTS_OF_CASES, type Caught } from './mutants-of-cases.ts';

interface Judge {
  readonly agrees: typeof agrees;
  readonly judgeCase: typeof judgeCase;
}

const CASES_VARIABLE = 'VTLIC_CASES';

/** Whether a mutant takes what should be refused: a file, a part of a chain of keysets, or the license of a setting. */
function takesMore(expected: object, found: object): boolean {
  const refusals = (of: object): number => {
    const {
      verdict,
      notices = [],
      license,
    } = of as Outcome & {
      readonly notices?: readonly unknown[];
      readonly license?: Outcome;
    };
    return verdict === 'refused' ? 1 : notices.length + (license?.verdict === 'refused' ? 1 : 0);
  };
  return (found as Outcome).verdict === 'accepted' && refusals(found) < refusals(expected);
}

async function caughtBy(name: string, cases: readonly CaseFolder[]): Promise<Caught> {
  const judge = (await loadMutant(name, import.meta.resolve('./judge.ts'))) as Judge;
  const accepts: string[] = [];
  const differs: string[] = [];
  for (const folder of cases) {
    const { value } = folder;
    if (value.operation === 'history') continue;
    try {
      const outcome = judge.judgeCase(folder);
      if (judge.agrees(value, outcome)) continue;
      const isAccepted = value.expected.verdict === 'misuse' || takesMore(value.expected, outcome);
      (isAccepted ? accepts : differs).push(value.id);
    } catch {
      differs.push(value.id);
    }
  }
  return { accepts: accepts.sort(), differs: differs.sort() };
}

const SHARDS = 2;

/** In processes of their own, since a mutant's modules stay loaded. */
export async function tryMutants(names: readonly string[], beginning = ''): Promise<Readonly<Record<string, Caught>>> {
  const found = await Promise.all(
    Array.from({ length: SHARDS }, async (_, shard) => {
      const own = names.filter((_name, i) => i % SHARDS === shard);
      if (own.length === 0) return {};
      const child = spawn(process.execPath, ['--no-warnings', import.meta.filename, '--only', ...own], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, [CASES_VARIABLE]: beginning },
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(`the mutants ${own.join(', ')} could not be tried`);
      return JSON.parse(output) as Record<string, Caught>;
    }),
  );
  const all: Record<string, Caught> = Object.assign({}, ...found) as Record<string, Caught>;
  return Object.fromEntries(names.map((name) => [name, all[name] ?? { accepts: [], differs: [] }]));
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === '--only') {
    const beginning = process.env[CASES_VARIABLE] ?? '';
    const cases = allCases().filter(({ value }) => value.id.startsWith(beginning));
    const found: Record<string, Caught> = {};
    for (const name of args.slice(1)) found[name] = await caughtBy(name, cases);
    process.stdout.write(JSON.stringify(found));
    return;
  }
  const { values, positionals: words } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: { write: { type: 'boolean', default: false }, cases: { type: 'string', default: '' } },
  });
  const names = MUTANTS.map(({ name }) => name);
  const selected = names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (selected.length === 0) refuseArguments(`no mutant has ${words.join(' or ')} in its name`);
  if (!readCases().some(({ value }) => value.id.startsWith(values.cases)))
    refuseArguments(`no case has an id that begins with ${values.cases}`);
  const fresh = await tryMutants(selected, values.cases);
  const known = knownMutants();
  const merged = (old: readonly string[] = [], now: readonly string[]): readonly string[] =>
    [...(values.cases === '' ? [] : old.filter((id) => !id.startsWith(values.cases))), ...now].sort();
  const found = Object.fromEntries(
    Object.entries(fresh).map(([name, { accepts, differs }]): [string, Caught] => [
      name,
      { accepts: merged(known[name]?.accepts, accepts), differs: merged(known[name]?.differs, differs) },
    ]),
  );
  let wrong = 0;
  for (const [name, caught] of Object.entries(found)) {
    const same = JSON.stringify(known[name]) === JSON.stringify(caught);
    if (!same) wrong++;
    process.stdout.write(
      `${same ? '' : 'ANOTHER FINDING '}${name}: accepts ${caught.accepts.join(' ')}; differs on ${caught.differs.join(' ')}\n`,
    );
  }
  if (values.write) {
    const kept = Object.fromEntries(names.map((name) => [name, found[name] ?? known[name]]));
    writeFileSync(MUTANTS_OF_CASES, `${JSON.stringify(kept, undefined, 2)}\n`);
  } else process.exitCode = wrong === 0 ? 0 : 1;
}

if (import.meta.main) await main(process.argv.slice(2));
