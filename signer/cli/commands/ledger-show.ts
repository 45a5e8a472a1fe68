/** `vtlic ledger show [CUSTOMER|WORDS]`: a customer's history; otherwise a table of the licenses, or of those found. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { isId } from '../../../formats/license/id.ts';
import type { License } from '../../../formats/license/license.ts';
import {
  customerHistory,
  type HistoryLine,
  type LedgerView,
  type LineageHistory,
  lineageText,
  newestOfCustomer,
} from '../../ledger/index.ts';
import { formatRows, grantMembers, licenseRows } from '../../summary/license-summary.ts';
import { formatDay, formatEnd, formatInstant, isPerpetual, PERPETUAL } from '../../../formats/dates.ts';
import type { Io } from '../io.ts';
import { formatColumns } from '../output.ts';
import { siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

const PAGE = 500;

const HELP = `
A text that is not the id of a customer is searched for in the ids, names and
references of all customers. "until" is the last day of a license, in UTC.

Examples:
  vtlic ledger show
  vtlic ledger show acme-gmbh
  vtlic ledger show "Acme"`;

interface ShowOptions extends LedgerFileOptions {
  readonly ledger?: string;
}

export function addLedgerShow(parent: Command, io: Io): void {
  const command = parent
    .command('show [customer]')
    .description('lists all customers with their last license, or all licenses of one')
    .option('--ledger <file>', 'read this copy of the ledger instead of the ledger of the site')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action((customer: string | undefined, options: ShowOptions) =>
    withLedger(io, options, options.ledger, (ledger) => {
      if (customer !== undefined && isId(customer) && knows(ledger, customer))
        showCustomer(io, ledger, customer, options);
      else showTable(io, ledger, customer, options);
    }),
  );
}

function knows(ledger: LedgerView, customer: string): boolean {
  const [lineage] = ledger.knownLineages({ after: { sub: customer, aud: '' }, limit: 1 });
  return lineage?.sub === customer;
}

function* allCustomers(ledger: LedgerView): Generator<string> {
  for (let after: string | undefined; ;) {
    const page = ledger.customers({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page;
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}

/** The last license of each lineage, in which a word of the id, the name or the reference is searched. */
function showTable(io: Io, ledger: LedgerView, words: string | undefined, options: ShowOptions): void {
  const wanted = words?.normalize('NFC').toLowerCase();
  const customers: string[] = [];
  const licenses: License[] = [];
  for (const customer of allCustomers(ledger)) {
    const found = newestOfCustomer(ledger, customer)
      .map(({ payload }) => decodeLicense(payload))
      .filter((license) => wanted === undefined || isFound(license, wanted));
    if (wanted !== undefined && found.length === 0 && !customer.toLowerCase().includes(wanted)) continue;
    customers.push(customer);
    licenses.push(...found);
  }
  if (words !== undefined && customers.length === 0)
    throw new VtlicError(
      'request_invalid',
      `the ledger has no customer whose id, name or reference contains "${cleanText(words, 100)}"`,
      { hint: 'list all customers: vtlic ledger show' },
    );
  if (options.json === true) {
    io.out(jsonLine({ schema: 'vtlic-ledger-customers/1', customers, licenses: licenses.map(licenseDocument) }));
    return;
  }
  const known = new Set(licenses.map(({ sub }) => sub));
  const rows = [
    ...licenses.map((license) => [
      license.sub,
      license.dep === undefined ? license.aud : `${license.aud} / ${license.dep}`,
      license.use === undefined ? license.tier : `${license.tier} (${license.use})`,
      String(license.seats),
      formatDay(license.nbf),
      formatEnd(license.exp),
      cleanText(license.name ?? '', MAX_CELL),
    ]),
    ...customers.filter((customer) => !known.has(customer)).map((customer) => [customer, 'no license was issued']),
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
  if (rows.length > 0) io.out(`${formatColumns(COLUMNS, rows, new Set([3])).join('\n')}\n`);
  io.err(counted(customers.length, 'customer', 'customers'));
}

const COLUMNS = ['customer', 'product', 'tier', 'seats', 'from', 'until', 'name'];
const MAX_CELL = 60;

function isFound({ sub, name = '', ref = '' }: License, wanted: string): boolean {
  return [sub, name, ref].some((text) => text.normalize('NFC').toLowerCase().includes(wanted));
}

/** `until` is the last day, as a request writes it; `exp` is the claim, the first second after it. */
function licenseDocument(license: License): Readonly<Record<string, unknown>> {
  return {
    ...grantMembers(license),
    from: formatDay(license.nbf),
    until: formatEnd(license.exp),
    exp: license.exp,
    id: license.cti,
    counter: license.ctr,
  };
}

function showCustomer(io: Io, ledger: LedgerView, customer: string, options: ShowOptions): void {
  const histories = customerHistory(ledger, customer);
  if (options.json === true) {
    io.out(
      jsonLine({
        schema: 'vtlic-ledger-history/1',
        customer,
        lineages: histories.map(({ lineage, next, lines }) => ({
          product: lineage.aud,
          deployment: lineage.dep ?? null,
          nextCounter: next ?? null,
          licenses: lines.map((line) => ({ ...line, until: formatEnd(line.license.exp) })),
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
      `(${next === undefined ? 'the counters were handed over, so none is issued here' : `next counter: ${next}`})`,
    ...lines.flatMap((line) => lineText(line)),
  ];
}

/** What a line of the history shows besides tier, seats and term, where the license has it. */
const SHOWN_ROWS: ReadonlySet<string> = new Set(['name', 'reference', 'updates until', 'use']);

function lineText(line: HistoryLine): string[] {
  const { license } = line;
  const from = formatDay(license.nbf);
  const term = isPerpetual(license.exp) ? `from ${from}, ${PERPETUAL}` : `from ${from} until ${formatEnd(license.exp)}`;
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
      return (
        `VOID (${line.voidReason ?? ''}): reserved ${formatInstant(line.intendedAt)}; ` +
        'this ledger has no license with it'
      );
    case 'issued':
      return `signed ${formatInstant(line.issuedAt ?? line.intendedAt)}, not released yet`;
    case 'reentered':
      return `entered again ${formatInstant(line.intendedAt)}, after a restore`;
    default:
      return `released ${formatInstant(line.releasedAt ?? line.intendedAt)}: ${cleanText(line.path ?? '', 1000)}`;
  }
}
