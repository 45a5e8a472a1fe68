/** What a vendor has to do when: licenses that end, and dates of the published keysets. */
import { cleanText, groupDigits } from '../../formats/clean-text.ts';
import { formatDay, formatEnd } from '../../formats/dates.ts';
import type { CalendarEvent } from '../../formats/icalendar.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { License } from '../../formats/license/license.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import { endOf } from '../renew/due.ts';
import { type PlannedStep, stepInWords } from '../rotation/plan.ts';

/** Of one day. The command in the text lists all of them. */
const MAX_LISTED = 40;
const MAX_NAME = 120;
const RENEWAL_DAYS = 30;
const KEY_DAYS = 60;
const STEP_DAYS = 14;

/** One event for each day on which licenses end. @param licenses sorted by their ends, the earliest first */
export function renewalEvents(issuer: string, licenses: readonly License[]): readonly CalendarEvent[] {
  const byDay = new Map<number, License[]>();
  for (const license of licenses) {
    // The end is exclusive: a license that ends with a day has its end at the next midnight.
    const last = endOf(license) - 1;
    const day = last - (last % DAY_SECONDS);
    const others = byDay.get(day);
    if (others === undefined) byDay.set(day, [license]);
    else others.push(license);
  }
  return [...byDay].map(([day, ending]) => ({
    uid: `licenses-${formatDay(day)}@${issuer}`,
    day,
    summary: `${groupDigits(ending.length)} license${ending.length === 1 ? ' ends' : 's end'}: renew before`,
    description: [
      ...ending.slice(0, MAX_LISTED).map(lineOf),
      ...(ending.length > MAX_LISTED ? [`and ${groupDigits(ending.length - MAX_LISTED)} more`] : []),
      'All of them: vtlic ledger due',
    ],
    remindDays: RENEWAL_DAYS,
  }));
}

function lineOf({ sub, aud, dep, tier, seats, name, ...license }: License): string {
  const product = dep === undefined ? aud : `${aud} / ${dep}`;
  const customer = name === undefined ? sub : `${cleanText(name, MAX_NAME)} (${sub})`;
  return `${customer}: ${product}, ${tier}, ${seats} seats, until ${formatEnd(license.exp)}`;
}

/** What the newest keyset dates: its own expiry, the use of each key, and the end of Ed25519. */
export function keysetEvents(keyset: Keyset): readonly CalendarEvent[] {
  const { iss, version, expires, ed25519Until, keys } = keyset;
  const events: CalendarEvent[] = [];
  if (expires !== undefined)
    events.push({
      uid: `keyset-expires@${iss}`,
      day: expires,
      summary: `Keyset version ${version} expires: publish the next one before`,
      description: ['Products go on with the old one, and warn their operators.'],
      remindDays: KEY_DAYS,
    });
  if (ed25519Until !== undefined)
    events.push({
      uid: `ed25519-ends@${iss}`,
      day: ed25519Until,
      summary: 'Licenses with only an Ed25519 signature end',
      description: ['From this day on products refuse them. Reissue each with a composite key before.'],
      remindDays: KEY_DAYS,
    });
  for (const { alg, publicBytes, status, from, until } of keys) {
    const kid = kidOf(alg, publicBytes);
    const description = [`kid ${kid}`, `${alg}, ${status} in keyset version ${version}`];
    if (from !== undefined && status === 'pre-published')
      events.push({
        uid: `key-from-${kid}@${iss}`,
        day: from,
        summary: `Key ${kid.slice(0, 8)}…: activate it`,
        description,
        remindDays: KEY_DAYS,
      });
    if (until !== undefined && (status === 'pre-published' || status === 'active'))
      events.push({
        uid: `key-until-${kid}@${iss}`,
        day: until,
        summary: `Key ${kid.slice(0, 8)}…: sign nothing more with it, and retire it`,
        description,
        remindDays: KEY_DAYS,
      });
  }
  return events;
}

/** The steps of a rotation plan, one event for each day. @param nameOfKey how people call a key */
export function stepEvents(
  issuer: string,
  steps: readonly PlannedStep[],
  nameOfKey: (kid: string) => string | undefined,
): readonly CalendarEvent[] {
  return [...new Set(steps.map(({ on }) => on))].map((on) => ({
    uid: `rotation-${formatDay(on)}@${issuer}`,
    day: on,
    summary: 'Rotation: draft, sign and publish the next keyset',
    description: [
      ...steps.filter((step) => step.on === on).map((step) => stepInWords(step, nameOfKey)),
      'Before: vtlic rotation simulate --plan FILE',
    ],
    remindDays: STEP_DAYS,
  }));
}
