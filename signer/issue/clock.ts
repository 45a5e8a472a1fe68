/**
 * The signer's clock is judged before counters are reserved: when the ledger is opened, and again before each group of
 * intents.
 */
import { VtlicError } from '../../formats/error.ts';
import { judgeClock, type LedgerView } from '../ledger/index.ts';
import { formatInstant } from '../../formats/dates.ts';

export function clockRefused(sentence: string, now: number): VtlicError {
  return new VtlicError('clock_refused', sentence, {
    hint: `set the clock; or, if it is right, confirm it: --confirm-time ${formatInstant(now)}`,
  });
}

/**
 * A prompt may have stood open for hours, and a batch runs as long: the clock that was good at the start may not be any
 * more.
 *
 * @param now seconds since 1970
 * @throws VtlicError `clock_refused`
 */
export function requireClock(ledger: Pick<LedgerView, 'lastAt' | 'lastClock'>, now: number): void {
  const verdict = judgeClock(ledger.lastAt(), ledger.lastClock()?.body, now);
  if (!verdict.ok)
    throw clockRefused(`${verdict.sentence}; it was changed during this run, and nothing more is signed`, now);
}
