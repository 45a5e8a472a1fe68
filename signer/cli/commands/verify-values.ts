/** Values of the options of `vtlic verify`: what each accepts, and why not. */
import { MAX_TIME } from '../../../formats/license/bounds.ts';
import { parseDate } from '../../../formats/dates.ts';

export type OptionValue<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export function hostValue(text: string): OptionValue<string> {
  return /^[0-9a-fA-F]{64}$/.test(text)
    ? { ok: true, value: text.toLowerCase() }
    : { ok: false, why: 'expected a host fingerprint of 64 hex digits' };
}

export function timeValue(text: string): OptionValue<number> {
  const time = parseDate(text, false);
  if (!time.ok) return time;
  return time.seconds < 0 || time.seconds > MAX_TIME
    ? { ok: false, why: 'expected a time from 1970 to 9999, in UTC' }
    : { ok: true, value: time.seconds };
}

export function graceDaysValue(text: string): OptionValue<number> {
  return /^\d{1,3}$/.test(text) && Number(text) <= 366
    ? { ok: true, value: Number(text) }
    : { ok: false, why: 'expected 0 to 366 days' };
}
