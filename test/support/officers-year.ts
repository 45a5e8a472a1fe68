/** The walk through docs/officers-year.md: its orders, and where it is. */
import { join } from 'node:path';
import { ROOT } from './run-cli.ts';
import type { Walk } from './walk-document.ts';

export const OFFICERS_YEAR: string = join(ROOT, 'docs/officers-year.md');
/** As many customers as the document has. */
export const FULL_SEASON = 2000;

/** @param folder empty */
export function yearWith(orders: number, folder: string): Walk {
  return {
    folder,
    passphrase: 'correct horse battery staple',
    orders,
    order: (number) => {
      const id = String(number).padStart(4, '0');
      return (
        `customer-${id},"Customer ${number}, Ltd.",vaultdesk,team,${10 + (number % 40)},2026-12-01,2027-11-30,30,` +
        `audit-export,5,PO-${10_000 + number}`
      );
    },
  };
}
