/** The last license and what changes → the request for the next one. */
import { DAY_SECONDS, MAX_TIME } from '../../formats/license/bounds.ts';
import { VtlicError } from '../../formats/error.ts';
import type { License } from '../../formats/license/license.ts';
import { addYears, isPerpetual } from '../../formats/dates.ts';
import { hasInvisible } from '../request/invisible-text.ts';
import type { Request } from '../request/request.ts';
import type { Changes } from './changes.ts';

/**
 * Everything stays that is not changed, but for the clock reset, which is for once, and the grace of a license that
 * becomes perpetual. With a later end (`until`) the license begins where the last one ends, or today where that has
 * passed; otherwise it begins when the last one does (a perpetual one that gets an end: not before today).
 *
 * @param now seconds since 1970
 * @throws VtlicError `request_invalid` where the end has passed and no new one is given, or where the last license has
 *   a name or reference with invisible characters (earlier versions signed such) and no new one is given
 */
export function renewalRequest(last: License, changes: Changes, now: number): Request {
  const today = now - (now % DAY_SECONDS);
  const { set } = changes;
  if (set.until === undefined && last.exp <= now)
    throw new VtlicError('request_invalid', 'the last license has ended, so a renewal needs a new end', {
      field: 'until',
      hint: 'give it: --years 1, or --until 2028-12-31',
    });
  const until = set.until ?? last.exp;
  const from = firstDay(last, until, today);
  const kept: Request = {
    customer: last.sub,
    ...optional('name', last.name),
    product: last.aud,
    ...optional('deployment', last.dep),
    tier: last.tier,
    seats: last.seats,
    from,
    until,
    ...optional('graceSeconds', isPerpetual(until) ? undefined : last.grace),
    features: last.features,
    limits: last.limits,
    ...optional('reference', last.ref),
    ...optional('instances', last.instances),
    ...optional('hosts', last.hosts),
    ...optional('offlineSeconds', last.offline),
    ...optional('updatesUntil', last.upd),
    ...optional('use', last.use),
    ...optional('ext', last.ext),
  };
  const without = Object.fromEntries(
    Object.entries(kept).filter(([key]) => !changes.unset.has(key as keyof Request)),
  ) as Partial<Request>;
  const request = withLimits({ features: [], limits: {}, ...without, ...set } as Request, changes);
  for (const member of ['name', 'reference'] as const)
    if (hasInvisible(request[member] ?? ''))
      throw new VtlicError('request_invalid', `the ${member} of the last license has invisible characters`, {
        field: member,
        hint: `give it without them: --${member} TEXT`,
      });
  return request;
}

function firstDay(last: License, until: number, today: number): number {
  if (until > last.exp) return Math.max(last.exp, today);
  // Its first day may be so long ago that no term of the catalog begins there.
  if (isPerpetual(last.exp) && !isPerpetual(until)) return Math.max(last.nbf, today);
  return last.nbf;
}

/**
 * What some years more change: the end, counted from the last one (from today, where it would be over too), and the
 * end of the updates. A perpetual license gets more years of updates only.
 *
 * @throws VtlicError `request_invalid` where there is no end to move, or the end would be one that no license can have
 */
export function laterByYears(last: License, years: number, now: number): Partial<Request> {
  const later = (end: number): number => {
    const counted = addYears(end, years);
    const moved = counted > now ? counted : addYears(now - (now % DAY_SECONDS), years);
    // The end of 9999-12-31 is a time that no claim can contain.
    if (moved <= MAX_TIME && !isPerpetual(moved)) return moved;
    throw new VtlicError('request_invalid', `${years} years more would end after 9999, the last year of a license`, {
      field: 'until',
      hint: 'give a smaller number after --years',
    });
  };
  if (isPerpetual(last.exp) && last.upd === undefined)
    throw new VtlicError('request_invalid', 'the last license is perpetual, so no years can be added to it', {
      field: 'until',
      hint: 'leave --years out, or give an end: --until 2028-12-31',
    });
  return {
    ...(isPerpetual(last.exp) ? {} : { until: later(last.exp) }),
    ...(last.upd === undefined ? {} : { updatesUntil: later(last.upd) }),
  };
}

/** A request for a customer who has no license yet: everything must be said. */
export function firstRequest(customer: string, changes: Changes): Request {
  const { set } = changes;
  const missing = (['product', 'tier', 'seats', 'from', 'until'] as const).filter((name) => set[name] === undefined);
  if (missing.length > 0)
    throw new VtlicError(
      'request_invalid',
      `${customer} has no license yet, so the request must be complete, but this is missing: ${missing.join(', ')}`,
      { hint: 'give the members as options or with --changes FILE.json' },
    );
  return withLimits({ features: [], limits: {}, ...set, customer } as Request, changes);
}

function withLimits(request: Request, changes: Changes): Request {
  const limits = Object.assign(Object.create(null) as Record<string, number>, request.limits, changes.limits);
  return Object.freeze({ ...request, limits: Object.freeze(limits) });
}

function optional<K extends keyof Request>(
  key: K,
  value: Request[K] | undefined,
): Pick<Request, K> | Record<string, never> {
  return value === undefined ? {} : ({ [key]: value } as Pick<Request, K>);
}
