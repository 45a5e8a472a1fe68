/** `vtlic ledger due`: which licenses run out, as a table, as JSON, or as the table that `vtlic batch` renews. */
import type { Command } from 'commander';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { BYTE_ORDER_MARK, csvRow } from '../../../formats/csv.ts';
import { formatDay, formatEnd } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { isId } from '../../../formats/license/id.ts';
import type { License } from '../../../formats/license/license.ts';
import { columnsFor, notInTable, rowOf } from '../../batch/csv-columns.ts';
import { dueLicenses, endOf, renewedFor } from '../../renew/due.ts';
import type { Request } from '../../request/request.ts';
import { nowSeconds } from '../../runtime.ts';
import { grantMembers } from '../../summary/license-summary.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { invalid, parseSpan, parseYears, siteArgument, siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';
import { formatColumns } from '../output.ts';

const DEFAULT_WITHIN_DAYS = 60;
const MAX_CELL = 200;

interface DueOptions extends LedgerFileOptions {
  readonly ledger?: string;
  readonly within: number;
  readonly ended?: number;
  readonly product?: string;
  readonly handedOver?: boolean;
  readonly csv?: boolean;
  readonly years?: number;
}

function parseProduct(text: string): string {
  if (!isId(text)) throw invalid('expected the id of a product');
  return text;
}

const HELP = `
Lists the newest license of each customer, product and deployment, if it ends
within this time, or has ended and is still in its grace. With --csv, each row
is already the renewal, for one year more (or for --years N). Change the table
where a customer changes or leaves, and give it to vtlic batch.

Examples:
  vtlic ledger due --within 60d
  vtlic ledger due --within 60d --csv > season.csv
  vtlic batch season.csv --name season-2027`;

export function addLedgerDue(parent: Command, io: Io, setExit: SetExit): void {
  const command = parent
    .command('due')
    .description('lists the licenses that end soon; --csv writes the table that renews them')
    .option(
      '--within <time>',
      'how far ahead, such as 60d or 8w (default: 60d)',
      parseSpan,
      DEFAULT_WITHIN_DAYS * DAY_SECONDS,
    )
    .option('--ended <time>', 'also licenses that ended within this time (default: only those in grace)', parseSpan)
    .option('--product <id>', 'only licenses of this product', parseProduct)
    .option('--handed-over', 'also licenses whose counters were handed over to another ledger')
    .option('--csv', 'write their renewals as a table that vtlic batch reads')
    .option('--years <n>', 'with --csv: for how long they are renewed (default: 1)', parseYears)
    .option('--ledger <file>', 'read this copy of the ledger instead of the ledger of the site')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action((options: DueOptions) =>
    withLedger(io, options, options.ledger, (ledger) => {
      if (options.csv === true && options.json === true)
        throw new VtlicError('usage', '--csv and --json are two forms of one result: name one of them');
      if (options.years !== undefined && options.csv !== true)
        throw new VtlicError('usage', '--years needs --csv: without it, the command only lists what ends');
      const now = nowSeconds(io.runtime);
      const { licenses: due, leftOut } = dueLicenses(ledger, {
        now,
        withinSeconds: options.within,
        ...(options.ended === undefined ? {} : { endedSeconds: options.ended }),
        ...(options.product === undefined ? {} : { product: options.product }),
        ...(options.handedOver === undefined ? {} : { handedOver: options.handedOver }),
      });
      const ended = due.filter((license) => endOf(license) <= now).length;
      const lastDay = formatEnd(now - (now % DAY_SECONDS) + options.within);
      const past = ended === 0 ? '' : `; ${counted(ended, 'of them has', 'of them have')} ended already`;
      io.err(`${counted(due.length, 'license ends', 'licenses end')} by ${lastDay}${past}`);
      if (leftOut > 0)
        io.err(
          `note: not listed: ${counted(leftOut, 'license', 'licenses')} whose counters were handed over; the ledger ` +
            'that took them over renews these (--handed-over lists them)',
        );
      noteUses(io, due);
      if (options.json === true) io.out(jsonLine(document(due, now)));
      else if (options.csv === true) writeCsv(io, setExit, due, now, options);
      else if (due.length > 0) io.out(`${table(due, now).join('\n')}\n`);
    }),
  );
}

/** Renewing a trial as another year of trial is rarely intended. */
function noteUses(io: Io, due: readonly License[]): void {
  for (const use of ['trial', 'emergency'] as const) {
    const count = due.filter((license) => license.use === use).length;
    if (count > 0) io.err(`note: of these, ${counted(count, 'has', 'have')} the use ${use}, and a renewal keeps it`);
  }
}

function daysLeft(license: License, now: number): number {
  return Math.ceil((endOf(license) - now) / DAY_SECONDS);
}

function table(due: readonly License[], now: number): string[] {
  const rows = due.map((license) => [
    formatEnd(endOf(license)),
    String(daysLeft(license, now)),
    license.sub,
    license.dep === undefined ? license.aud : `${license.aud} / ${license.dep}`,
    license.use === undefined ? license.tier : `${license.tier} (${license.use})`,
    String(license.seats),
    cleanText(license.name ?? '', MAX_CELL),
  ]);
  return formatColumns(['until', 'days', 'customer', 'product', 'tier', 'seats', 'name'], rows, new Set([1, 5]));
}

function document(due: readonly License[], now: number): Readonly<Record<string, unknown>> {
  return {
    schema: 'vtlic-ledger-due/1',
    at: formatDay(now),
    licenses: due.map((license) => ({
      ...grantMembers(license),
      until: formatEnd(license.exp),
      exp: license.exp,
      ...(license.upd === undefined ? {} : { updatesUntil: formatEnd(license.upd), upd: license.upd }),
      daysLeft: daysLeft(license, now),
      id: license.cti,
      counter: license.ctr,
    })),
  };
}

/** Names each license whose renewal does not fit into a row; the exit code then says that the table is incomplete. */
function writeCsv(io: Io, setExit: SetExit, due: readonly License[], now: number, options: DueOptions): void {
  const requests: Request[] = [];
  const leaveOut = (license: License, why: string): void => {
    io.err(`left out: ${license.sub} / ${license.aud}: ${why}; renew it by itself: vtlic renew ${license.cti}`);
    setExit(EXIT.partFailed);
  };
  for (const license of due) {
    try {
      const request = renewedFor(license, options.years ?? 1, now);
      const member = notInTable(request);
      if (member === undefined) requests.push(request);
      else leaveOut(license, `no cell of a table can contain its "${member}"`);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      leaveOut(license, error.message);
    }
  }
  const columns = columnsFor(requests);
  io.out(`${BYTE_ORDER_MARK}${csvRow(columns)}`);
  for (const request of requests) io.out(csvRow(rowOf(request, columns)));
  io.err('look through the table, delete the customers who do not renew, edit what changes, and give it to:');
  io.err(`  vtlic batch FILE.csv --name NAME${siteArgument(options)}`);
}
