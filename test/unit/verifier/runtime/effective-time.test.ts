/** The time by which licenses are judged, value by value. */
import { describe, expect, it } from 'vitest';
import { MAX_TIME } from '../../../../formats/license/bounds.ts';
import {
  advanceTime,
  clampTime,
  effectiveTime,
  isFarAhead,
  mergeTime,
  NO_TIME,
  type TimeMarks,
} from '../../../../verifier/runtime/effective-time.ts';

const DAY = 86_400;
const FLOOR = 1_800_000_000;
const marks = (leadRun: number, leadTime: number, floor = FLOOR): TimeMarks => ({ floor, leadRun, leadTime });

describe('a reading of a clock', () => {
  it.each([
    [Number.NaN, 0],
    [-0.5, 0],
    [-1, 0],
    [0, 0],
    [1.9, 1],
    [MAX_TIME, MAX_TIME],
    [MAX_TIME + 1, MAX_TIME],
    [Infinity, MAX_TIME],
    [-Infinity, 0],
  ])('of %d counts as the second %d', (reading, counted) => {
    expect(clampTime(reading)).toBe(counted);
  });

  it('is the time of judging unless a later time is known to have passed', () => {
    expect(effectiveTime(FLOOR, FLOOR - 5, FLOOR + 10, 9)).toBe(FLOOR + 10);
    expect(effectiveTime(FLOOR, FLOOR - 5, FLOOR, 9)).toBe(FLOOR + 9);
    expect(effectiveTime(FLOOR, FLOOR + 20, FLOOR + 10, 9)).toBe(FLOOR + 20);
    expect(effectiveTime(0, 0, MAX_TIME + 7, 0)).toBe(MAX_TIME);
    expect(effectiveTime(MAX_TIME, 0, 0, 1)).toBe(MAX_TIME);
  });

  it('is far ahead once it is more than a day after the floor that has moved on', () => {
    expect(isFarAhead(FLOOR, FLOOR + DAY, 0)).toBe(false);
    expect(isFarAhead(FLOOR, FLOOR + DAY + 1, 0)).toBe(true);
    expect(isFarAhead(FLOOR, FLOOR + DAY + 61, 60)).toBe(true);
    expect(isFarAhead(FLOOR, FLOOR + DAY + 60, 60)).toBe(false);
    expect(isFarAhead(FLOOR, 0, 0)).toBe(false);
  });
});

describe('the marks of time after some running time', () => {
  const farAhead = FLOOR + 10 * DAY;

  it.each<[what: string, before: TimeMarks, clock: number, elapsed: number, after: TimeMarks]>([
    ['follow a clock that is right', marks(0, 0), FLOOR + 90, 60, marks(0, 0, FLOOR + 90)],
    ['move on where the clock is set back', marks(0, 0), FLOOR - DAY, 60, marks(0, 0, FLOOR + 60)],
    ['forget a lead once the clock is right', marks(5, farAhead), FLOOR + 90, 60, marks(0, 0, FLOOR + 90)],
    ['begin a lead at a clock far ahead', marks(0, 0), farAhead, 60, marks(60, farAhead, FLOOR + 60)],
    [
      'keep the lowest time of a lead, moved on',
      marks(60, farAhead),
      farAhead + 2 * DAY,
      60,
      marks(120, farAhead + 60, FLOOR + 60),
    ],
    [
      'take a lower time of the clock during a lead',
      marks(60, farAhead),
      farAhead - DAY,
      60,
      marks(120, farAhead - DAY, FLOOR + 60),
    ],
    [
      'do not follow one second before three days of a lead',
      marks(3 * DAY - 61, farAhead),
      farAhead + 60,
      60,
      marks(3 * DAY - 1, farAhead + 60, FLOOR + 60),
    ],
    ['follow at three days of a lead', marks(3 * DAY - 60, farAhead), farAhead + 60, 60, marks(0, 0, farAhead + 60)],
    [
      'never fall where the lowest time of a lead is below the floor by now',
      marks(3 * DAY - 60, FLOOR - DAY),
      farAhead,
      60,
      marks(0, 0, FLOOR + 60),
    ],
    ['stay within the times of the format', marks(0, 0, MAX_TIME), 0, 60, marks(0, 0, MAX_TIME)],
    [
      'keep the time of a lead within those of the format',
      marks(60, MAX_TIME, FLOOR),
      MAX_TIME,
      60,
      marks(120, MAX_TIME, FLOOR + 60),
    ],
  ])('%s', (_what, before, clock, elapsed, after) => {
    expect(advanceTime(before, clock, elapsed)).toEqual(after);
  });
});

describe('the marks of two copies', () => {
  it.each<[what: string, a: TimeMarks, b: TimeMarks, merged: TimeMarks]>([
    ['have the higher floor', marks(0, 0, 5), marks(0, 0, 7), marks(0, 0, 7)],
    ['have the lead of the higher floor, with its time', marks(9, 800, 5), marks(8, 700, 7), marks(8, 700, 7)],
    ['have no lead where that of the lower floor has ended', marks(9, 800, 5), marks(0, 0, 7), marks(0, 0, 7)],
    ['have the longer lead of one floor, with its time', marks(9, 800, 5), marks(8, 700, 5), marks(9, 800, 5)],
    ['have the lower time of two leads of one length', marks(9, 800, 5), marks(9, 700, 5), marks(9, 700, 5)],
    ['are the same for a copy that is new', NO_TIME, marks(9, 700, 5), marks(9, 700, 5)],
    ['are zeros where both are new', NO_TIME, NO_TIME, marks(0, 0, 0)],
  ])('%s', (_what, a, b, merged) => {
    expect(mergeTime(a, b)).toEqual(merged);
    expect(mergeTime(b, a)).toEqual(merged);
  });
});
