/**
 * The time by which a runtime judges licenses (docs/runtime.md, "Time"): the clock, but never a time before one that is
 * known to have passed, so that setting the clock back gains nothing. Pure; all values are whole seconds.
 */
import { DAY_SECONDS, MAX_TIME } from '../../formats/license/bounds.ts';

/** A clock that is further ahead of the floor than this is not trusted at once. */
export const MAX_TRUSTED_LEAD_SECONDS: number = DAY_SECONDS;

/** Running for so long with a clock that far ahead makes it the floor. */
export const LEAD_RUN_SECONDS: number = 3 * DAY_SECONDS;

/** What is durable of time. */
export interface TimeMarks {
  /** This time has passed: it only rises, except where a license with `clk` lowers it. */
  readonly floor: number;
  /** Seconds run so far with a clock that is far ahead of the floor; 0 where it is not. */
  readonly leadRun: number;
  /** The lowest time, moved on with running time, that the clock showed during these seconds. */
  readonly leadTime: number;
}

export const NO_TIME: TimeMarks = Object.freeze({ floor: 0, leadRun: 0, leadTime: 0 });

/** Any number as a time of the format: a broken clock must not stop a product. */
export function clampTime(seconds: number): number {
  return Number.isNaN(seconds) ? 0 : Math.min(Math.max(Math.floor(seconds), 0), MAX_TIME);
}

/** @param elapsed seconds of running time since the floor was set */
export function effectiveTime(floor: number, highestIat: number, clock: number, elapsed: number): number {
  return Math.max(clampTime(clock), highestIat, clampTime(floor + elapsed));
}

/** Is the clock so far ahead of the floor that the floor does not follow it at once? */
export function isFarAhead(floor: number, clock: number, elapsed: number): boolean {
  return clampTime(clock) - clampTime(floor + elapsed) > MAX_TRUSTED_LEAD_SECONDS;
}

/**
 * The marks after some running time. Only the holder of the state's lease calls this: several replicas would otherwise
 * count the same seconds several times.
 *
 * @param elapsed seconds of running time since the marks were made
 */
export function advanceTime(marks: TimeMarks, clock: number, elapsed: number): TimeMarks {
  const floor = clampTime(marks.floor + elapsed);
  const now = clampTime(clock);
  if (!isFarAhead(marks.floor, clock, elapsed)) return { floor: Math.max(floor, now), leadRun: 0, leadTime: 0 };
  const leadRun = marks.leadRun + elapsed;
  // The lowest, so that a clock which is wrong only at the end of these hours does not become the floor.
  const leadTime = marks.leadTime === 0 ? now : Math.min(clampTime(marks.leadTime + elapsed), now);
  if (leadRun < LEAD_RUN_SECONDS) return { floor, leadRun, leadTime };
  return { floor: Math.max(floor, leadTime), leadRun: 0, leadTime: 0 };
}

/**
 * Two copies of the marks of one epoch: those with the higher floor, which are the later ones where one process wrote
 * both. A longer lead in the earlier copy may have ended. Of equal floors the longer lead counts, and of equal leads
 * the lower.
 */
export function mergeTime(a: TimeMarks, b: TimeMarks): TimeMarks {
  const floor = Math.max(a.floor, b.floor);
  const last = [a, b].filter((one) => one.floor === floor);
  const leadRun = Math.max(...last.map((one) => one.leadRun));
  const leads = last.filter((one) => one.leadRun === leadRun);
  return {
    floor,
    leadRun,
    leadTime: Math.min(...leads.map(({ leadTime }) => leadTime)),
  };
}
