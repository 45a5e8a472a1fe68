/**
 * `node conformance/runner/search-mutants.ts [NAME…]`: looks for each wrong verifier by generated licenses and histories
 * only, and prints the table of docs/conformance.md. Exit code 1 where one is not found.
 */
import { answering, REFERENCE, readTrust, type Judge } from '../harness/reference/answer.ts';
import { loadMutant } from '../mutants/load.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { STATEFUL_MUTANTS } from '../properties/stateful-mutants.ts';
import { searchHistories, searchLicenses, type Ask, type SearchResult } from '../properties/search.ts';
import type { Answer, Request } from '../protocol/protocol.ts';

interface MutantResult {
  readonly name: string;
  readonly seconds: number;
  readonly runs: number;
  readonly headline?: string;
  /** Without the new installation that each history begins with. */
  readonly steps?: number;
}

const MILLISECONDS = 60_000;

/** @param answer of one verifier, in this process */
async function findMutant(
  name: string,
  answer: (request: Request) => Answer,
  seed: number,
  order: readonly ('licenses' | 'histories')[],
): Promise<MutantResult> {
  const start = performance.now();
  const ask: Ask = (request) => Promise.resolve({ ok: true, value: answer(request) });
  let runs = 0;
  for (const kind of order) {
    const search = kind === 'licenses' ? searchLicenses : searchHistories;
    const result: SearchResult = await search(ask, {
      seed,
      milliseconds: MILLISECONDS / order.length,
      maxRuns: 1_000_000,
      maxFindings: 1,
      hasFloor: true,
      progress: () => undefined,
      expectable: (expected) => expected,
    });
    runs += result.runs;
    const [finding] = result.findings;
    const seconds = (performance.now() - start) / 1000;
    if (finding !== undefined) {
      const { headline, steps, of } = finding;
      return { name, seconds, runs, headline, steps: of === 'history' ? steps.length - 1 : 1 };
    }
  }
  return { name, seconds: (performance.now() - start) / 1000, runs };
}

function answerOfStateful(name: string): (request: Request) => Answer {
  const [, make] = STATEFUL_MUTANTS[name] ?? [];
  if (make === undefined) throw new Error(`there is no mutant ${name}`);
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

if (import.meta.main) {
  const wanted = new Set(process.argv.slice(2));
  const isWanted = (name: string): boolean => wanted.size === 0 || wanted.has(name);
  let missing = 0;
  process.stdout.write('| verifier | lacks | found as | steps | runs | s |\n|---|---|---|---|---|---|\n');
  const show = ({ name, seconds, runs, headline, steps }: MutantResult, lacks: string): void => {
    if (headline === undefined) missing++;
    const cells = [`\`${name}\``, lacks, headline ?? '**not found**', steps ?? '', runs, seconds.toFixed(1)];
    process.stdout.write(`| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |\n`);
  };
  for (const [name, [does]] of Object.entries(STATEFUL_MUTANTS))
    if (isWanted(name)) show(await findMutant(name, answerOfStateful(name), 1, ['histories']), does);
  for (const { name, lacks } of MUTANTS)
    if (isWanted(name)) show(await findMutant(name, await answerOfMutant(name), 1, ['licenses', 'histories']), lacks);
  process.exitCode = missing === 0 ? 0 : 1;
}
