/**
 * The published histories as requests to a verifier with state. A history is about a whole runtime, so some of its steps
 * have no request: a file that is dropped while the product runs is passed over until the next start, and what the
 * protocol cannot say at all leaves the history out.
 */
import type { Answer, Request, WireInstallation, WireTrust } from '../protocol/protocol.ts';
import { REASONS, type Reason } from '../../verifier/reasons.ts';
import type { FileInput, HistoryCase, HistoryExpected } from '../vectors/case.ts';

interface AskedStep {
  readonly request: Request;
  readonly expected: Answer;
}

export type HistorySteps =
  { readonly ok: true; readonly steps: readonly AskedStep[] } | { readonly ok: false; readonly why: string };

interface Place {
  clock: number;
  /** Undefined: no file was put in place yet. */
  file: FileInput | undefined;
  /** Put in place since the product looked last. */
  dropped: FileInput | undefined;
  losesState: boolean;
  counter: number | undefined;
}

/** Thrown within this file only. */
class NoRequest extends Error {}

export function historySteps(
  value: HistoryCase,
  trust: WireTrust | undefined,
  base64: (input: FileInput) => string,
): HistorySteps {
  if (trust === undefined) return left('its keys come from keysets, and "rotate" has a trust');
  if (!value.production) return left('it is about a product that is not in production');
  const place: Place = { clock: 0, file: undefined, dropped: undefined, losesState: false, counter: undefined };
  const context: WireInstallation = value.context;
  const steps: AskedStep[] = [];
  try {
    for (const step of value.steps) {
      const made = requestOf(step, place, base64);
      if (made === undefined) continue;
      if (steps.length === 0)
        steps.push({
          request: { op: 'reset', trust, context, clock: place.clock },
          expected: { verdict: 'none' },
        });
      steps.push(made);
    }
  } catch (error) {
    if (error instanceof NoRequest) return left(error.message);
    throw error;
  }
  return { ok: true, steps };
}

function left(why: string): HistorySteps {
  return { ok: false, why: `${why}: the protocol has no request for it` };
}

/** @returns undefined for what only changes the place of the next request */
function requestOf(
  step: HistoryCase['steps'][number],
  place: Place,
  base64: (input: FileInput) => string,
): AskedStep | undefined {
  switch (step.do) {
    case 'set-time':
      place.clock = step.now;
      return undefined;
    case 'put-file':
      if (step.license === null && place.file !== undefined) throw new NoRequest('the license file is removed');
      place.dropped = step.license ?? undefined;
      return undefined;
    case 'lose-state':
      place.losesState = true;
      return undefined;
    case 'start':
    case 'restart': {
      const { clock, dropped, losesState } = place;
      place.file = dropped ?? place.file;
      place.dropped = undefined;
      place.losesState = false;
      return {
        request: {
          op: 'restart',
          clock,
          ...(dropped === undefined ? {} : { license: base64(dropped) }),
          ...(losesState ? { loseState: true } : {}),
        },
        expected: expectedOf(step.expected, place),
      };
    }
    case 'tick':
      if (place.dropped !== undefined) return undefined;
      return { request: { op: 'set-time', clock: place.clock }, expected: expectedOf(step.expected, place) };
    case 'install': {
      const { expected } = step;
      const isAnother = step.license.file !== place.file?.file;
      if (expected?.verdict === 'accepted' && isAnother && expected.counter === place.counter)
        throw new NoRequest('a renewal waits until its nbf');
      if (expected?.verdict === 'accepted') place.file = step.license;
      return {
        request: { op: 'install', license: base64(step.license) },
        expected: expected?.verdict === 'refused' ? refusalOf(expected.reason) : expectedOf(expected, place),
      };
    }
    default:
      throw new NoRequest(`a step is "${step.do}"`);
  }
}

function expectedOf(expected: HistoryExpected | undefined, place: Place): Answer {
  place.counter = expected?.counter ?? place.counter;
  switch (expected?.inForce) {
    case 'active':
    case 'grace':
      return { verdict: 'accepted', state: expected.inForce };
    case 'refused_to_start':
      return refusalOf(expected.reason);
    case 'free_tier':
      return { verdict: 'accepted', state: 'lapsed' };
    default:
      throw new NoRequest('a step has no result');
  }
}

/** A runtime refuses what a verifier accepts with a state that is not in force. */
function refusalOf(reason: string | undefined): Answer {
  if (reason === 'lapsed' || reason === 'not_yet_valid') return { verdict: 'accepted', state: reason };
  if (reason === 'file_missing') return { verdict: 'none' };
  if (reason === undefined || !Object.hasOwn(REASONS, reason))
    throw new NoRequest(`the reason is ${reason ?? 'absent'}`);
  return { verdict: 'refused', layer: REASONS[reason as Reason].layer, reason };
}
