import { describe, expect, it } from 'vitest';
import { judgeClock } from '../../../../../signer/ledger/entries/clock-rule.ts';

const LAST = Date.UTC(2027, 0, 1) / 1000;
const DAYS_400 = 400 * 86_400;

describe('the clock is believed', () => {
  it.each([0, 1, DAYS_400])('believes a clock that reads %d seconds after the last entry', (step) => {
    expect(judgeClock(LAST, undefined, LAST + step)).toEqual({ ok: true });
  });

  it('believes a clock that reads later than a confirmed time and the last entry', () => {
    expect(judgeClock(LAST, { reading: LAST }, LAST + 1)).toEqual({ ok: true });
  });
});

describe('the clock is not trusted', () => {
  it('doubts a clock that reads a second before the last entry', () => {
    expect(judgeClock(LAST, undefined, LAST - 1)).toEqual({
      ok: false,
      sentence: "the clock reads 2026-12-31T23:59:59Z, earlier than the ledger's last entry, 2027-01-01T00:00:00Z",
    });
  });

  it('doubts a clock that reads a second more than 400 days after the last entry', () => {
    expect(judgeClock(LAST, undefined, LAST + DAYS_400 + 1)).toEqual({
      ok: false,
      sentence:
        "the clock reads 2028-02-05T00:00:01Z, more than 400 days after the ledger's last entry, 2027-01-01T00:00:00Z",
    });
  });

  it('doubts a clock that reads before a confirmed time, though after the last entry', () => {
    expect(judgeClock(LAST, { reading: LAST + 10 }, LAST + 5).ok).toBe(false);
  });

  it('refuses a clock reading that is not a date', () => {
    expect(judgeClock(LAST, undefined, 1e15)).toEqual({
      ok: false,
      sentence:
        "the clock reads 1000000000000000 s, more than 400 days after the ledger's last entry, 2027-01-01T00:00:00Z",
    });
  });
});
