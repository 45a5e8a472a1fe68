import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addYears, formatDay, formatEnd, formatInstant, formatLastDay, parseDate } from '../../../formats/dates.ts';
import { PERPETUAL_EXP } from '../../../formats/license/bounds.ts';

describe('dates of a request', () => {
  it('take a day as its first second, and as the next midnight where it is an inclusive end', () => {
    expect(parseDate('2028-02-29', false)).toEqual({ ok: true, seconds: Date.UTC(2028, 1, 29) / 1000 });
    expect(parseDate('2028-02-29', true)).toEqual({ ok: true, seconds: Date.UTC(2028, 2, 1) / 1000 });
    expect(parseDate('0099-01-01', false)).toMatchObject({ ok: true });
  });

  it.each([
    '2027-02-29',
    '2027-00-10',
    '2027-13-01',
    '2027-99-01',
    '2027-01-00',
    '2027-01-32',
    '2027-04-31',
    '2027-12-32',
    '2027-12-99',
    'x2027-01-01',
    '2027-02-29T00:00:00Z',
    'x2027-01-01T00:00:00Z',
    '2027-01-01 2027-01-01T00:00:00Z',
    '2027-01-01T00:00:00Zx',
    '2027-01-01T24:00:00Z',
    '2027-01-01T23:60:00Z',
    '2027-01-01T23:59:60Z',
    '2027-01-01T24:60:00Z',
    '2027-01-01T00:00:00+24:00',
    '2027-01-01T00:00:00-23:60',
    '2027-1-1',
    '2027-01-01 ',
    '2027-01-01T00:00:60Z',
    '2027-01-01T00:00:00.5Z',
    '2027-01-01T00:00Z',
    '2027-01-01t00:00:00z',
    '',
    '20270101',
  ])('refuse %j', (text) => {
    expect([parseDate(text, false).ok, parseDate(text, true).ok]).toEqual([false, false]);
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
    expect(parseDate('2027-01-01T23:59:59-23:59', true)).toEqual({
      ok: true,
      seconds: Date.UTC(2027, 0, 2, 23, 58, 59) / 1000,
    });
  });
});

describe('dates as they are shown', () => {
  const midnight = Date.UTC(2027, 10, 25) / 1000;

  it('name the last day of a license that ends at a midnight, and the moment of any other', () => {
    expect([midnight, midnight + 1, PERPETUAL_EXP].map(formatEnd)).toEqual([
      '2027-11-24',
      '2027-11-25T00:00:01Z',
      'perpetual',
    ]);
    expect([midnight, midnight - 3600].map(formatDay)).toEqual(['2027-11-25', '2027-11-24T23:00:00Z']);
  });

  it('have a note where a window ends', () => {
    const note = { day: 'that day included', moment: 'exclusive' };
    expect(formatLastDay(midnight, note)).toBe('2027-11-24 (that day included)');
    expect(formatLastDay(midnight + 1, note)).toBe('2027-11-25T00:00:01Z (exclusive)');
    expect(formatLastDay(midnight + 1, { ...note, moment: '' })).toBe('2027-11-25T00:00:01Z');
  });

  it('move by whole years, and from 29 February to 1 March where there is none', () => {
    const years = (text: string, count: number): string => formatInstant(addYears(Date.parse(text) / 1000, count));
    expect(years('2027-06-30T12:00:05Z', 3)).toBe('2030-06-30T12:00:05Z');
    expect(years('2028-02-29T00:00:00Z', 1)).toBe('2029-03-01T00:00:00Z');
    expect(years('2028-02-29T00:00:00Z', 4)).toBe('2032-02-29T00:00:00Z');
  });
});
