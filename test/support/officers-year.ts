/** The walk through docs/officers-year.md: its orders, and where it is. */
import { join } from 'node:path';
import { ROOT } from './run-cli.ts';
import type { Walk } from './walk-document.ts';

export const OFFICERS_YEAR: string = join(ROOT, 'docs/officers-year.md');
/** As many customers as the document has. */
export const FULL_SEASON = 2000;

export interface Term {
  readonly from: string;
  readonly until: string;
}

const SHOWN_TERM: Term = { from: '2026-12-01', until: '2027-11-30' };

/**
 * @param folder empty
 * @param term of each order
 */
export function yearWith(orders: number, folder: string, term: Term = SHOWN_TERM): Walk {
  return {
    folder,
    passphrase: 'correct horse battery staple',
    orders,
    order: (number) => {
      const id = String(number).padStart(4, '0');
      return (
        `customer-${id},"Customer ${number}, Ltd.",vaultdesk,team,${10 + (number % 40)},${term.from},${term.until},30,` +
        `audit-export,5,PO-${10_000 + number}`
      );
    },
  };
}

/** The first and last day of a license for one year, and the day two years later, when the clock says `now`. */
export function afternoonDays(now: Date): { readonly term: Term; readonly later: string } {
  const day = (years: number, days: number): string =>
    new Date(Date.UTC(now.getUTCFullYear() + years, now.getUTCMonth(), now.getUTCDate() + days))
      .toISOString()
      .slice(0, 10);
  return { term: { from: day(0, 0), until: day(1, -1) }, later: day(2, 0) };
}

/** The document with what its reader types in one afternoon: the table at its beginning, row by row. */
export function inOneAfternoon(document: string, now: Date): string {
  const { term, later } = afternoonDays(now);
  const next = document.indexOf('**The next season**');
  const within = (text: string, days: string): string => text.replaceAll('--within 60d', `--within ${days}`);
  return (within(document.slice(0, next), '400d') + within(document.slice(next), '800d'))
    .replaceAll(/<!-- on: \S+ -->/g, '')
    .replaceAll('--until 2027-11-29', `--until ${term.until}`)
    .replaceAll('--at 2028-12-24', `--at ${later}`);
}
