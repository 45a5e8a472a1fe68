/**
 * Dates as people write them: a UTC day (`2027-01-01`) or an instant (RFC 3339, `2027-01-01T00:00:00Z`).
 *
 * A calendar date that does not exist is refused: `Date` would roll it over to the next month.
 */
import { DAY_SECONDS, PERPETUAL_EXP } from './license/bounds.ts';

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T(\d{2}):(\d{2}):(\d{2})(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** In place of a date, for a license without an end: in requests and the catalog, and in what is shown. */
export const PERPETUAL = 'perpetual';

export function isPerpetual(exp: number): boolean {
  return exp === PERPETUAL_EXP;
}

export type DateResult = { readonly ok: true; readonly seconds: number } | { readonly ok: false; readonly why: string };

const bad = (why: string): DateResult => ({ ok: false, why });

/** Seconds since 1970 of a day's first second, or why the day does not exist. */
function dayStart(text: string): DateResult {
  const match = DAY.exec(text);
  if (match === null) return bad('expected a day such as 2027-12-31, or an instant such as 2027-12-31T12:00:00Z');
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // `Date` counts a day that its month does not have in another month, and a month beyond 12 as one of 0 to 11.
  if (date.getUTCMonth() !== month - 1) return bad(`there is no day ${text} in the calendar`);
  return { ok: true, seconds: date.getTime() / 1000 };
}

/**
 * @param end true for an inclusive end (`until`): a day then means its last moment, the next midnight.
 * @returns whole seconds since 1970; fractions of a second and leap seconds are refused.
 */
export function parseDate(text: string, end: boolean): DateResult {
  const instant = INSTANT.exec(text);
  if (instant === null) {
    const day = dayStart(text);
    return day.ok && end ? { ok: true, seconds: day.seconds + DAY_SECONDS } : day;
  }
  const day = dayStart(text.slice(0, 10));
  if (!day.ok) return day;
  const [hours, minutes, seconds] = [Number(instant[1]), Number(instant[2]), Number(instant[3])];
  if (hours > 23 || minutes > 59 || seconds > 59) return bad(`there is no time ${text.slice(11, 19)} in a day`);
  const [offsetHours, offsetMinutes] = [Number(instant[5] ?? 0), Number(instant[6] ?? 0)];
  if (offsetHours > 23 || offsetMinutes > 59) return bad('the offset from UTC is out of range');
  const offset = (instant[4] === '-' ? -1 : 1) * (offsetHours * 3600 + offsetMinutes * 60);
  return { ok: true, seconds: day.seconds + hours * 3600 + minutes * 60 + seconds - offset };
}

/** RFC 3339 in UTC, whole seconds; a year after 9999, where a grace may end, has six digits and a sign (ISO 8601). */
export function formatInstant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Only the day if the instant is a midnight, otherwise the whole instant. */
export function formatDay(seconds: number): string {
  const text = formatInstant(seconds);
  return text.endsWith('T00:00:00Z') ? text.slice(0, 10) : text;
}

/**
 * The end of a license as a request writes it, so that it can be copied into the next one: `2027-11-24` for a license
 * that ends with that day, the instant where it ends within a day, or `perpetual`.
 *
 * @param exp exclusive
 */
export function formatEnd(exp: number): string {
  if (isPerpetual(exp)) return PERPETUAL;
  return exp % DAY_SECONDS === 0 ? formatDay(exp - DAY_SECONDS) : formatInstant(exp);
}

/**
 * The same moment of the year, years later. 29 February becomes 1 March where there is none: as an exclusive end, that
 * is the end of 28 February.
 */
export function addYears(seconds: number, years: number): number {
  const date = new Date(seconds * 1000);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime() / 1000;
}

/**
 * The last day of a window that ends at a midnight, with a note that the day belongs to it; otherwise the moment.
 *
 * @param end exclusive
 * @param note for a day, and for a moment
 */
export function formatLastDay(end: number, note: { readonly day: string; readonly moment: string }): string {
  return end % DAY_SECONDS === 0
    ? `${formatDay(end - DAY_SECONDS)} (${note.day})`
    : `${formatInstant(end)}${note.moment === '' ? '' : ` (${note.moment})`}`;
}
