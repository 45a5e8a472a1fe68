/** The clock rule of the signer: it does not believe a clock that was set back, or one that is far ahead. */

const MAX_STEP_SECONDS: number = 400 * 86_400;

/** `sentence` is a clause for an error's message. */
export type ClockVerdict = { readonly ok: true } | { readonly ok: false; readonly sentence: string };

/**
 * The clock must not read earlier than the record, nor more than 400 days later (a dead battery, a typing error).
 * A confirmed clock entry moves the mark, forwards and backwards, because it is the record's newest word on time.
 *
 * @param lastEntryAt `at` of the ledger's last entry, seconds.
 * @param lastClock the last clock entry's reading, if there is one.
 * @param now what the clock reads, seconds.
 */
export function judgeClock(
  lastEntryAt: number,
  lastClock: { readonly reading: number } | undefined,
  now: number,
): ClockVerdict {
  const mark = clockMark(lastEntryAt, lastClock);
  if (now < mark) {
    return refuse(`the clock reads ${utc(now)}, earlier than the ledger's last entry, ${utc(mark)}`);
  }
  if (now - mark > MAX_STEP_SECONDS) {
    return refuse(`the clock reads ${utc(now)}, more than 400 days after the ledger's last entry, ${utc(mark)}`);
  }
  return Object.freeze({ ok: true });
}

/**
 * The newest time that the ledger knows. Entries after a clock entry were written by a clock that had passed; one that
 * reads earlier says nothing new.
 */
export function clockMark(lastEntryAt: number, lastClock: { readonly reading: number } | undefined): number {
  return Math.max(lastEntryAt, lastClock?.reading ?? lastEntryAt);
}

function refuse(sentence: string): ClockVerdict {
  return Object.freeze({ ok: false, sentence });
}

function utc(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace('.000Z', 'Z');
}
