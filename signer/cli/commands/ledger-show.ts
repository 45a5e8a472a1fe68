/** `vtlic ledger show [CUSTOMER]`: a customer's history; without one, the customers. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { isId } from '../../../formats/license/id.ts';
import {
  customerHistory,
  type HistoryLine,
  type LedgerView,
  type LineageHistory,
  lineageText,
} from '../../ledger/index.ts';
import { formatRows, licenseRows } from '../../summary/license-summary.ts';
import { formatInstant, isPerpetual, PERPETUAL } from '../../../formats/dates.ts';
import type { Io } from '../io.ts';
import { siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

const PAGE = 500;

interface ShowOptions extends LedgerFileOptions {
  readonly ledger?: string;
}

export function addLedgerShow(parent: Command, io: Io): void {
  const command = parent
    .command('show [customer]')
    .description("a customer's licenses, oldest first; without one, all customers")
    .option('--ledger <file>', "another copy of the ledger than the site's")
    .option('--json', 'the result as one JSON document');
  siteOption(command).action((customer: string | undefined, options: ShowOptions) =>
    withLedger(io, options, options.ledger, (ledger) => {
      if (customer === undefined) showCustomers(io, ledger, options);
      else showCustomer(io, ledger, customer, options);
    }),
  );
}

function showCustomers(io: Io, ledger: LedgerView, options: ShowOptions): void {
  const all: string[] = [];
  for (let after: string | undefined; ;) {
    const page = ledger.customers({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    if (options.json === true) all.push(...page);
    else for (const customer of page) io.out(`${customer}\n`);
    after = page.at(-1);
    if (page.length < PAGE) break;
  }
  if (options.json === true) io.out(jsonLine({ schema: 'vtlic-ledger-customers/1', customers: all }));
}

function showCustomer(io: Io, ledger: LedgerView, customer: string, options: ShowOptions): void {
  if (!isId(customer))
    throw new VtlicError('usage', 'show takes the id of a customer', {
      hint: 'without one it lists them: vtlic ledger show',
    });
  const histories = customerHistory(ledger, customer);
  if (histories.length === 0)
    throw new VtlicError('request_invalid', `the ledger has no license of a customer ${customer}`, {
      hint: 'list the customers: vtlic ledger show',
    });
  if (options.json === true) {
    io.out(
      jsonLine({
        schema: 'vtlic-ledger-history/1',
        customer,
        lineages: histories.map(({ lineage, next, lines }) => ({
          product: lineage.aud,
          deployment: lineage.dep ?? null,
          nextCounter: next ?? null,
          licenses: lines,
        })),
      }),
    );
    return;
  }
  io.out(`${histories.map((history) => textOf(history).join('\n')).join('\n\n')}\n`);
}

function textOf({ lineage, next, lines }: LineageHistory): string[] {
  return [
    `${lineageText(lineage)}   ` +
      `(${next === undefined ? 'counters handed over: nothing is issued here any more' : `next counter: ${next}`})`,
    ...lines.flatMap((line) => lineText(line)),
  ];
}

/** What a line of the history shows besides tier, seats and term, where the license has it. */
const SHOWN_ROWS: ReadonlySet<string> = new Set(['name', 'reference', 'updates until', 'use']);

function lineText(line: HistoryLine): string[] {
  const { license } = line;
  const from = formatInstant(license.nbf);
  const term = isPerpetual(license.exp) ? `from ${from}, ${PERPETUAL}` : `${from} to ${formatInstant(license.exp)}`;
  const what = `${license.tier}, ${license.seats} seats, ${term}`;
  const named = licenseRows(license).filter(([name]) => SHOWN_ROWS.has(name));
  return [
    `  ${String(license.ctr).padStart(4)}  ${stateText(line)}`,
    `        ${cleanText(what, 500)}`,
    ...formatRows(named, 8),
    `        license ${line.id}, key ${line.kid.slice(0, 16)}…` +
      (line.custody === undefined ? '' : ` (${line.custody}), by ${cleanText(line.operator ?? '')}`),
  ];
}

function stateText(line: HistoryLine): string {
  switch (line.state) {
    case 'open':
      return `reserved ${formatInstant(line.intendedAt)}, not finished`;
    case 'void':
      return `VOID (${line.voidReason ?? ''}): reserved ${formatInstant(line.intendedAt)}, no license has it`;
    case 'issued':
      return `signed ${formatInstant(line.issuedAt ?? line.intendedAt)}, not released yet`;
    case 'reentered':
      return `entered again ${formatInstant(line.intendedAt)}, after a restore`;
    default:
      return `released ${formatInstant(line.releasedAt ?? line.intendedAt)}: ${cleanText(line.path ?? '', 1000)}`;
  }
}
