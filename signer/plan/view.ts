/**
 * What the officer reads before typing `Yes`: the claims parsed back from the exact bytes that will be signed.
 *
 * Every line is cleaned text: nothing a customer wrote can move the cursor or turn the reading direction.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { ExtBytes, type ExtValue, type License } from '../../formats/license/license.ts';
import { formatDay, formatInstant } from '../request/dates.ts';
import type { PlanItem } from './plan.ts';

const DAY_SECONDS = 86_400;

/** One line of a license: what it is called, and what it says in words. */
export type ViewRow = readonly [name: string, value: string];

function days(seconds: number): string {
  const whole = seconds / DAY_SECONDS;
  return Number.isInteger(whole) ? `${whole} day${whole === 1 ? '' : 's'}` : `${seconds} seconds`;
}

/** The last day on which the license holds, where it ends at a midnight. */
function lastDay(exp: number): string {
  return exp % DAY_SECONDS === 0 ? `${formatDay(exp - DAY_SECONDS)} (until the end of this day, UTC)` : formatInstant(exp);
}

function isExtList(value: ExtValue): value is readonly ExtValue[] {
  return Array.isArray(value);
}

function extText(value: ExtValue): string {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof ExtBytes) return `h'${value.hex}'`;
  if (isExtList(value)) return `[${value.map(extText).join(', ')}]`;
  return `{${Object.entries(value).map(([key, item]) => `${key}: ${extText(item)}`).join(', ')}}`;
}

/** A license in words, every claim that it holds. */
export function licenseRows(license: License): ViewRow[] {
  const rows: ViewRow[] = [
    ['customer', license.sub],
    ...(license.name === undefined ? [] : [['name', license.name] as const]),
    ['product', license.aud],
    ...(license.dep === undefined ? [] : [['deployment', license.dep] as const]),
    ['tier', license.tier],
    ['seats', String(license.seats)],
    ['from', formatDay(license.nbf)],
    ['until', lastDay(license.exp)],
    ...(license.grace === undefined ? [] : [['grace', days(license.grace)] as const]),
    ...(license.features.length === 0 ? [] : [['features', license.features.join(', ')] as const]),
    ...Object.entries(license.limits).map(([name, limit]) => [`limit ${name}`, String(limit)] as const),
    ...(license.instances === undefined ? [] : [['instances', String(license.instances)] as const]),
    ...(license.hosts === undefined ? [] : [['hosts', license.hosts.join(', ')] as const]),
    ...(license.offline === undefined ? [] : [['offline', days(license.offline)] as const]),
    ...(license.clk === undefined ? [] : [['resets clock', 'yes: lowers the time floor of the verifier once'] as const]),
    ...(license.ref === undefined ? [] : [['reference', license.ref] as const]),
    ...Object.entries(license.ext ?? {}).map(([name, value]) => [`ext ${name}`, extText(value)] as const),
    ['counter', String(license.ctr)],
    ['license id', license.cti],
    ['issuer', license.iss],
    ['issued at', formatInstant(license.iat)],
  ];
  return rows.map(([name, value]) => [cleanText(name), cleanText(value, 2000)]);
}

export function formatRows(rows: readonly ViewRow[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`);
}

export interface ViewContext {
  /** The last license of the same lineage, if there is one. */
  readonly previous: License | undefined;
  readonly keyName: string;
  readonly algorithm: string;
  readonly custody: string;
}

/** The view of one license: first what it replaces, then every claim, then the key. */
export function licenseView(item: PlanItem, context: ViewContext): string[] {
  const { license } = item;
  const { previous } = context;
  const first =
    previous === undefined
      ? `New customer lineage: no license of ${license.sub} for ${license.aud}${license.dep === undefined ? '' : ` (${license.dep})`} is in this ledger.`
      : `Replaces license ${previous.cti} (counter ${previous.ctr}, ${previous.tier}, ${previous.seats} seats, until ${lastDay(previous.exp)}).`;
  return [
    cleanText(first, 2000),
    '',
    ...formatRows([
      ...licenseRows(license),
      ['signed by', `${cleanText(context.keyName)} (${context.algorithm}, custody ${context.custody})`],
      ['key id', item.kid],
    ]),
  ];
}
