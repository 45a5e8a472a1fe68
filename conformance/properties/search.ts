/**
 * Looks for an answer that the model does not expect: first in a license, or a setting, with each named change, then in
 * random combinations of them and in random histories. It shrinks each failing input, and puts the failure into words.
 */
import fc from 'fast-check';
import {
  hasNoVerdict,
  type Answer,
  type Capability,
  type Decoded,
  type HarnessFault,
  type Request,
} from '../protocol/protocol.ts';
import { mismatchOf } from './compare.ts';
import {
  headlineOfHistory,
  headlineOfLicense,
  headlineOfSetting,
  type Finding,
  type Found,
  type FoundStep,
} from './explain.ts';
import { generatedHistory, prepareHistory, simplerSteps, type HistoryStep } from './histories.ts';
import { everyChange, generatedLicense, prepareLicense, type GeneratedLicense } from './licenses.ts';
import { everySetting, generatedSetting, prepareSetting, settingsOf, type GeneratedSetting } from './settings.ts';

export type Ask = (request: Request) => Promise<Decoded<Answer>>;

export interface SearchResult {
  readonly runs: number;
  readonly findings: readonly Finding[];
  /** Each kind of fault once. After one that broke the harness there is no other. */
  readonly faults: readonly SearchFault[];
}

export interface SearchFault {
  readonly fault: HarnessFault;
  /** What the harness was asked when it happened first. */
  readonly words: string;
  readonly times: number;
}

export interface SearchOptions {
  readonly seed: number;
  readonly milliseconds: number;
  /** The search ends after so many runs. A search that ends by runs, and not by time, is the same each time. */
  readonly maxRuns: number;
  /** The search goes on until it has so many different findings, or so many kinds of faults. */
  readonly maxFindings: number;
  /** Of the harness: only what it can answer is generated. */
  readonly capabilities: ReadonlySet<Capability>;
  /** Also signatures of the gray zone of Ed25519 (section 6.4), on which a verifier need not agree. */
  readonly hasGray?: true;
  /** Tries each named change once, and no random combinations. */
  readonly namedOnly?: true;
  readonly progress: (runs: number) => void;
  /**
   * The expected answer in the form that the harness can give; undefined if it can give none, so that it is not asked.
   */
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

/** How to generate, try and shrink one kind of case. */
interface Family<T> {
  /** The values that are tried first, each once. */
  readonly every: (seed: number, hasGray: boolean) => readonly T[];
  readonly any: fc.Arbitrary<T>;
  readonly toTry: (value: T) => Try;
  /** Smaller values for shrinking: one part less, or one part that is simpler. */
  readonly smaller: (value: T) => readonly T[];
  readonly headline: (found: Found, value: T) => string;
}

const LICENSES: Family<GeneratedLicense> = {
  every: everyChange,
  any: generatedLicense,
  toTry: (generated) => {
    const { license, trust, context, expected, scored, words } = prepareLicense(generated);
    return { of: 'license', scored, steps: [{ request: { op: 'verify', license, trust, context }, expected, words }] };
  },
  smaller: ({ signer, extras, changes }) => [
    ...changes.map((_, i) => ({ signer, extras, changes: changes.toSpliced(i, 1) })),
    ...extras.map((_, i) => ({ signer, changes, extras: extras.toSpliced(i, 1) })),
  ],
  headline: (found, { changes }) => headlineOfLicense(found, changes),
};

function settings(capabilities: ReadonlySet<Capability>): Family<GeneratedSetting> {
  const kinds = settingsOf(capabilities);
  return {
    every: () => everySetting(kinds),
    any: generatedSetting(kinds),
    toTry: (generated) => ({ of: 'setting', scored: true, steps: [prepareSetting(generated)] }),
    smaller: ({ kind, changes }) => changes.map((_, i) => ({ kind, changes: changes.toSpliced(i, 1) })),
    headline: (found) => headlineOfSetting(found),
  };
}

function histories(hasFloor: boolean): Family<readonly HistoryStep[]> {
  return {
    every: () => [],
    any: generatedHistory(hasFloor),
    toTry: (history) => ({ of: 'history', scored: true, steps: prepareHistory(history, hasFloor) }),
    smaller: (history) => [
      ...history.map((_, i) => history.toSpliced(i, 1)),
      ...history.flatMap((step, i) => simplerSteps(step).map((simpler) => history.with(i, simpler))),
    ],
    headline: (found) => headlineOfHistory(found),
  };
}

/** What makes two findings the same mistake. */
function signatureOf({ mismatch, got, steps }: Found): string {
  const { request, expected } = steps.at(-1) ?? {};
  const details = ({ version, notices = [] }: Answer): string =>
    [version, ...notices.map(({ reason }) => reason)].join(' ');
  const wanted = expected?.reason ?? expected?.state ?? expected?.verdict;
  return [request?.op, mismatch.kind, wanted, got.reason ?? got.verdict, details(expected ?? {}), details(got)].join();
}

export type SearchKind = 'licenses' | 'settings' | 'histories';

/** What a harness with these capabilities can be searched by. */
export function searchKinds(capabilities: ReadonlySet<Capability>): readonly SearchKind[] {
  return [
    'licenses',
    ...(settingsOf(capabilities).length === 0 ? [] : (['settings'] as const)),
    ...(capabilities.has('state') ? (['histories'] as const) : []),
  ];
}

/** @param kind one of `searchKinds` of the harness */
export function searchBy(kind: SearchKind, ask: Ask, options: SearchOptions): Promise<SearchResult> {
  const { capabilities } = options;
  switch (kind) {
    case 'licenses':
      return search(kind, LICENSES, ask, options);
    case 'settings':
      return search(kind, settings(capabilities), ask, options);
    case 'histories':
      break;
  }
  return search(kind, histories(capabilities.has('floor')), ask, options);
}

const kept = new Map<string, unknown>();

/** The values that are tried first. They are made once and kept, because a process may search many verifiers. */
function namedTries<T>(
  kind: SearchKind,
  { every, toTry }: Family<T>,
  { seed, capabilities, hasGray }: SearchOptions,
): readonly (readonly [value: T, one: () => Try])[] {
  const key = [kind, seed, String(hasGray), ...capabilities].join(' ');
  const known = kept.get(key) as ReturnType<typeof namedTries<T>> | undefined;
  if (known !== undefined) return known;
  const made = every(seed, hasGray === true).map((value) => {
    let one: Try | undefined;
    return [value, () => (one ??= toTry(value))] as const;
  });
  kept.set(key, made);
  return made;
}

async function search<T>(kind: SearchKind, family: Family<T>, ask: Ask, options: SearchOptions): Promise<SearchResult> {
  const running = new Search(ask, options, performance.now() + options.milliseconds);
  return running.guarded(async () => {
    for (const [value, one] of namedTries(kind, family, options)) {
      if (running.isOver()) return;
      const found = await running.run(one());
      if (found !== undefined) running.report(found, family.headline(found, value));
    }
    if (options.namedOnly !== true) await running.random(family);
  });
}

class Search {
  readonly #ask: Ask;
  readonly #options: SearchOptions;
  readonly #until: number;
  readonly #known = new Set<string>();
  readonly #findings: Finding[] = [];
  /** Sentence → fault. */
  readonly #faults = new Map<string, SearchFault>();
  #runs = 0;
  #since = performance.now();

  constructor(ask: Ask, options: SearchOptions, until: number) {
    this.#ask = ask;
    this.#options = options;
    this.#until = until;
  }

  isOver(): boolean {
    const { maxRuns, maxFindings } = this.#options;
    return this.#isCutOff() || this.#runs >= maxRuns || this.#findings.length >= maxFindings;
  }

  #isCutOff(): boolean {
    return performance.now() > this.#until || this.#faults.size >= this.#options.maxFindings;
  }

  async run(one: Try): Promise<Found | undefined> {
    this.#options.progress(++this.#runs);
    try {
      const found = await tryOut(one, this.#ask, this.#options.expectable);
      return found === undefined || this.#known.has(signatureOf(found)) ? undefined : found;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.#keep(error);
      if (!hasNoVerdict(error.fault)) throw error;
      return undefined;
    }
  }

  #keep({ fault, words }: Broken): void {
    const { words: first = words, times = 0 } = this.#faults.get(fault.sentence) ?? {};
    this.#faults.set(fault.sentence, { fault, words: first, times: times + 1 });
  }

  report(found: Found, headline: string): void {
    this.#known.add(signatureOf(found));
    const now = performance.now();
    this.#findings.push(Object.freeze({ ...found, headline, milliseconds: now - this.#since }));
    this.#since = now;
  }

  /** Random values until the search is over. Each failure is shrunk by fast-check, then by leaving out parts. */
  async random<T>(family: Family<T>): Promise<void> {
    for (let round = 0; !this.isOver(); round++) {
      let broken: Broken | undefined;
      const { counterexample } = await fc.check(
        fc.asyncProperty(family.any, async (value) => {
          try {
            // Checked here: the time limit of fast-check would stop in the middle of a history.
            const isLate = broken !== undefined || this.#isCutOff();
            return isLate || (await this.run(family.toTry(value))) === undefined;
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
      if (value !== undefined) await this.#reportSmallest(value, family);
    }
  }

  /** Takes at most as long as the search: with a slow verifier, the search would otherwise end much later. */
  async #reportSmallest<T>(value: T, { toTry, smaller, headline }: Family<T>): Promise<void> {
    let best = value;
    let found = await this.run(toTry(best));
    if (found === undefined) return;
    const kind = signatureOf(found);
    const until = performance.now() + this.#options.milliseconds;
    for (let improved = true; improved;) {
      improved = false;
      for (const candidate of smaller(best)) {
        if (performance.now() > until) break;
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
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
    return { runs: this.#runs, findings: this.#findings, faults: [...this.#faults.values()] };
  }
}
