/**
 * The published histories as requests to a verifier with state. A history is about a whole runtime, so some of its steps
 * have no request: a file that is dropped while the product runs is passed over until the next start, and what the
 * protocol cannot say at all leaves the history out.
 */
import { VtlicError } from '../../formats/error.ts';
import { builtInChain, chooseKeyset, trustOfChain, type Chain } from '../../verifier/keyset/index.ts';
import { REASONS, type Reason } from '../../verifier/reasons.ts';
import type { Trust } from '../../verifier/index.ts';
import type { PlainInstallation } from '../examples/plain-values.ts';
import type { Answer, Request, WireTrust } from '../protocol/protocol.ts';
import type { FileInput, HistoryCase, HistoryExpected } from '../vectors/case.ts';

interface AskedStep {
  readonly request: Request;
  readonly expected: Answer;
}

export type HistorySteps =
  { readonly ok: true; readonly steps: readonly AskedStep[] } | { readonly ok: false; readonly why: string };

interface Place {
  clock: number;
  /** Seconds of running time until the next look; 0: none. */
  ran: number;
  /** Undefined: no file was put in place yet. */
  file: FileInput | undefined;
  /** Put in place since the product looked last. */
  dropped: FileInput | undefined;
  losesState: boolean;
  counter: number | undefined;
  chain: Chain | undefined;
  /** A keyset was put in place since the product looked last. */
  isRotated: boolean;
}

/** Thrown within this file only. */
class NoRequest extends Error {}

type BytesOf = (input: FileInput) => Uint8Array;

/** @param trust the keys that are built in; undefined where a chain of keysets is */
export function historySteps(value: HistoryCase, trust: WireTrust | undefined, bytesOf: BytesOf): HistorySteps {
  const context: PlainInstallation = value.context;
  const { issuer } = context;
  if (value.environment !== undefined) return left('the environment has variables of the override');
  const place: Place = {
    clock: 0,
    ran: 0,
    file: undefined,
    dropped: undefined,
    losesState: false,
    counter: undefined,
    chain: value.builtIn && builtInChain(bytesOf(value.builtIn), { issuer }),
    isRotated: false,
  };
  const first = place.chain === undefined ? trust : wireTrust(trustOfChain(place.chain));
  if (first === undefined) throw new VtlicError('internal', `${value.id} has no keys`);
  const steps: AskedStep[] = [];
  try {
    for (const step of value.steps) {
      const made = requestsOf(step, place, bytesOf);
      if (made.length === 0) continue;
      if (steps.length === 0)
        steps.push({
          request: { op: 'reset', trust: first, context, clock: place.clock },
          expected: { verdict: 'none' },
        });
      steps.push(...made);
    }
  } catch (error) {
    if (error instanceof NoRequest) return left(error.message);
    throw error;
  }
  return steps.length === 0 ? left('the product never starts') : { ok: true, steps };
}

function left(why: string): HistorySteps {
  return { ok: false, why: `${why}: the protocol has no request for it` };
}

/** @returns none for what only changes the place of the next request */
function requestsOf(step: HistoryCase['steps'][number], place: Place, bytesOf: BytesOf): readonly AskedStep[] {
  const base64 = (input: FileInput): string => toBase64(bytesOf(input));
  if (place.ran > 0 && step.do !== 'tick') throw new NoRequest('a product runs, and does not look at the time then');
  switch (step.do) {
    case 'set-time':
      place.clock = step.now;
      place.ran = step.ran ?? 0;
      return [];
    case 'put-file':
      if (step.license === null && place.file !== undefined) throw new NoRequest('the license file is removed');
      place.dropped = step.license ?? undefined;
      return [];
    case 'rotate':
      if (step.keyset !== null) rotate(place, bytesOf(step.keyset));
      return [];
    case 'lose-state':
      place.losesState = true;
      return [];
    case 'start':
    case 'restart': {
      const { clock, dropped, losesState } = place;
      place.file = dropped ?? place.file;
      place.dropped = undefined;
      place.losesState = false;
      const expected = expectedOf(step.expected, place);
      const request: Request = {
        op: 'restart',
        clock,
        ...(dropped === undefined ? {} : { license: base64(dropped) }),
        ...(losesState ? { loseState: true } : {}),
      };
      return [...rotation(place, dropped, expected), { request, expected }];
    }
    case 'tick': {
      const { clock, ran, dropped, file } = place;
      place.ran = 0;
      if (dropped === undefined) {
        const request: Request = { op: 'set-time', clock, ...(ran === 0 ? {} : { ran }) };
        return [{ request, expected: expectedOf(step.expected, place) }];
      }
      if (file !== undefined) return [];
      // A product without any license takes the first one at once.
      place.file = dropped;
      place.dropped = undefined;
      return [{ request: { op: 'install', license: base64(dropped) }, expected: expectedOf(step.expected, place) }];
    }
    case 'install': {
      const { expected } = step;
      if (new TextDecoder().decode(bytesOf(step.license)).includes(KEYSET_MARK))
        throw new NoRequest('keysets are pasted beside a license');
      const isAnother = step.license.file !== place.file?.file;
      if (expected?.verdict === 'accepted' && isAnother && expected.counter === place.counter)
        throw new NoRequest('a renewal waits until its nbf');
      if (expected?.verdict === 'accepted') place.file = step.license;
      return [
        {
          request: { op: 'install', license: base64(step.license) },
          expected: expected?.verdict === 'refused' ? refusalOf(expected.reason) : expectedOf(expected, place),
        },
      ];
    }
    default:
      throw new NoRequest(`a step is "${step.do}"`);
  }
}

const KEYSET_MARK = '-----BEGIN VTLIC KEYSET-----';

function rotate(place: Place, file: Uint8Array): void {
  if (place.chain === undefined) throw new NoRequest('a product with built-in keys gets a keyset');
  const { chain } = chooseKeyset({ builtIn: place.chain, file });
  if (chain === place.chain) throw new NoRequest('a keyset is not taken');
  place.chain = chain;
  place.isRotated = true;
}

/** The license that is in place is judged by the new keys before the restart, with the same verdict. */
function rotation(place: Place, dropped: FileInput | undefined, expected: Answer): readonly AskedStep[] {
  if (!place.isRotated || place.chain === undefined) return [];
  if (dropped !== undefined) throw new NoRequest('a keyset and a license are put in place together');
  place.isRotated = false;
  return [{ request: { op: 'rotate', trust: wireTrust(trustOfChain(place.chain)) }, expected }];
}

function wireTrust({ keys, revokedLicenses, lowestCounters, ...policy }: Trust): WireTrust {
  return {
    keys: keys.map(({ key, ...entry }) => ({ alg: key.alg, public: toBase64(key.bytes), kid: key.kid, ...entry })),
    revokedLicenses: [...revokedLicenses],
    lowestCounters: Object.fromEntries(lowestCounters),
    ...policy,
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function expectedOf(expected: HistoryExpected | undefined, place: Place): Answer {
  place.counter = expected?.counter ?? place.counter;
  switch (expected?.inForce) {
    case 'active':
    case 'grace':
      return { verdict: 'accepted', state: expected.inForce };
    case 'refused_to_start':
    case 'free_tier':
      return refusalOf(expected.reason);
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
