/** The licenses that customers have, and those that they will get: renewals before each end, and a reissue of all. */
import { isPerpetual } from '../../formats/dates.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { License } from '../../formats/license/license.ts';
import { kidOfKey } from '../keyset/changes.ts';
import type { FieldLicense } from '../rotation/field-licenses.ts';
import { futureDigest, type DatedVersion } from './planned-versions.ts';

export interface IssuingRules {
  /** Seconds since 1970: from then on the simulation issues. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
  /** How long before its end a license is renewed. */
  readonly renewDays: number;
  /** Seconds since 1970: on this day every license is reissued with the key that signs then. */
  readonly reissueOn?: number;
}

/** A shorter term, of a test for example, would be renewed daily. */
const SHORTEST_TERM = 28 * DAY_SECONDS;

/**
 * The key that signs for a product and tier on a day: of the active ones, the one that became active last, and of these
 * a composite first. undefined where there is none.
 */
export function signingKid(
  versions: readonly DatedVersion[],
  at: number,
  { aud, tier }: Pick<License, 'aud' | 'tier'>,
): string | undefined {
  const known = versions.filter(({ from }) => from <= at);
  const activeSince = (kid: string): number => {
    let since = known.length;
    for (let i = known.length - 1; i >= 0 && isActive(known[i], kid); i--) since = i;
    return since;
  };
  const usable = (known.at(-1)?.keyset.keys ?? [])
    .filter(
      ({ purpose, status, products, tiers }) =>
        purpose === 'license' &&
        status === 'active' &&
        products?.includes(aud) !== false &&
        tiers?.includes(tier) !== false,
    )
    .map((key) => ({ kid: kidOfKey(key), isComposite: key.alg !== 'ed25519', since: activeSince(kidOfKey(key)) }));
  return usable.toSorted((a, b) => b.since - a.since || Number(b.isComposite) - Number(a.isComposite))[0]?.kid;
}

function isActive(version: DatedVersion | undefined, kid: string): boolean {
  return version?.keyset.keys.some((key) => key.status === 'active' && kidOfKey(key) === kid) === true;
}

/** Asks for the signing key once for each day, product and tier. */
export class FutureLicenses {
  readonly #versions: readonly DatedVersion[];
  readonly #rules: IssuingRules;
  readonly #kids = new Map<string, string | undefined>();
  /** Days (seconds since 1970) on which nothing could be signed. */
  readonly withoutKey: Set<number> = new Set<number>();

  constructor(versions: readonly DatedVersion[], rules: IssuingRules) {
    this.#versions = versions;
    this.#rules = rules;
  }

  /**
   * @param had the licenses of one lineage, ascending
   * @returns these and the ones to come, ascending
   */
  after(had: readonly FieldLicense[]): readonly FieldLicense[] {
    const { until, renewDays, reissueOn } = this.#rules;
    const all = [...had];
    let isReissued = reissueOn === undefined;
    for (;;) {
      const last = all.at(-1);
      if (last === undefined) return all;
      const renewal = isRenewed(last.license)
        ? Math.max(last.license.exp - renewDays * DAY_SECONDS, last.license.nbf)
        : Number.POSITIVE_INFINITY;
      const reissue = isReissued ? Number.POSITIVE_INFINITY : (reissueOn ?? 0);
      const at = Math.max(Math.min(renewal, reissue), this.#rules.from);
      if (at >= until) return all;
      if (reissue <= renewal) isReissued = true;
      if (reissue <= renewal && last.license.exp <= at) continue;
      const kid = this.#kidAt(at, last.license);
      if (kid === undefined) {
        this.withoutKey.add(at - (at % DAY_SECONDS));
        if (reissue <= renewal) continue;
        return all;
      }
      all.push(this.#next(last.license, kid, at, reissue <= renewal));
    }
  }

  #next(last: License, kid: string, at: number, isReissue: boolean): FieldLicense {
    const term = Math.max(last.exp - last.nbf, SHORTEST_TERM);
    const times = isReissue ? { nbf: Math.max(last.nbf, at) } : { nbf: last.exp, exp: last.exp + term };
    return Object.freeze({
      license: Object.freeze({ ...last, ...times, iat: at, ctr: last.ctr + 1, cti: '' }),
      kid,
      payloadDigest: futureDigest(kid),
      delivered: at,
    });
  }

  #kidAt(at: number, license: License): string | undefined {
    const day = at - (at % DAY_SECONDS);
    const name = `${day} ${license.aud} ${license.tier}`;
    if (!this.#kids.has(name)) this.#kids.set(name, signingKid(this.#versions, at, license));
    return this.#kids.get(name);
  }
}

/** A trial and an emergency license end, and a perpetual one does not. */
function isRenewed({ use, exp }: License): boolean {
  return use !== 'trial' && use !== 'emergency' && !isPerpetual(exp);
}
