/**
 * What follows from a license file, from the state and from the time (docs/runtime.md, "What follows from a verdict"):
 * one function for each occasion. Pure.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { formatInstant } from '../../formats/dates.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { VerifyContext } from '../context.ts';
import type { Reason } from '../reasons.ts';
import type { Trust } from '../trust.ts';
import type { Accepted } from '../verdict.ts';
import { judgeAgain, verify } from '../verify.ts';
import { clampTime, effectiveTime, isFarAhead } from './effective-time.ts';
import { notice, type Notice } from './notices.ts';
import { seenOf, stateAfter, withTimeThatCounts, type Counts, type RuntimeState } from './state.ts';

/** What the product says of itself. */
export type ProductFacts = Pick<
  VerifyContext,
  'issuer' | 'product' | 'deployment' | 'hosts' | 'buildDate' | 'defaultGrace' | 'provider'
>;

/** What a license is judged by. */
export interface Situation {
  readonly state: RuntimeState;
  readonly trust: Trust;
  /** Which entries of the state count under these keys. */
  readonly counts: Counts;
  readonly product: ProductFacts;
  /** The clock of the host, in seconds. */
  readonly clock: number;
  /** Seconds of running time since the floor of the state was set. */
  readonly elapsed: number;
}

/** A license file as it was read, or why there is none. */
export type Source =
  | { readonly file: Uint8Array; readonly missing?: undefined }
  | { readonly missing: string; readonly path?: string; readonly file?: undefined };

const NO_FILE = new Uint8Array();

export function isSameSource(a: Source, b: Source | undefined): boolean {
  return a.missing === b?.missing && equalBytes(a.file ?? NO_FILE, b?.file ?? NO_FILE);
}

/** A genuine license for this product, in force or not. */
export interface Examined {
  readonly accepted: Accepted;
  readonly file: Uint8Array;
  /** `kept`: the license that the state keeps, in place of the file. */
  readonly from: 'file' | 'kept';
}

/** The licenses of a decision. */
export interface Judged {
  /** To be judged again as time goes on: the license in force, or the one that was or will be. */
  readonly current?: Examined | undefined;
  /** A renewal that comes into force at its nbf. */
  readonly waiting?: Examined | undefined;
}

export interface Decision extends Judged {
  /** The license in force; absent: the free tier. */
  readonly inForce?: Examined;
  /** Why production does not start, or why an installation is refused. */
  readonly refusal?: Notice;
  readonly notices: readonly Notice[];
}

/** Reasons that are no outage: production starts too, in the free tier. */
const FREE_TIER_REASONS: ReadonlySet<Reason> = new Set<Reason>([
  'deployment_mismatch',
  'host_mismatch',
  'build_not_covered',
  'key_revoked',
  'algorithm_not_allowed',
  'license_revoked',
  'superseded',
]);

/** Reasons for which the license in the state replaces the file, if the product chose so. */
const KEPT_REASONS: ReadonlySet<Reason> = new Set<Reason>(['key_unknown', 'alg_unknown', 'claims_unknown']);

export function contextOf({ state, counts, product, clock, elapsed }: Situation): VerifyContext {
  const seen = seenOf(state, counts);
  return {
    ...product,
    now: effectiveTime(withTimeThatCounts(state, counts).time.floor, seen?.highestIat ?? 0, clock, elapsed),
    clock: clampTime(clock),
    ...(seen === undefined ? {} : { seen }),
  };
}

/** The start of a product. `refusal` is for production; elsewhere the product starts in the free tier. */
export function judgeStart(source: Source, situation: Situation, fallback?: 'kept'): Decision {
  const warnings = clockWarnings(situation);
  if (source.missing !== undefined) {
    const missing = notice('file_missing', source.missing, source.path === undefined ? {} : { path: source.path });
    return { refusal: missing, notices: [...warnings, missing] };
  }
  const verdict = verify(source.file, situation.trust, contextOf(situation));
  if (!verdict.ok) {
    const refused = notice(verdict.reason, verdict.detail, verdict.values);
    if (fallback === 'kept' && keptMayServe(verdict.reason, source.file, situation)) {
      const kept = judgeKept(situation);
      if (kept !== undefined) return served(kept, [...warnings, refused]);
      warnings.push(...keptFaults(situation));
    }
    return {
      ...(FREE_TIER_REASONS.has(verdict.reason) ? {} : { refusal: refused }),
      notices: [...warnings, refused],
    };
  }
  const examined: Examined = { accepted: verdict, file: source.file, from: 'file' };
  if (isInForce(verdict))
    return { inForce: examined, current: examined, notices: [...warnings, ...graceWarnings(verdict)] };
  if (!isRenewalToCome(verdict))
    return { current: examined, notices: [...warnings, notInForce(verdict), ...faultsBefore(verdict, situation)] };
  const kept = judgeKept(situation);
  if (kept === undefined)
    return { waiting: examined, notices: [...warnings, notInForce(verdict), ...keptFaults(situation)] };
  return { ...served(kept, [...warnings, waits(verdict)]), waiting: examined };
}

/** A file that changed while the product runs. What is in force stays if the file is of no use. */
export function judgeChange(source: Source, situation: Situation, before: Decision): Decision {
  const found = judgeStart(source, situation);
  if (found.inForce?.from === 'file') return found;
  const { waiting, refusal } = found;
  const moment = judgeMoment(situation, { current: before.current ?? found.current, waiting });
  if (moment.inForce === undefined && found.inForce !== undefined) return found;
  return {
    ...moment,
    ...(refusal === undefined ? {} : { refusal }),
    notices: waiting === undefined ? found.notices : [waits(waiting.accepted)],
  };
}

/** Judges the same licenses again, after time has passed or the state has changed. */
export function judgeMoment(situation: Situation, { current, waiting }: Judged): Decision {
  const context = contextOf(situation);
  const warnings = clockWarnings(situation);
  const rest: { waiting?: Examined } = {};
  if (waiting !== undefined) {
    const verdict = judgeAgain(waiting.accepted, situation.trust, context);
    if (verdict.ok && isInForce(verdict)) {
      const inForce = { ...waiting, accepted: verdict };
      return { inForce, current: inForce, notices: [...warnings, ...graceWarnings(verdict)] };
    }
    warnings.push(verdict.ok ? waits(verdict) : notice(verdict.reason, verdict.detail, verdict.values));
    if (verdict.ok) rest.waiting = waiting;
  }
  const faults = rest.waiting === undefined ? [] : keptFaults(situation);
  if (current === undefined) return { ...rest, notices: [...warnings, ...faults] };
  const verdict = judgeAgain(current.accepted, situation.trust, context);
  if (verdict.ok) {
    const examined: Examined = { ...current, accepted: verdict };
    if (!isInForce(verdict)) {
      const notices = [...warnings, notInForce(verdict), ...faultsBefore(verdict, situation)];
      return { current: examined, ...rest, notices };
    }
    return { inForce: examined, current: examined, ...rest, notices: [...warnings, ...graceWarnings(verdict)] };
  }
  const refused = notice(verdict.reason, verdict.detail, verdict.values);
  // Another process took a newer license, which the state keeps: it serves here too.
  const kept = judgeKept(situation);
  if (kept !== undefined && kept.accepted.payloadDigest !== current.accepted.payloadDigest)
    return { ...served(kept, [...warnings, refused]), ...rest };
  return { current, ...rest, notices: [...warnings, refused, ...faults] };
}

/** What follows from a license that someone pastes. */
export type Pasted =
  | { readonly refusal: Notice; readonly notices: readonly Notice[] }
  | { readonly inForce: Examined; readonly current: Examined; readonly notices: readonly Notice[] }
  | { readonly waiting: Examined; readonly notices: readonly Notice[] };

/** A license that someone pastes. Accepted now, taken for later, or refused with a reason; nothing else changes. */
export function judgeInstall(file: Uint8Array, situation: Situation): Pasted {
  const verdict = verify(file, situation.trust, contextOf(situation));
  if (!verdict.ok) {
    const refused = notice(verdict.reason, verdict.detail, verdict.values);
    return { refusal: refused, notices: [refused] };
  }
  const examined: Examined = { accepted: verdict, file, from: 'file' };
  if (isInForce(verdict)) return { inForce: examined, current: examined, notices: graceWarnings(verdict) };
  if (isRenewalToCome(verdict)) return { waiting: examined, notices: [waits(verdict)] };
  const { code, detail, values } = notInForce(verdict);
  const [before] = faultsBefore(verdict, situation);
  const both = (why: string): string =>
    `${detail}, and the license that was accepted last is not in force either: ${why}`;
  const refused = notice(code, before === undefined ? detail : both(before.detail), values);
  return { refusal: refused, notices: [refused] };
}

/** Does the state change when this license comes into force? */
export function isNewTo(state: RuntimeState, { accepted, file }: Examined): boolean {
  return stateAfter(state, accepted, file) !== state;
}

/** Is the same license in force, from the same place? */
export function isSameInForce({ inForce: a }: Decision, { inForce: b }: Decision): boolean {
  return a?.accepted.payloadDigest === b?.accepted.payloadDigest && a?.from === b?.from;
}

/**
 * The state with a license that comes into force. It is judged once more, since another process may have accepted a
 * newer one meanwhile.
 */
export function acceptInto(
  situation: Situation,
  { accepted, file }: Examined,
): { readonly state: RuntimeState; readonly refused?: Notice } {
  const { state } = situation;
  const verdict = judgeAgain(accepted, situation.trust, contextOf(situation));
  if (!verdict.ok) return { state, refused: notice(verdict.reason, verdict.detail, verdict.values) };
  if (!isInForce(verdict)) return { state, refused: notInForce(verdict) };
  return { state: stateAfter(withTimeThatCounts(state, situation.counts), verdict, file) };
}

/** What is left where the file cannot be used: the license in the state, or the free tier. */
export function judgeWithoutFile(situation: Situation, notices: readonly Notice[]): Decision {
  const kept = judgeKept(situation);
  return kept === undefined ? { notices } : served(kept, notices);
}

/** The next moment, in effective time, at which something changes by itself; undefined: never. */
export function nextChange({ current, waiting }: Decision, trust: Trust, now: number): number | undefined {
  const moments: number[] = [];
  if (waiting !== undefined) moments.push(waiting.accepted.license.nbf);
  if (current !== undefined) {
    const { license, graceUntil, alg } = current.accepted;
    moments.push(license.nbf, license.exp, graceUntil);
    if (alg === 'ed25519' && trust.ed25519Until !== undefined) moments.push(trust.ed25519Until);
  }
  const later = moments.filter((moment) => moment > now);
  return later.length === 0 ? undefined : Math.min(...later);
}

function isInForce({ state }: Accepted): boolean {
  return state === 'active' || state === 'grace';
}

function isRenewalToCome({ state, standing }: Accepted): boolean {
  return state === 'not_yet_valid' && standing === 'newer';
}

/** The license in the state, verified in full again; undefined unless it is in force. */
function judgeKept(situation: Situation): Examined | undefined {
  const { kept } = situation.state;
  if (kept === undefined) return undefined;
  const verdict = verify(kept.file, situation.trust, contextOf(situation));
  return verdict.ok && isInForce(verdict) ? { accepted: verdict, file: kept.file, from: 'kept' } : undefined;
}

/** Why the license in the state is not in force; none where there is no such license. */
function keptFaults(situation: Situation): readonly Notice[] {
  const { kept } = situation.state;
  if (kept === undefined) return [];
  const verdict = verify(kept.file, situation.trust, contextOf(situation));
  if (verdict.ok && isInForce(verdict)) return [];
  const { code, detail } = verdict.ok ? notInForce(verdict) : notice(verdict.reason, verdict.detail);
  return [notice('kept_license_unusable', `${code}: ${detail}`, { reason: code })];
}

/** Why no license serves until the day of one that is not yet valid. */
function faultsBefore({ state }: Accepted, situation: Situation): readonly Notice[] {
  return state === 'not_yet_valid' ? keptFaults(situation) : [];
}

/** Of counters only a lower one of the current lineage: a restored volume, or the stale file of another replica. */
function keptMayServe(reason: Reason, file: Uint8Array, situation: Situation): boolean {
  if (KEPT_REASONS.has(reason)) return true;
  if (reason !== 'counter_rolled_back') return false;
  const context = contextOf(situation);
  const { seen: _seen, ...unseen } = context;
  const verdict = verify(file, situation.trust, unseen);
  return verdict.ok && verdict.lineage === context.seen?.current;
}

function served(kept: Examined, notices: readonly Notice[]): Decision {
  const serves = notice(
    'kept_license_serves',
    `the license with the counter ${kept.accepted.license.ctr} is in force`,
    {
      counter: kept.accepted.license.ctr,
    },
  );
  return { inForce: kept, current: kept, notices: [...notices, serves, ...graceWarnings(kept.accepted)] };
}

function notInForce({ state, license, graceUntil }: Accepted): Notice {
  return state === 'lapsed'
    ? notice('lapsed', `it was in force until ${formatInstant(graceUntil)}`, { until: graceUntil })
    : notice('not_yet_valid', `it is in force from ${formatInstant(license.nbf)}`, { from: license.nbf });
}

function waits({ license }: Accepted): Notice {
  return notice('renewal_waits', `it comes into force at ${formatInstant(license.nbf)}`, { from: license.nbf });
}

function graceWarnings({ state, judgedAt, graceUntil }: Accepted): readonly Notice[] {
  if (state !== 'grace') return [];
  const days = Math.ceil((graceUntil - judgedAt) / DAY_SECONDS);
  const left = `the grace ends in ${days} ${days === 1 ? 'day' : 'days'}, at ${formatInstant(graceUntil)}`;
  return [notice('in_grace', left, { days, until: graceUntil })];
}

/**
 * Warns only once the floor has reached the time that the licenses prove; before that, the floor says nothing about the
 * clock.
 */
function clockWarnings(situation: Situation): Notice[] {
  const { floor } = situation.state.time;
  const highestIat = contextOf(situation).seen?.highestIat ?? Infinity;
  if (floor < highestIat || !isFarAhead(floor, situation.clock, situation.elapsed)) return [];
  const clock = clampTime(situation.clock);
  return [notice('clock_ahead', `the clock shows ${formatInstant(clock)}`, { clock })];
}
