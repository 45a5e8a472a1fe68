/** Histories in which a product runs for hours: the floor of time (docs/runtime.md, "Time"). */
import type { Row } from './history-rows.ts';
import {
  IAT,
  NOW,
  at,
  begin,
  expiring,
  install,
  lose,
  ran,
  refused,
  restart,
  start,
  tick,
  withClk,
  type Step,
} from './history-steps.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const RUN = 72 * HOUR;
/** The floor of a product that ran for 72 hours from its first start on, with the right clock. */
const FLOOR = NOW + RUN;

/** The product runs for so long, until the clock shows `now`, with a license that ends at `exp`. */
const runs = (now: number, seconds: number, exp: number, counter = 1): readonly Step[] => [
  ran(now, seconds),
  now < exp ? tick('active', counter) : tick('free_tier', 'lapsed'),
];
/** The clock is set back to this time while the product runs. @param isFree the license has lapsed all the same */
const back = (now: number, isFree: boolean): readonly Step[] => [
  at(now),
  isFree ? tick('free_tier', 'lapsed') : tick('active', 1),
];

/** A product that has run for 72 hours with a license until `exp`. */
const settled = (exp: number): readonly Step[] => [
  ...begin(expiring(exp)),
  start('active', 1),
  ...runs(FLOOR, RUN, exp),
];

/** What a clock that is 3 days ahead of the floor shows after so many seconds of running. */
const ahead = (seconds: number): readonly [now: number, ran: number] => [FLOOR + 3 * DAY + seconds, seconds];

const FOLLOWS = 'that the floor follows a clock after the product has run for 72 hours with its lead';
const NOT_YET = 'that the floor follows a clock with a lead only after 72 hours of running';
const AT_ONCE = 'that the floor follows a clock at once only where it is at most 24 hours ahead';
const ADD_UP = 'that the hours with a lead add up over restarts';

export const TIME_ROWS: readonly Row[] = [
  [
    'floor-first',
    'a product runs for 72 hours from its first start on, and then the clock is set back',
    FOLLOWS,
    [
      ...settled(FLOOR),
      ...back(NOW, true),
      restart('free_tier', 'lapsed'),
      // The floor is no second later.
      install(expiring(FLOOR + 1, 2), 'active', 2),
    ],
  ],
  [
    'floor-first-not-yet',
    'a product runs for 71:59:59 from its first start on, and then the clock is set back',
    NOT_YET,
    [
      ...begin(expiring(NOW + DAY)),
      start('active', 1),
      ...runs(FLOOR - 1, RUN - 1, NOW + DAY),
      ...back(NOW, false),
      restart('active', 1),
    ],
  ],
  [
    'floor-first-last-second',
    'a product runs for 71:59:59, starts anew and runs for a second, and then the clock is set back',
    ADD_UP,
    [
      ...begin(expiring(FLOOR)),
      start('active', 1),
      ...runs(FLOOR - 1, RUN - 1, FLOOR),
      restart('active', 1),
      ...runs(FLOOR, 1, FLOOR),
      restart('free_tier', 'lapsed'),
      ...back(NOW, true),
    ],
  ],
  [
    'floor-runs',
    'the clock is set back, and the product runs until the end of its license',
    'that the floor advances with the running time',
    [
      ...settled(FLOOR + DAY),
      ...back(NOW, false),
      ran(NOW + DAY - HOUR, DAY - HOUR),
      tick('active', 1),
      ran(NOW + DAY, HOUR),
      tick('free_tier', 'lapsed'),
      restart('free_tier', 'lapsed'),
    ],
  ],
  [
    'floor-day',
    'a clock that is 24 hours ahead of the floor becomes the floor at once',
    'that a clock which is exactly 24 hours ahead is not more than 24 hours ahead',
    [
      ...settled(FLOOR + HOUR + DAY),
      ...runs(FLOOR + HOUR + DAY, HOUR, FLOOR + HOUR + DAY),
      ...back(FLOOR, true),
      restart('free_tier', 'lapsed'),
    ],
  ],
  [
    'floor-day-and-second',
    'a clock that is 24 hours and a second ahead of the floor does not become the floor at once',
    AT_ONCE,
    [
      ...settled(FLOOR + HOUR + DAY),
      ...runs(FLOOR + HOUR + DAY + 1, HOUR, FLOOR + HOUR + DAY),
      ...back(FLOOR, false),
      restart('active', 1),
    ],
  ],
  [
    'floor-follows',
    'a clock is 3 days ahead for 72 hours of running, and then it is set back',
    FOLLOWS,
    [
      ...settled(FLOOR + 3 * DAY + RUN),
      ...runs(...ahead(RUN), FLOOR + 3 * DAY + RUN),
      ...back(FLOOR, true),
      restart('free_tier', 'lapsed'),
      install(expiring(FLOOR + 3 * DAY + RUN + 1, 2), 'active', 2),
    ],
  ],
  [
    'floor-not-yet',
    'a clock is 3 days ahead for 71:59:59 of running, and then it is set back',
    NOT_YET,
    [...settled(FLOOR + RUN), ...runs(...ahead(RUN - 1), FLOOR + RUN), ...back(FLOOR, false), restart('active', 1)],
  ],
  [
    'floor-last-second',
    'a clock is 3 days ahead for 71:59:59, the product starts anew, and it runs for a second more',
    ADD_UP,
    [
      ...settled(FLOOR + 3 * DAY + RUN),
      ...runs(...ahead(RUN - 1), FLOOR + 3 * DAY + RUN),
      restart('active', 1),
      ...runs(FLOOR + 3 * DAY + RUN, 1, FLOOR + 3 * DAY + RUN),
      restart('free_tier', 'lapsed'),
      ...back(FLOOR, true),
    ],
  ],
  [
    'floor-adds-up',
    'a clock is 3 days ahead for 72 hours of running, with two restarts',
    ADD_UP,
    [
      ...settled(FLOOR + 6 * DAY),
      ...runs(FLOOR + 4 * DAY, DAY, FLOOR + 6 * DAY),
      restart('active', 1),
      ...runs(FLOOR + 5 * DAY, DAY, FLOOR + 6 * DAY),
      restart('active', 1),
      ...runs(FLOOR + 6 * DAY, DAY, FLOOR + 6 * DAY),
      ...back(FLOOR, true),
      restart('free_tier', 'lapsed'),
    ],
  ],
  [
    'floor-begins-again',
    'a clock is 3 days ahead for 48 hours, right for an hour, and 3 days ahead for 48 hours again',
    'that the count begins again when the lead falls to 24 hours or less',
    [
      ...settled(FLOOR + 5 * DAY),
      restart('active', 1),
      ...runs(FLOOR + 5 * DAY, 2 * DAY, FLOOR + 5 * DAY),
      ran(FLOOR + 2 * DAY + HOUR, HOUR),
      tick('active', 1),
      ...runs(FLOOR + 7 * DAY + HOUR, 2 * DAY, FLOOR + 5 * DAY),
      ...back(FLOOR, false),
      restart('active', 1),
    ],
  ],
  [
    'floor-lowest',
    'a clock is 3 days ahead for 36 hours, and years ahead for 36 hours more',
    'that the time of a lead advances with the running time, and falls to a lower clock',
    [
      ...settled(FLOOR + 6 * DAY),
      ...runs(FLOOR + 3 * DAY + 36 * HOUR, 36 * HOUR, FLOOR + 6 * DAY),
      ...runs(FLOOR + 4000 * DAY, 36 * HOUR, FLOOR + 6 * DAY),
      ...back(FLOOR, true),
      install(expiring(FLOOR + 6 * DAY + 1, 2), 'active', 2),
      restart('active', 2),
    ],
  ],
  [
    'floor-lowest-last',
    'a clock is years ahead for 36 hours, and 3 days ahead for 36 hours more',
    'that the time of a lead advances with the running time, and falls to a lower clock',
    [
      ...settled(FLOOR + 6 * DAY),
      ...runs(FLOOR + 4000 * DAY, 36 * HOUR, FLOOR + 6 * DAY),
      ...runs(FLOOR + 6 * DAY, 36 * HOUR, FLOOR + 6 * DAY),
      ...back(FLOOR, true),
      install(expiring(FLOOR + 6 * DAY + 1, 2), 'active', 2),
      restart('active', 2),
    ],
  ],
  [
    'floor-lost',
    'the state is lost, and the floor with it',
    'that lost state is a first start, also for the time',
    [...settled(FLOOR), ...back(NOW, true), lose, restart('active', 1)],
  ],
  [
    'floor-lost-hours',
    'the state is lost after 48 hours with a lead, and the count of the hours begins again',
    'that the hours with a lead are in the state',
    [
      ...begin(expiring(NOW + 4 * DAY)),
      start('active', 1),
      ...runs(NOW + 2 * DAY, 2 * DAY, NOW + 4 * DAY),
      lose,
      restart('active', 1),
      ...runs(NOW + 4 * DAY, 2 * DAY, NOW + 4 * DAY),
      ...back(NOW, false),
      restart('active', 1),
    ],
  ],
  [
    'floor-clk',
    'a product ran for 72 hours with a clock years ahead, and a license with clk is the way out',
    'that clk sets the floor to the iat of its license',
    [
      ...begin(expiring(NOW + 8000 * DAY), NOW + 4000 * DAY),
      start('active', 1),
      ran(NOW + 4000 * DAY + RUN, RUN),
      tick('active', 1),
      ...back(NOW, false),
      refused(expiring(NOW + DAY, 2), 'lapsed', 'active', 1),
      install(withClk, 'active', 2),
      restart('active', 2),
      at(IAT),
      tick('free_tier', 'not_yet_valid'),
    ],
  ],
];
