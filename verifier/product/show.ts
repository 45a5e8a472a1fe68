/**
 * What `vtlic-product` prints. Every text that comes from outside is escaped for a terminal. A line of a person's view
 * is one fact; the codes of notices are there for a search in docs/runtime.md.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { formatEnd, formatInstant, isPerpetual } from '../../formats/dates.ts';
import { VtlicError } from '../index.ts';
import {
  SOURCE_NAMES,
  type HostFingerprint,
  type LicenseFacts,
  type LicenseView,
  type Notice,
} from '../runtime/index.ts';

export type Outcome = 'full' | 'grace' | 'free_tier' | 'does_not_start' | 'not_applicable';

const MAX_TEXT = 4000;

const SENTENCES: Readonly<Record<Outcome, string>> = {
  full: 'full: the product starts with its license',
  grace: 'grace: the product starts with its license, which has expired',
  free_tier: 'free tier: the product starts, but without a license in force',
  does_not_start: 'refused: the product does not start',
  not_applicable: 'not applicable: no entitlement comes from a file (DEPLOYMENT_MODE is saas)',
};

export function outcomeLine(outcome: Outcome, { license, daysToExpiry, graceUntil }: LicenseView): string {
  const sentence = SENTENCES[outcome];
  if (outcome === 'grace' && graceUntil !== undefined)
    return `${sentence}; its grace ends at ${formatInstant(graceUntil)}`;
  if (outcome !== 'full' || license === undefined) return sentence;
  if (isPerpetual(license.until)) return `${sentence}, which does not expire`;
  return `${sentence}, which expires in ${daysToExpiry} ${daysToExpiry === 1 ? 'day' : 'days'}`;
}

export function statusLines(view: LicenseView): readonly string[] {
  const { entitlements, license, waiting, nextChange, installFault } = view;
  const lines: [string, string][] = [];
  if (entitlements !== undefined) {
    const { tier, seats, features, limits, instances, use } = entitlements;
    lines.push(['tier', tier], ['seats', String(seats)]);
    if (use !== undefined) lines.push(['use', `${use}, not production`]);
    if (instances !== undefined) lines.push(['instances', String(instances)]);
    if (features.length > 0) lines.push(['features', features.join(', ')]);
    for (const [name, value] of Object.entries(limits)) lines.push([`limit ${name}`, String(value)]);
  }
  if (license !== undefined) lines.push(...factLines(license));
  if (waiting !== undefined) lines.push(['waiting', `counter ${waiting.counter}, from ${formatInstant(waiting.from)}`]);
  if (nextChange !== undefined) lines.push(['next change', formatInstant(nextChange)]);
  lines.push(['read from', view.place]);
  if (installFault !== undefined) lines.push(['no install', `${installFault.sentence} (${installFault.detail})`]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `    ${name.padEnd(width)}  ${cleanText(value, MAX_TEXT)}`);
}

function factLines({ id, customer, name, deployment, counter, from, until }: LicenseFacts): [string, string][] {
  return [
    ['customer', name === undefined ? customer : `${customer} (${name})`],
    ...(deployment === undefined ? [] : [['deployment', deployment] satisfies [string, string]]),
    ['license id', id],
    ['counter', String(counter)],
    ['from', formatInstant(from)],
    ['until', formatEnd(until)],
  ];
}

export function noticeLines(
  kind: 'refused' | 'warning',
  { code, sentence, remedy, detail }: Notice,
): readonly string[] {
  return [`${kind}: ${sentence} (${code}: ${cleanText(detail, MAX_TEXT)})`, `  → ${remedy}`];
}

export function fingerprintLines({ used, candidates, absent }: HostFingerprint): readonly string[] {
  return [
    used === undefined ? 'nothing identifies this host' : `made from ${SOURCE_NAMES[used.source]}`,
    ...candidates.slice(1).map(({ source, fingerprint }) => `not used: ${fingerprint}, from ${SOURCE_NAMES[source]}`),
    ...absent.map(({ source, reason }) => `not from ${SOURCE_NAMES[source]}: ${cleanText(reason, MAX_TEXT)}`),
  ];
}

export function errorLines(error: unknown): readonly string[] {
  if (!(error instanceof VtlicError)) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : 'a value was thrown that is not an error';
    return [`vtlic-product: a defect of this program: ${cleanText(what, MAX_TEXT)}`];
  }
  const { file, field } = error.place;
  const where = [file, field].flatMap((part) => (part === undefined ? [] : [`${cleanText(part, MAX_TEXT)}: `]));
  const hint = error.hint === undefined ? [] : [`  → ${cleanText(error.hint, MAX_TEXT)}`];
  return [`vtlic-product: ${where.join('')}${cleanText(error.message, MAX_TEXT)}`, ...hint];
}
