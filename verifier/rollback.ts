/**
 * Lineages, and rollback protection as a pure function of what was accepted before (docs/format.md, "State, counter,
 * time").
 */
import { formatInstant } from '../formats/dates.ts';
import { VtlicError } from '../formats/error.ts';
import type { License } from '../formats/license/license.ts';
import { refuse, type Accepted, type Refused, type Standing } from './verdict.ts';

/**
 * The lineage in which a counter counts, as one text: `iss/aud/sub`, or `iss/aud/sub/dep` for a license with a
 * deployment. An id has no slash, so two lineages never share a text, and an absent dep is a value of its own.
 */
export function lineageKey(license: Pick<License, 'iss' | 'aud' | 'sub' | 'dep'>): string {
  const { iss, aud, sub, dep } = license;
  return dep === undefined ? `${iss}/${aud}/${sub}` : `${iss}/${aud}/${sub}/${dep}`;
}

export interface SeenLineage {
  /** The highest counter accepted, and the digest of the payload that had it. */
  readonly counter: number;
  readonly payloadDigest: string;
}

/** What was accepted before. Undefined if nothing was ever accepted. */
export interface Seen {
  /** The lineage (`lineageKey`) accepted last. */
  readonly current: string;
  /** The highest iat accepted. */
  readonly highestIat: number;
  /** Every lineage ever accepted. */
  readonly lineages: ReadonlyMap<string, SeenLineage>;
}

/**
 * A license of the current lineage is judged only by its counter. A license of any other one must have an iat above the
 * highest accepted, and then its counter is judged. Otherwise somebody could change to an old license of another
 * deployment, and back.
 */
export function judgeRollback(license: License, payloadDigest: string, seen: Seen | undefined): Refused | Standing {
  if (seen === undefined) return 'first';
  const lineage = lineageKey(license);
  const isCurrent = lineage === seen.current;
  if (!isCurrent && license.iat <= seen.highestIat) {
    return refuse(
      'lineage_not_newer',
      `it was issued at ${formatInstant(license.iat)}, and one that was issued at ${formatInstant(seen.highestIat)} ` +
        `was accepted before (${seen.current})`,
      { field: 'iat' },
      { issued: license.iat, highest: seen.highestIat },
    );
  }
  const known = seen.lineages.get(lineage);
  if (known === undefined) return 'other_lineage';
  if (license.ctr < known.counter) {
    return refuse(
      'counter_rolled_back',
      `its counter is ${license.ctr}, and ${known.counter} was accepted before`,
      {
        field: 'ctr',
      },
      { counter: license.ctr, accepted: known.counter },
    );
  }
  if (license.ctr > known.counter) return isCurrent ? 'newer' : 'other_lineage';
  if (payloadDigest === known.payloadDigest) return 'same';
  return refuse(
    'counter_conflict',
    `its counter is ${license.ctr}, and another license with this counter was accepted before`,
    {
      field: 'ctr',
    },
    { counter: license.ctr },
  );
}

/**
 * The new `Seen` after the license was accepted. Counters never go down; a license with `clk` that applied lowers the
 * highest iat to its own.
 *
 * @throws VtlicError `usage` for a license that is not in force: it must not be recorded as seen
 */
export function seenAfter(seen: Seen | undefined, accepted: Accepted): Seen {
  if (accepted.state !== 'active' && accepted.state !== 'grace') {
    throw new VtlicError('usage', `only a license in force may be recorded as seen, but this one is ${accepted.state}`);
  }
  const { license, lineage, payloadDigest, resetsClock } = accepted;
  const lineages = new Map(seen?.lineages);
  const known = lineages.get(lineage);
  if (known === undefined || known.counter < license.ctr)
    lineages.set(lineage, Object.freeze({ counter: license.ctr, payloadDigest }));
  const highestIat = resetsClock ? license.iat : Math.max(seen?.highestIat ?? 0, license.iat);
  return Object.freeze({ current: lineage, highestIat, lineages });
}
