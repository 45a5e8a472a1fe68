/**
 * What you see is what you sign: the officer reads the claims parsed back from the exact bytes that will be signed,
 * and their differences from the previous license, before typing `Yes`.
 *
 * Every line is cleaned text: nothing a customer wrote can move the cursor or turn the reading direction.
 */
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { ExtBytes, type ExtValue, type License } from '../../formats/license/license.ts';
import { formatDay, formatInstant, formatLastDay, isPerpetual, PERPETUAL } from '../../formats/dates.ts';
import type { Anomaly } from '../plan/anomalies.ts';
import type { PlanItem } from '../plan/plan.ts';

const UNTIL_NOTE = { day: 'until the end of this day, UTC', moment: '' };
const UPDATES_NOTE = { day: 'builds dated up to this day', moment: 'builds dated before this moment' };
const NOTE = / \([a-zA-Z, ]+\)$/;

/** One line of a license: what it is called, and what it says in words. */
export type ViewRow = readonly [name: string, value: string];

function days(seconds: number): string {
  const whole = seconds / DAY_SECONDS;
  return Number.isInteger(whole) ? `${whole} day${whole === 1 ? '' : 's'}` : `${seconds} seconds`;
}

/** The last day on which the license is valid, where it ends at a midnight. */
function lastDay(exp: number): string {
  return isPerpetual(exp) ? PERPETUAL : formatLastDay(exp, UNTIL_NOTE);
}

function isExtList(value: ExtValue): value is readonly ExtValue[] {
  return Array.isArray(value);
}

function extText(value: ExtValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof ExtBytes) return `h'${value.hex}'`;
  if (isExtList(value)) return `[${value.map(extText).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}: ${extText(item)}`)
    .join(', ')}}`;
}

/** A license in words, with every claim in it. */
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
    ...(license.upd === undefined ? [] : [['updates until', formatLastDay(license.upd, UPDATES_NOTE)] as const]),
    ...(license.use === undefined ? [] : [['use', license.use] as const]),
    ...(license.features.length === 0 ? [] : [['features', license.features.join(', ')] as const]),
    ...Object.entries(license.limits).map(([name, limit]) => [`limit ${name}`, String(limit)] as const),
    ...(license.instances === undefined ? [] : [['instances', String(license.instances)] as const]),
    ...(license.hosts === undefined ? [] : [['hosts', license.hosts.join(', ')] as const]),
    ...(license.offline === undefined ? [] : [['offline', days(license.offline)] as const]),
    ...(license.clk === undefined
      ? []
      : [['resets clock', 'yes: lowers the time floor of the verifier once'] as const]),
    ...(license.ref === undefined ? [] : [['reference', license.ref] as const]),
    ...Object.entries(license.ext ?? {}).map(([name, value]) => [`ext ${name}`, extText(value)] as const),
    ['counter', String(license.ctr)],
    ['license id', license.cti],
    ['issuer', license.iss],
    ['issued at', formatInstant(license.iat)],
  ];
  return rows.map(([name, value]) => [cleanText(name), cleanText(value, WHOLE)]);
}

/** @param indent blanks before each line */
export function formatRows(rows: readonly ViewRow[], indent = 2): string[] {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const margin = ' '.repeat(indent);
  return rows.flatMap(([name, value]) => {
    // Broken here and not by the terminal: no value can look like a row of its own.
    const [first = '', ...rest] = pieces(value, Math.max(MIN_COLUMNS, COLUMNS - width - indent));
    return [
      `${margin}${name.padEnd(width)}${first}`,
      ...rest.map((piece) => `${margin}${' '.repeat(width - 2)}| ${piece}`),
    ];
  });
}

/** Every claim is shown whole. */
const WHOLE = Number.MAX_SAFE_INTEGER;
const COLUMNS = 80;
/** A key id fits. */
const MIN_COLUMNS = 64;

/** The first character that a terminal may draw two columns wide. */
const FIRST_WIDE = 0x1100;

/** Rather too short than too long: a character that may be wide counts as wide. */
function pieces(value: string, columns: number): string[] {
  const out: string[] = [];
  let piece = '';
  let filled = 0;
  for (const character of value) {
    const width = (character.codePointAt(0) ?? 0) < FIRST_WIDE ? 1 : 2;
    if (filled + width > columns) {
      out.push(piece);
      piece = '';
      filled = 0;
    }
    piece += character;
    filled += width;
  }
  return [...out, piece];
}

/** The members with which the JSON of a license in a list begins: whose it is, and what it grants. */
export function grantMembers(license: License): Readonly<Record<string, unknown>> {
  return {
    customer: license.sub,
    ...(license.name === undefined ? {} : { name: license.name }),
    product: license.aud,
    ...(license.dep === undefined ? {} : { deployment: license.dep }),
    tier: license.tier,
    seats: license.seats,
    ...(license.use === undefined ? {} : { use: license.use }),
    ...(license.ref === undefined ? {} : { reference: license.ref }),
  };
}

export interface ViewContext {
  /**
   * The license with which it is compared: the last of the lineage, else another of the customer; undefined for a new
   * customer.
   */
  readonly previous: License | undefined;
  readonly anomalies: readonly Anomaly[];
  readonly keyName: string;
  readonly algorithm: string;
  readonly custody: string;
}

/**
 * The view of one license: what it replaces, what to look at twice, then every claim beside what it was, then the key.
 */
export function licenseView(item: PlanItem, context: ViewContext): string[] {
  const { license } = item;
  const { previous, anomalies } = context;
  return [
    cleanText(firstLine(license, previous), 2000),
    ...(anomalies.length === 0
      ? []
      : ['', 'Look at this twice:', ...anomalies.map(({ sentence }) => `  ! ${cleanText(sentence, 2000)}`)]),
    '',
    ...formatRows([
      ...(previous === undefined
        ? licenseRows(license).map(([name, value]) => [`  ${name}`, value] as const)
        : diffRows(previous, license)),
      ['  signed by', `${cleanText(context.keyName)} (${context.algorithm}, custody ${context.custody})`],
      ['  key id', item.kid],
    ]),
  ];
}

function lineageInWords(license: License): string {
  return `${license.sub} for ${license.aud}${license.dep === undefined ? '' : ` (${license.dep})`}`;
}

function firstLine(license: License, previous: License | undefined): string {
  if (previous === undefined)
    return `New customer lineage: no license of ${lineageInWords(license)} is in this ledger.`;
  const last =
    `license ${previous.cti} (counter ${previous.ctr}, ${previous.tier}, ${previous.seats} seats, ` +
    `${isPerpetual(previous.exp) ? PERPETUAL : `until ${lastDay(previous.exp)}`})`;
  if (license.aud === previous.aud && license.dep === previous.dep) return `Replaces ${last}.`;
  return (
    `Begins or continues the lineage of ${lineageInWords(license)}. Compared with the customer's last license, of ` +
    `${lineageInWords(previous)}: ${last}.`
  );
}

/**
 * The lines of the new license, and those that are gone. `~` marks what changed, `+` what is new, `-` what is gone;
 * what it was is on a line of its own, so that no value can pretend to be it. The issuer's own marks (id, issue
 * time) change with every license and carry no sign.
 */
function diffRows(previous: License, license: License): ViewRow[] {
  const before = new Map(licenseRows(previous));
  const rows: ViewRow[] = [];
  const now = licenseRows(license);
  for (const [name, value] of now) {
    const old = before.get(name);
    if (old === value || ALWAYS_NEW.has(name)) rows.push([`  ${name}`, value]);
    else if (old === undefined) rows.push([`+ ${name}`, value]);
    else rows.push([`~ ${name}`, value], ['    was', `${withoutNote(name, old)}${howFar(name, previous, license)}`]);
  }
  const names = new Set(now.map(([name]) => name));
  for (const [name, old] of before) if (!names.has(name)) rows.push([`- ${name}`, ''], ['    was', old]);
  return rows;
}

const ALWAYS_NEW: ReadonlySet<string> = new Set(['license id', 'issued at']);

/** The note is said once, with the new value. */
function withoutNote(name: string, value: string): string {
  return name === 'until' || name === 'updates until' ? value.replace(NOTE, '') : value;
}

/** The new and the old time of a row, between which a distance means something. */
function timesOf(name: string, previous: License, license: License): readonly [number, number] {
  if (name === 'from') return [license.nbf, previous.nbf];
  if (name === 'updates until') return [license.upd ?? 0, previous.upd ?? 0];
  return name === 'until' && !isPerpetual(license.exp) && !isPerpetual(previous.exp)
    ? [license.exp, previous.exp]
    : [0, 0];
}

/** The distance that a person would otherwise work out. */
function howFar(name: string, previous: License, license: License): string {
  const [key, other] = timesOf(name, previous, license);
  if (key !== other) return ` (now ${days(Math.abs(key - other))} ${key > other ? 'later' : 'earlier'})`;
  if (name === 'seats' && typeof license.seats === 'number' && typeof previous.seats === 'number') {
    const more = license.seats - previous.seats;
    return ` (now ${more > 0 ? `${more} more` : `${-more} fewer`})`;
  }
  return '';
}
