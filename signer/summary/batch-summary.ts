/**
 * What an officer reads of a batch before it is signed: counts, totals, what to look at twice, the largest. Memory does
 * not grow with the rows.
 */
import { cleanText, counted, groupDigits } from '../../formats/clean-text.ts';
import type { License, LicenseUse } from '../../formats/license/license.ts';
import { digestView } from './plan-summary.ts';
import { lineageOf, lineageText } from '../ledger/index.ts';
import { type Anomaly, ANOMALY_KINDS, type AnomalyKind } from '../plan/anomalies.ts';
import { formatDay, isPerpetual, PERPETUAL } from '../../formats/dates.ts';

const LARGEST = 10;
const EXAMPLES = 5;

/** One row in a few words. */
export interface Mention {
  readonly line: number;
  readonly lineage: string;
  readonly seats: number | 'unlimited';
  readonly text: string;
}

export interface TierCount {
  readonly product: string;
  readonly tier: string;
  licenses: number;
  seats: number;
  unlimited: number;
}

export interface BatchSummary {
  /** Rows of the file. */
  rows: number;
  /** Rows that will be signed, and of them those with new counters because the last ones are void or used. */
  sign: number;
  again: number;
  /** Rows that have their license. */
  done: number;
  newCustomers: number;
  /** Rows whose lineage has no license yet; new customers among them. */
  newLineages: number;
  firstFrom: number;
  lastUntil: number;
  /** Licenses that are not for production, by their use. */
  readonly uses: Map<LicenseUse, number>;
  readonly tiers: Map<string, TierCount>;
  readonly anomalies: Map<AnomalyKind, { count: number; readonly examples: Mention[] }>;
  rowsWithAnomalies: number;
  /** By seats, the largest first. */
  readonly largest: Mention[];
}

export function emptySummary(): BatchSummary {
  return {
    rows: 0,
    sign: 0,
    again: 0,
    done: 0,
    newCustomers: 0,
    newLineages: 0,
    firstFrom: Infinity,
    lastUntil: 0,
    uses: new Map(),
    tiers: new Map(),
    anomalies: new Map(),
    rowsWithAnomalies: 0,
    largest: [],
  };
}

export interface Counted {
  readonly line: number;
  /** Parsed back from the bytes that will be signed. */
  readonly license: License;
  readonly anomalies: readonly Anomaly[];
  readonly newCustomer: boolean;
  readonly newLineage: boolean;
  readonly again: boolean;
}

export function count(summary: BatchSummary, row: Counted): void {
  const { line, license } = row;
  summary.sign++;
  if (row.again) summary.again++;
  if (row.newCustomer) summary.newCustomers++;
  if (row.newLineage) summary.newLineages++;
  summary.firstFrom = Math.min(summary.firstFrom, license.nbf);
  summary.lastUntil = Math.max(summary.lastUntil, license.exp);
  if (license.use !== undefined) summary.uses.set(license.use, (summary.uses.get(license.use) ?? 0) + 1);
  const key = `${license.aud}\n${license.tier}`;
  const tier = summary.tiers.get(key) ?? {
    product: license.aud,
    tier: license.tier,
    licenses: 0,
    seats: 0,
    unlimited: 0,
  };
  tier.licenses++;
  if (license.seats === 'unlimited') tier.unlimited++;
  else tier.seats += license.seats;
  summary.tiers.set(key, tier);
  const mention = (text: string): Mention => ({
    line,
    lineage: lineageText(lineageOf(license)),
    seats: license.seats,
    text,
  });
  if (row.anomalies.length > 0) summary.rowsWithAnomalies++;
  for (const { kind, sentence } of row.anomalies) {
    const found = summary.anomalies.get(kind) ?? { count: 0, examples: [] };
    found.count++;
    if (found.examples.length < EXAMPLES) found.examples.push(mention(sentence));
    summary.anomalies.set(kind, found);
  }
  const last = summary.largest.at(-1);
  if (summary.largest.length < LARGEST || last === undefined || weight(license.seats) > weight(last.seats)) {
    summary.largest.push(
      mention(
        `${license.tier}, ${license.seats} seats, ` +
          (isPerpetual(license.exp) ? PERPETUAL : `until ${day(license.exp - 1)}`),
      ),
    );
    summary.largest.sort((a, b) => weight(b.seats) - weight(a.seats) || a.line - b.line);
    if (summary.largest.length > LARGEST) summary.largest.pop();
  }
}

function weight(seats: number | 'unlimited'): number {
  return seats === 'unlimited' ? Infinity : seats;
}

export interface SummaryContext {
  readonly file: string | undefined;
  readonly name: string;
  readonly sharded: boolean;
  readonly keyName: string;
  readonly algorithm: string;
  readonly custody: string;
  readonly digest: string;
}

function mentionLine({ line, lineage, text }: Mention): string {
  return `      line ${line}, ${lineage}: ${cleanText(text, 1000)}`;
}

export function summaryView(summary: BatchSummary, context: SummaryContext): string[] {
  const n = groupDigits;
  const licenses = (count: number): string => counted(count, 'license', 'licenses');
  const seats = (count: number): string => counted(count, 'seat', 'seats');
  const tiers = [...summary.tiers.values()].sort((a, b) =>
    a.product < b.product ? -1 : a.product > b.product ? 1 : b.licenses - a.licenses,
  );
  const unlimited = (tier: TierCount): string =>
    tier.unlimited === 0 ? '' : ` and ${n(tier.unlimited)} without a limit`;
  const totals = tiers.reduce((sum, tier) => sum + tier.seats, 0);
  return [
    `Batch ${cleanText(context.name)}: ${licenses(summary.sign)} to ` +
      `sign${context.file === undefined ? '' : `, from ${cleanText(context.file, 1000)}`}.`,
    ...(summary.done > 0
      ? [`Rows that have their license already and are not signed again: ${n(summary.done)} of ${n(summary.rows)}.`]
      : []),
    ...(summary.again > 0
      ? [
          `${counted(summary.again, 'row gets', 'rows get')} a new counter, license id and issue time, because the ` +
            'last counter was voided or used; all else is as it was reviewed.',
        ]
      : []),
    '',
    '  by product and tier:',
    ...tiers.map(
      (tier) =>
        `      ${tier.product} / ${tier.tier}: ${licenses(tier.licenses)}, ${seats(tier.seats)}${unlimited(tier)}`,
    ),
    `      in all: ${licenses(summary.sign)}, ${seats(totals)}`,
    `  terms: from ${day(summary.firstFrom)} at the earliest, ` +
      (isPerpetual(summary.lastUntil) ? `some ${PERPETUAL}` : `until ${day(summary.lastUntil - 1)} at the latest`),
    ...(summary.uses.size === 0
      ? []
      : [`  not for production: ${[...summary.uses].map(([use, licenses]) => `${n(licenses)} ${use}`).join(', ')}`]),
    `  new customers: ${n(summary.newCustomers)}; new lineages of known customers: ` +
      n(summary.newLineages - summary.newCustomers),
    '',
    ...anomalyLines(summary, n),
    '',
    '  the largest:',
    ...summary.largest.map(mentionLine),
    '',
    `  signed by: ${cleanText(context.keyName)} (${context.algorithm}, custody ${context.custody})`,
    context.sharded
      ? '  files go to: out/PRODUCT/_XX/CUSTOMER/COUNTER-ID8.vtlic ' +
        '(_XX: two hex digits of SHA-256 of the customer, so that no folder gets too full)'
      : '  files go to: out/PRODUCT/CUSTOMER/COUNTER-ID8.vtlic',
    '',
    ...digestView(context.digest),
  ];
}

function day(seconds: number): string {
  return Number.isFinite(seconds) && seconds > 0 ? formatDay(seconds).slice(0, 10) : 'none';
}

function anomalyLines(summary: BatchSummary, n: (value: number) => string): string[] {
  const { rowsWithAnomalies } = summary;
  if (rowsWithAnomalies === 0) return ['  no row needs a second look'];
  return [
    `  look at ${rowsWithAnomalies === 1 ? 'this twice (1 row)' : `these twice (${n(rowsWithAnomalies)} rows)`}:`,
    ...ANOMALY_KINDS.flatMap((kind) => {
      const found = summary.anomalies.get(kind);
      if (found === undefined) return [];
      return [
        `    ! ${kind}: ${n(found.count)}`,
        ...found.examples.map(mentionLine),
        ...(found.count > found.examples.length ? [`      … and ${n(found.count - found.examples.length)} more`] : []),
      ];
    }),
  ];
}

/** The same for a program. */
export function summaryDocument(summary: BatchSummary): Readonly<Record<string, unknown>> {
  return {
    rows: summary.rows,
    sign: summary.sign,
    again: summary.again,
    done: summary.done,
    newCustomers: summary.newCustomers,
    tiers: [...summary.tiers.values()],
    uses: Object.fromEntries(summary.uses),
    anomalies: Object.fromEntries([...summary.anomalies].map(([kind, { count: number }]) => [kind, number])),
    largest: summary.largest,
  };
}
