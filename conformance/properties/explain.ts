/** What a verifier does wrong, in one sentence that its author understands without the numbers of a case. */
import type { Answer, Request } from '../protocol/protocol.ts';
import type { Change } from './changes/change.ts';
import { wordsOfAnswer, type Mismatch } from './compare.ts';

export interface FoundStep {
  readonly request: Request;
  readonly expected: Answer;
  readonly words: string;
}

/** An answer that the model does not expect, with the shortest way to it. */
export interface Finding {
  readonly of: 'license' | 'setting' | 'history';
  readonly headline: string;
  readonly mismatch: Mismatch;
  readonly steps: readonly FoundStep[];
  readonly scored: boolean;
  readonly got: Answer;
  /** From the finding before it, or from the start of the search. */
  readonly milliseconds: number;
}

export type Found = Omit<Finding, 'headline' | 'milliseconds'>;

export function headlineOfLicense({ got, mismatch, steps }: Found, changes: readonly Change[]): string {
  const expected = steps.at(-1)?.expected;
  const what = changes.length === 0 ? (steps.at(-1)?.words ?? '') : changes.map(({ words }) => words).join('; ');
  if (expected === undefined) return what;
  if (got.verdict !== expected.verdict) return `${verb(got)} what should be ${wordsOfAnswer(expected)} — ${what}`;
  return `${says(got, expected, mismatch)} — ${what}`;
}

/** What differs, also where the words of both answers are the same, as with another lineage. */
function says(got: Answer, expected: Answer, { kind, sentence }: Mismatch): string {
  return kind === 'detail' ? sentence : `says ${wordsOfAnswer(got)} instead of ${wordsOfAnswer(expected)}`;
}

/** Of a chain of keysets, an override or a file of public keys. */
export function headlineOfSetting({ mismatch, steps }: Found): string {
  return `${mismatch.sentence} — ${steps.at(-1)?.words ?? ''}`;
}

function verb({ verdict }: Answer): string {
  switch (verdict) {
    case 'accepted':
      return 'accepts';
    case 'refused':
      return 'refuses';
    case 'configuration_invalid':
      return 'refuses the trust of';
    case 'misuse':
      return 'refuses the context of';
    default:
      return 'does not judge';
  }
}

export function headlineOfHistory({ got, mismatch, steps }: Found): string {
  const last = steps.at(-1);
  if (last === undefined) return 'an empty history';
  const before = steps.slice(1, -1);
  const circumstances = [
    ...(before.some(({ request }) => request.op === 'restart') || last.request.op === 'restart'
      ? ['once restarted']
      : []),
    ...(before.some(({ request }) => request.op === 'rotate') || last.request.op === 'rotate'
      ? ['after the keys were rotated']
      : []),
    ...(before.some(({ request }) => request.op === 'set-time') || last.request.op === 'set-time'
      ? ['after the clock was set']
      : []),
  ].join(' and ');
  return [mistake(got, mismatch, last, before), ...(circumstances === '' ? [] : [circumstances])].join(' ');
}

function mistake(
  got: Answer,
  mismatch: Mismatch,
  { expected, words }: FoundStep,
  before: readonly FoundStep[],
): string {
  const counter = counterIn(words) ?? before.map((step) => counterIn(step.words)).findLast((one) => one !== undefined);
  const highest = Math.max(0, ...before.map((step) => counterIn(step.words) ?? 0));
  const license = counter === undefined ? 'the license' : `counter ${counter}`;
  if (got.verdict !== 'accepted' || expected.verdict === 'accepted')
    return `${says(got, expected, mismatch)} of ${license}`;
  switch (expected.reason) {
    case 'counter_rolled_back':
      return `accepts ${license} after ${highest}`;
    case 'counter_conflict':
      return `accepts another payload with ${license}`;
    case 'lineage_not_newer':
      return `accepts ${license} of another lineage that is not issued later`;
    case 'key_revoked':
      return `accepts ${license} by a revoked key`;
    case 'license_revoked':
      return `accepts ${license}, which is revoked`;
    case 'superseded':
      return `accepts ${license}, which is below the lowest counter`;
    case 'algorithm_not_allowed':
      return `accepts ${license} by Ed25519 where composite is required`;
    default:
      return `accepts ${license} instead of ${wordsOfAnswer(expected)}`;
  }
}

function counterIn(words: string): number | undefined {
  const counter = /counter (\d+)/.exec(words)?.[1];
  return counter === undefined || words.startsWith('rotate') ? undefined : Number(counter);
}
