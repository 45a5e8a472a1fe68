/** The result of a run, as the reports show it. */
import type { SearchKind } from '../properties/search.ts';

export type Outcome =
  | 'pass'
  | 'fail'
  /** The harness broke: never a verdict. */
  | 'error'
  | 'skipped'
  /** It fails, and is listed as an expected failure. */
  | 'expected_failure'
  /** Of a profile that is never required. */
  | 'reported';

export const PARTS = [
  'smoke test',
  'vectors',
  'generated licenses',
  'generated settings',
  'generated histories',
  'differential',
] as const;
export type Part = (typeof PARTS)[number];

export interface CaseOutcome {
  readonly part: Part;
  readonly id: string;
  readonly title: string;
  readonly clause: readonly string[];
  readonly outcome: Outcome;
  /** What the verifier says and what is expected, or why the case was not run. */
  readonly detail?: string;
  readonly forgets?: string;
  /** The steps of a failure that was found, in words. */
  readonly steps?: readonly string[];
  /** The folder that replays it. */
  readonly folder?: string;
  readonly milliseconds: number;
}

export interface Report {
  readonly verifier: {
    readonly name: string;
    readonly version: string;
    readonly language?: string;
    readonly capabilities: readonly string[];
    readonly command: string;
  };
  readonly runner: string;
  readonly vectors?: string;
  readonly seed: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly milliseconds: number;
  /** How many were generated. */
  readonly generated: Readonly<Record<SearchKind, number>>;
  readonly outcomes: readonly CaseOutcome[];
}

export function count(report: Pick<Report, 'outcomes'>, ...of: readonly Outcome[]): number {
  return report.outcomes.filter(({ outcome }) => of.includes(outcome)).length;
}

/** `3 of 5 passed, 2 not run`, of a part of the cases. */
export function passedOf(outcomes: readonly CaseOutcome[]): string {
  const skipped = count({ outcomes }, 'skipped');
  const run = `${count({ outcomes }, 'pass')} of ${outcomes.length - skipped} passed`;
  return skipped === 0 ? run : `${run}, ${skipped} not run`;
}

/** 0: all that was run passed. 1: cases failed, or none was run. 3: the harness broke. */
export function exitOf(report: Report): 0 | 1 | 3 {
  if (count(report, 'error') > 0) return 3;
  return count(report, 'fail') > 0 || ranNothing(report) ? 1 : 0;
}

/** Whether nothing but the smoke test was run, which says nothing about a verifier. */
function ranNothing({ outcomes }: Report): boolean {
  return outcomes.every(({ part, outcome }) => part === 'smoke test' || outcome === 'skipped');
}

/** The last line of every report: `5 passed, 0 failed; generated: 900 licenses, 80 histories`. */
export function summary(report: Report): string {
  const counts = (
    [
      ['passed', count(report, 'pass')],
      ['failed', count(report, 'fail')],
      [count(report, 'error') === 1 ? 'error' : 'errors', count(report, 'error')],
      [
        count(report, 'expected_failure') === 1 ? 'expected failure' : 'expected failures',
        count(report, 'expected_failure'),
      ],
      ['not required', count(report, 'reported')],
      ['not run', count(report, 'skipped')],
    ] as const
  )
    .filter(([word, number]) => number > 0 || word === 'passed' || word === 'failed')
    .map(([word, number]) => `${number} ${word}`);
  const generated = Object.entries(report.generated)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${number} ${kind}`);
  return [
    counts.join(', '),
    ...(generated.length === 0 ? [] : [`generated: ${generated.join(', ')}`]),
    ...(ranNothing(report) ? ['no case was run after the smoke test'] : []),
  ].join('; ');
}
