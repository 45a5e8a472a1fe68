/**
 * Looks for an answer that the model does not expect: first in a license with each named change, then in random
 * combinations of them and in random histories. What is found is made as small as it gets, and put into words.
 */
import fc from 'fast-check';
import type { Answer, Decoded, HarnessFault, Request } from '../protocol/protocol.ts';
import { mismatchOf } from './compare.ts';
import { headlineOfHistory, headlineOfLicense, type Finding, type Found, type FoundStep } from './explain.ts';
import { generatedHistory, prepareHistory, simplerSteps, type HistoryStep } from './histories.ts';
import { everyChange, generatedLicense, prepareLicense, type GeneratedLicense } from './licenses.ts';

export type Ask = (request: Request) => Promise<Decoded<Answer>>;

export interface SearchResult {
  readonly runs: number;
  readonly findings: readonly Finding[];
  /** The harness broke: what was asked then. */
  readonly fault?: { readonly fault: HarnessFault; readonly words: string };
}

export interface SearchOptions {
  readonly seed: number;
  readonly milliseconds: number;
  /** At most so many runs, for a search that is the same each time. */
  readonly maxRuns: number;
  /** The search goes on until it has so many different findings. */
  readonly maxFindings: number;
  readonly hasFloor: boolean;
  readonly progress: (runs: number) => void;
  /** An expected answer as the harness can give it; undefined: it cannot, and is not asked. */
  readonly expectable: (expected: Answer) => Answer | undefined;
}

const RUNS_OF_ROUND = 250;

/** Thrown within a search only, and caught by it. */
class Broken extends Error {
  readonly fault: HarnessFault;
  readonly words: string;

  constructor(fault: HarnessFault, words: string) {
    super(fault.sentence);
    this.fault = fault;
    this.words = words;
  }
}

interface Try {
  readonly steps: readonly FoundStep[];
  readonly scored: boolean;
  readonly of: Finding['of'];
}

/** @returns the finding without its headline, or undefined where every answer is as expected */
async function tryOut(
  { steps, scored, of }: Try,
  ask: Ask,
  expectable: SearchOptions['expectable'],
): Promise<Found | undefined> {
  for (const [i, step] of steps.entries()) {
    const expected = expectable(step.expected);
    if (expected === undefined) return undefined;
    const answer = await ask(step.request);
    if (!answer.ok) throw new Broken(answer.fault, step.words);
    const mismatch = mismatchOf(answer.value, expected, scored);
    if (mismatch !== undefined) return { of, mismatch, scored, steps: steps.slice(0, i + 1), got: answer.value };
  }
  return undefined;
}

function tryOfLicense(generated: GeneratedLicense): Try {
  const { license, trust, context, expected, scored, words } = prepareLicense(generated);
  return { of: 'license', scored, steps: [{ request: { op: 'verify', license, trust, context }, expected, words }] };
}

function tryOfHistory(history: readonly HistoryStep[], hasFloor: boolean): Try {
  return { of: 'history', scored: true, steps: prepareHistory(history, hasFloor) };
}

/** What makes two findings the same mistake. */
function signatureOf({ mismatch, got, steps }: Found): string {
  const expected = steps.at(-1)?.expected;
  return [mismatch.kind, expected?.reason ?? expected?.state ?? expected?.verdict, got.reason ?? got.verdict].join(' ');
}

export async function searchLicenses(ask: Ask, options: SearchOptions): Promise<SearchResult> {
  const until = performance.now() + options.milliseconds;
  const search = new Search(ask, options, until);
  return search.guarded(async () => {
    for (const generated of everyChange(options.seed)) {
      if (search.isOver()) return;
      const found = await search.run(tryOfLicense(generated));
      if (found !== undefined) search.report(found, headlineOfLicense(found, generated.changes));
    }
    await search.random(generatedLicense, tryOfLicense, smallerLicenses, (found, generated) =>
      headlineOfLicense(found, generated.changes),
    );
  });
}

export async function searchHistories(ask: Ask, options: SearchOptions): Promise<SearchResult> {
  const search = new Search(ask, options, performance.now() + options.milliseconds);
  const { hasFloor } = options;
  return search.guarded(() =>
    search.random(
      generatedHistory(hasFloor),
      (history) => tryOfHistory(history, hasFloor),
      smallerHistories,
      (found) => headlineOfHistory(found),
    ),
  );
}

/** One change or claim less. */
function smallerLicenses({ signer, extras, changes }: GeneratedLicense): readonly GeneratedLicense[] {
  return [
    ...changes.map((_, i) => ({ signer, extras, changes: changes.toSpliced(i, 1) })),
    ...extras.map((_, i) => ({ signer, changes, extras: extras.toSpliced(i, 1) })),
  ];
}

/** One step less, or a step that is simpler. */
function smallerHistories(history: readonly HistoryStep[]): readonly (readonly HistoryStep[])[] {
  return [
    ...history.map((_, i) => history.toSpliced(i, 1)),
    ...history.flatMap((step, i) => simplerSteps(step).map((simpler) => history.with(i, simpler))),
  ];
}

class Search {
  readonly #ask: Ask;
  readonly #options: SearchOptions;
  readonly #until: number;
  readonly #known = new Set<string>();
  readonly #findings: Finding[] = [];
  #runs = 0;

  constructor(ask: Ask, options: SearchOptions, until: number) {
    this.#ask = ask;
    this.#options = options;
    this.#until = until;
  }

  isOver(): boolean {
    const { maxRuns, maxFindings } = this.#options;
    return performance.now() > this.#until || this.#runs >= maxRuns || this.#findings.length >= maxFindings;
  }

  async run(one: Try): Promise<Found | undefined> {
    this.#options.progress(++this.#runs);
    const found = await tryOut(one, this.#ask, this.#options.expectable);
    return found === undefined || this.#known.has(signatureOf(found)) ? undefined : found;
  }

  report(found: Found, headline: string): void {
    this.#known.add(signatureOf(found));
    this.#findings.push(Object.freeze({ ...found, headline }));
  }

  /** Random values until the search is over. Each failure is shrunk by fast-check, then by leaving out parts. */
  async random<T>(
    arbitrary: fc.Arbitrary<T>,
    toTry: (value: T) => Try,
    smaller: (value: T) => readonly T[],
    headline: (found: Found, value: T) => string,
  ): Promise<void> {
    for (let round = 0; !this.isOver(); round++) {
      let broken: Broken | undefined;
      const { counterexample } = await fc.check(
        fc.asyncProperty(arbitrary, async (value) => {
          try {
            // Not by the options of fast-check, which would leave behind a history that is half asked.
            const isLate = broken !== undefined || performance.now() > this.#until;
            return isLate || (await this.run(toTry(value))) === undefined;
          } catch (error) {
            if (!(error instanceof Broken)) throw error;
            // Not a failure to shrink: each further request would break the harness again.
            broken = error;
            return true;
          }
        }),
        {
          seed: this.#options.seed + round,
          numRuns: Math.min(RUNS_OF_ROUND, Math.max(1, this.#options.maxRuns - this.#runs)),
        },
      );
      if (broken !== undefined) throw broken;
      const [value] = counterexample ?? [];
      if (value !== undefined) await this.#reportSmallest(value, toTry, smaller, headline);
    }
  }

  async #reportSmallest<T>(
    value: T,
    toTry: (value: T) => Try,
    smaller: (value: T) => readonly T[],
    headline: (found: Found, value: T) => string,
  ): Promise<void> {
    let best = value;
    let found = await this.run(toTry(best));
    if (found === undefined) return;
    const kind = signatureOf(found);
    for (let improved = true; improved;) {
      improved = false;
      for (const candidate of smaller(best)) {
        const again = await this.run(toTry(candidate));
        if (again === undefined || signatureOf(again) !== kind) continue;
        [best, found, improved] = [candidate, again, true];
        break;
      }
    }
    this.report(found, headline(found, best));
  }

  async guarded(work: () => Promise<void>): Promise<SearchResult> {
    try {
      await work();
      return { runs: this.#runs, findings: this.#findings };
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      const { fault, words } = error;
      return { runs: this.#runs, findings: this.#findings, fault: { fault, words } };
    }
  }
}
