import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDay, formatInstant, parseDate } from '../../../formats/dates.ts';

describe('dates of a request', () => {
  it('take a day as its first second, and as the next midnight where it is an inclusive end', () => {
    expect(parseDate('2028-02-29', false)).toEqual({ ok: true, seconds: Date.UTC(2028, 1, 29) / 1000 });
    expect(parseDate('2028-02-29', true)).toEqual({ ok: true, seconds: Date.UTC(2028, 2, 1) / 1000 });
    expect(parseDate('0099-01-01', false)).toMatchObject({ ok: true });
  });

  it.each([
    '2027-02-29',
    '2027-00-10',
    '2027-1-1',
    '2027-01-01 ',
    '2027-01-01T00:00:60Z',
    '2027-01-01T00:00:00.5Z',
    '2027-01-01T00:00Z',
    '2027-01-01t00:00:00z',
    '',
    '20270101',
  ])('refuse %j', (text) => {
    expect(parseDate(text, false).ok).toBe(false);
  });

  it('agree with Date on every instant, in both directions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseDate(formatInstant(seconds), false)).toEqual({ ok: true, seconds });
        expect(parseDate(formatDay(seconds), false)).toEqual({ ok: true, seconds });
      }),
    );
  });

  it('take the offset from UTC into account', () => {
    expect(parseDate('2027-01-01T00:30:00+05:30', false)).toEqual({
      ok: true,
      seconds: Date.UTC(2026, 11, 31, 19) / 1000,
    });
    expect(parseDate('2027-01-01T00:30:00-01:00', true)).toEqual({
      ok: true,
      seconds: Date.UTC(2027, 0, 1, 1, 30) / 1000,
    });
  });
});
