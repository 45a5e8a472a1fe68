/** Refusals by day: how many customers an install of a release refuses, and why, in runs of days that are alike. */
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { Reason } from '../../verifier/index.ts';
import type { RefusedSpan, Simulation } from './simulate.ts';

/** Days on which the number stays the same. */
export interface DailyRefusals {
  readonly release: string;
  readonly reason: Reason;
  /** Seconds since 1970: the first day, and the one after the last. */
  readonly from: number;
  readonly until: number;
  /** Customers whose license is refused, each lineage once on a day. */
  readonly customers: number;
  /** One of them. */
  readonly example: RefusedSpan;
}

/** In the order of the releases, then of the days. */
export function dailyRefusals({ from, until, releases, refused }: Simulation): readonly DailyRefusals[] {
  const days = Math.ceil((until - from) / DAY_SECONDS);
  return releases.flatMap(({ name }) => {
    const here = eachDayOnce(refused.filter(({ release }) => release === name));
    return [...new Set(here.map(({ reason }) => reason))].flatMap((reason) =>
      runs(
        here.filter((span) => span.reason === reason),
        from,
        days,
      ),
    );
  });
}

/**
 * A license may change within a day, and with it the reason: the day then belongs to the earlier span of the customer.
 *
 * @param spans of one release, by their first days
 */
function eachDayOnce(spans: readonly RefusedSpan[]): readonly RefusedSpan[] {
  const ends = new Map<string, number>();
  return spans.flatMap((span) => {
    const from = Math.max(span.from, ends.get(span.lineage) ?? span.from);
    if (from >= span.until) return [];
    ends.set(span.lineage, span.until);
    return [from === span.from ? span : { ...span, from }];
  });
}

function runs(spans: readonly RefusedSpan[], from: number, days: number): readonly DailyRefusals[] {
  const changes = new Int32Array(days + 1);
  const dayOf = (time: number): number => Math.min(days, Math.max(0, Math.round((time - from) / DAY_SECONDS)));
  for (const span of spans) {
    const [first, last] = [dayOf(span.from), dayOf(span.until)];
    changes[first] = (changes[first] ?? 0) + 1;
    changes[last] = (changes[last] ?? 0) - 1;
  }
  const found: DailyRefusals[] = [];
  let customers = 0;
  let began = 0;
  for (let day = 0; day <= days; day++) {
    const change = changes[day] ?? 0;
    if (change === 0 && day < days) continue;
    const start = from + began * DAY_SECONDS;
    const example = spans.find((span) => span.from <= start && start < span.until);
    if (customers > 0 && day > began && example !== undefined) {
      const { release, reason } = example;
      found.push({ release, reason, from: start, until: from + day * DAY_SECONDS, customers, example });
    }
    customers += change;
    began = day;
  }
  return found;
}
