/**
 * What an officer should look at twice: where a license differs from the one it is compared with in a way that is
 * seldom intended. These are only marks: a plan with anomalies can be signed.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { License } from '../../formats/license/license.ts';
import { formatDay, formatEnd, formatInstant, isPerpetual, PERPETUAL } from '../../formats/dates.ts';
import type { Catalog } from '../site/catalog.ts';
import { useInWords } from './plan-license.ts';
import type { Site } from '../site/site.ts';
import type { LastLicense } from './last-license.ts';

const MANY_TIMES = 10;
/** A year with a leap day may become one without. */
const TERM_SLACK_SECONDS: number = 2 * DAY_SECONDS;
const SOON_SECONDS: number = 30 * DAY_SECONDS;

/** The last license, to compare with, and its algorithm if the site knows the key. */
export function comparedWith(
  last: LastLicense | undefined,
  site: Site,
): Pick<Compared, 'previous' | 'previousAlgorithm'> {
  const key = site.config.keys.find((candidate) => candidate.publicKey.kid === last?.kid);
  return { previous: last?.license, ...(key === undefined ? {} : { previousAlgorithm: key.algorithm }) };
}

/** In the order in which a summary counts them. */
export const ANOMALY_KINDS = [
  'same again',
  'seats x10',
  'seats down',
  'shorter term',
  'ends earlier',
  'fewer updates',
  'no updates',
  'tier down',
  'features lost',
  'limits down',
  'use changed',
  'product changed',
  'deployment changed',
  'counter jump',
  'clock',
  'algorithm down',
  'perpetual with Ed25519',
  'cut by the policy',
] as const;
export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly sentence: string;
}

export interface Compared {
  readonly license: License;
  /** The customer's last license, if there is one. */
  readonly previous: License | undefined;
  /** The order of tiers is that of the catalog. */
  readonly catalog: Catalog;
  /** Of the key that will sign. */
  readonly algorithm: Algorithm;
  /** Of the key that signed the previous license, where the site knows it. */
  readonly previousAlgorithm?: Algorithm;
  /** Seconds since 1970: from when on the published keyset takes no license with only an Ed25519 signature. */
  readonly ed25519Until?: number;
}

/** Empty where there is nothing to look at twice. */
export function findAnomalies(compared: Compared): readonly Anomaly[] {
  const { license, previous } = compared;
  const found: Anomaly[] = [];
  const mark = (kind: AnomalyKind, sentence: string): void => {
    found.push(Object.freeze({ kind, sentence }));
  };
  if (previous !== undefined) {
    sameAgain(compared, previous, mark);
    seats(license, previous, mark);
    term(license, previous, mark);
    updates(license, previous, mark);
    tier(license, previous, compared.catalog, mark);
    losses(license, previous, mark);
    use(license, previous, mark);
    lineage(license, previous, mark);
    if (compared.previousAlgorithm === 'ed25519+ml-dsa-65' && compared.algorithm === 'ed25519')
      mark('algorithm down', 'the last license was signed with Ed25519 and ML-DSA-65, this one with only Ed25519');
  }
  clock(license, previous, mark);
  if (license.upd !== undefined && license.upd <= license.iat)
    mark('no updates', `its updates ended before it is issued: it covers builds dated up to ${formatEnd(license.upd)}`);
  if (isPerpetual(license.exp) && compared.algorithm === 'ed25519')
    mark(
      'perpetual with Ed25519',
      'it is perpetual and signed with only Ed25519: on the day when Ed25519 is broken, it can no longer be ' +
        'replaced in time',
    );
  if (compared.ed25519Until !== undefined && compared.algorithm === 'ed25519' && license.exp > compared.ed25519Until)
    mark(
      'cut by the policy',
      `it is signed with only Ed25519, and products that have the keyset refuse it from ` +
        `${formatDay(compared.ed25519Until)} on, before it ends: sign it with a composite key (--key NAME)`,
    );
  return Object.freeze(found);
}

type Mark = (kind: AnomalyKind, sentence: string) => void;

/**
 * Marks a license that repeats the last one: an order that was entered twice, for example. A license under a stronger
 * key is not the same again; one that only begins on another day is, because it ends when the last one does.
 */
function sameAgain({ license, algorithm, previousAlgorithm }: Compared, previous: License, mark: Mark): void {
  if (previousAlgorithm !== undefined && previousAlgorithm !== algorithm) return;
  const { cti, ctr, iat, nbf } = previous;
  const asBefore = encodeLicense({ ...license, cti, ctr, iat, nbf });
  if (!equalBytes(asBefore, encodeLicense(previous))) return;
  mark(
    'same again',
    license.nbf === nbf
      ? 'nothing but the counter differs from the last license'
      : 'nothing but the counter and the first day differs from the last license',
  );
}

function seats(license: License, previous: License, mark: Mark): void {
  const [now, before] = [license.seats, previous.seats];
  if (now === before) return;
  if (now === 'unlimited') mark('seats x10', `seats become unlimited: ${before} until now`);
  else if (before === 'unlimited') mark('seats down', `seats are no longer unlimited: ${now} from now on`);
  else if (now < before) mark('seats down', `fewer seats: ${now} instead of ${before}`);
  else if (now >= MANY_TIMES * before && before > 0)
    mark('seats x10', `${Math.floor(now / before)} times the seats: ${now} instead of ${before}`);
}

function term(license: License, previous: License, mark: Mark): void {
  if (license.exp < previous.exp)
    mark(
      'ends earlier',
      isPerpetual(previous.exp)
        ? `ends, where the last license is ${PERPETUAL}: ${formatEnd(license.exp)}`
        : `ends before the last license does: ${formatEnd(license.exp)} instead of ${formatEnd(previous.exp)}`,
    );
  // A perpetual term ends at the last time that a license can have, so its length means nothing.
  if (isPerpetual(previous.exp)) return;
  const [now, before] = [license.exp - license.nbf, previous.exp - previous.nbf];
  if (now < before - TERM_SLACK_SECONDS)
    mark('shorter term', `the term is shorter: ${inDays(now)} instead of ${inDays(before)}`);
}

function updates(license: License, previous: License, mark: Mark): void {
  const [now, before] = [license.upd, previous.upd];
  if (now === undefined || (before !== undefined && now >= before)) return;
  const from = `fewer updates: it covers builds dated up to ${formatEnd(now)}`;
  mark(
    'fewer updates',
    before === undefined ? `${from}, the last license covers every build` : `${from} instead of ${formatEnd(before)}`,
  );
}

function use(license: License, previous: License, mark: Mark): void {
  if (license.use !== previous.use)
    mark('use changed', `use changes from ${useInWords(previous)} to ${useInWords(license)}`);
}

function inDays(seconds: number): string {
  const days = Math.round(seconds / DAY_SECONDS);
  return `${days} day${days === 1 ? '' : 's'}`;
}

/** The catalog lists a product's tiers from the lowest to the highest. */
function tier(license: License, previous: License, catalog: Catalog, mark: Mark): void {
  if (license.tier === previous.tier || license.aud !== previous.aud) return;
  const order = [...(catalog.products.get(license.aud)?.tiers.keys() ?? [])];
  const [now, before] = [order.indexOf(license.tier), order.indexOf(previous.tier)];
  if (before < 0)
    mark(
      'tier down',
      `the tier of the last license, ${previous.tier}, is no longer in the catalog, so it cannot be said ` +
        `whether ${license.tier} is higher`,
    );
  else if (now < before) mark('tier down', `a lower tier: ${license.tier} instead of ${previous.tier}`);
}

function losses(license: License, previous: License, mark: Mark): void {
  const gone = previous.features.filter((feature) => !license.features.includes(feature));
  if (gone.length > 0)
    mark('features lost', `features that the last license has and this one has not: ${gone.join(', ')}`);
  for (const [name, before] of Object.entries(previous.limits)) {
    const now = license.limits[name];
    if (now === undefined) mark('limits down', `the limit ${name} is gone; the last license has ${before}`);
    else if (now < before) mark('limits down', `the limit ${name} is lower: ${now} instead of ${before}`);
  }
}

function lineage(license: License, previous: License, mark: Mark): void {
  if (license.aud !== previous.aud)
    mark(
      'product changed',
      `another product than in the last license: ${license.aud} instead of ${previous.aud}; the counter is that ` +
        'of another lineage',
    );
  if (license.dep !== previous.dep)
    mark(
      'deployment changed',
      `another deployment than in the last license: ${license.dep ?? 'none'} instead of ` +
        `${previous.dep ?? 'none'}; the counter is that of another lineage`,
    );
  if (license.aud !== previous.aud || license.dep !== previous.dep) return;
  if (license.ctr > previous.ctr + 1)
    mark(
      'counter jump',
      `the counter jumps from ${previous.ctr} to ${license.ctr}: those between were reserved and came to no license`,
    );
}

function clock(license: License, previous: License | undefined, mark: Mark): void {
  if (license.clk === true) mark('clock', 'it resets the clock of the verifiers that take it');
  if (previous !== undefined && license.iat < previous.iat)
    mark(
      'clock',
      `it is issued at ${formatInstant(license.iat)}, before the last license (${formatInstant(previous.iat)})`,
    );
  if (license.exp - license.iat < SOON_SECONDS)
    mark('clock', `it ends within ${inDays(SOON_SECONDS)}: ${formatEnd(license.exp)}`);
  if (previous !== undefined && license.nbf > previous.exp)
    mark(
      'clock',
      `there is a gap: the last license ends ${formatEnd(previous.exp)}, this one begins ${formatDay(license.nbf)}`,
    );
  else if (previous === undefined && license.nbf - license.iat > SOON_SECONDS)
    mark('clock', `it begins only on ${formatDay(license.nbf)}, more than ${inDays(SOON_SECONDS)} from now`);
}
