import type { Algorithm } from '../formats/cose-algorithm.ts';
import type { ErrorPlace } from '../formats/error.ts';
import type { License } from '../formats/license/license.ts';
import { REASONS, type Layer, type Reason } from './reasons.ts';

declare const verified: unique symbol;

/** A license that `verify()` judged genuine and meant for here. Nothing else makes one. */
export type VerifiedLicense = License & { readonly [verified]: true };

/** The time of verifying within the license: before nbf, before exp, before exp + grace, after. */
export type State = 'not_yet_valid' | 'active' | 'grace' | 'lapsed';

/**
 * How the license relates to what was accepted before: nothing was (`first`), the very same payload (`same`), a higher
 * counter of the current lineage (`newer`), or a license of a lineage that is not the current one (`other_lineage`).
 */
export type Standing = 'first' | 'same' | 'newer' | 'other_lineage';

export interface Accepted {
  readonly ok: true;
  readonly state: State;
  readonly license: VerifiedLicense;
  readonly alg: Algorithm;
  readonly kid: string;
  /** SHA-256 of the payload bytes, lower-case hex: what the counter is bound to. */
  readonly payloadDigest: string;
  /** `lineageKey(license)`. */
  readonly lineage: string;
  readonly standing: Standing;
  /** Seconds since 1970: the time that `state` was judged at. */
  readonly judgedAt: number;
  /** exp plus the license's grace, or the product's where it has none: from then on it is lapsed. */
  readonly graceUntil: number;
  /** The license's `clk` applies: accepting it lowers the highest iat, and the time floor, to its iat. */
  readonly resetsClock: boolean;
}

export interface Refused {
  readonly ok: false;
  readonly layer: Layer;
  readonly reason: Reason;
  /**
   * What was found, in this one case. Safe for a terminal. `REASONS[reason]` has the general sentence and the remedy.
   */
  readonly detail: string;
  /** Byte offset, line or claim, as far as known. */
  readonly place: ErrorPlace;
  /** What the detail says, for a translated sentence: counters, ids, times in seconds since 1970. Often empty. */
  readonly values: VerdictValues;
}

export type VerdictValues = Readonly<Record<string, string | number>>;

export type Verdict = Accepted | Refused;

const NOWHERE: ErrorPlace = Object.freeze({});
const NO_VALUES: VerdictValues = Object.freeze({});

export function refuse(
  reason: Reason,
  detail: string,
  place: ErrorPlace = NOWHERE,
  values: VerdictValues = NO_VALUES,
): Refused {
  return Object.freeze({ ok: false, layer: REASONS[reason].layer, reason, detail, place, values });
}
