/**
 * A rotation before it is done: for every day, which installs in the field would refuse which licenses.
 *
 * The judgment is the verifier's own (`verifier/policy.ts`). If an install may have one of several versions of the
 * keyset, since files are delivered by people, each of them is judged and the worst counts.
 */
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { judgePlanned, lineageKey, type Reason, type Trust } from '../../verifier/index.ts';
import type { FieldLicense } from '../rotation/field-licenses.ts';
import { mayFollow, type Release } from '../rotation/releases.ts';
import { FutureLicenses, type IssuingRules } from './future-licenses.ts';
import { trustOfInstall, type KeyOfKid } from './install-trust.ts';
import type { DatedVersion } from './planned-versions.ts';

export interface SimulationInput extends IssuingRules {
  /** Published and planned, ascending. */
  readonly versions: readonly DatedVersion[];
  readonly releases: readonly Release[];
  /** The licenses of each lineage, ascending by counter. */
  readonly lineages: Iterable<readonly FieldLicense[]>;
  readonly keyOfKid: KeyOfKid;
  /** Called from time to time. */
  readonly progress?: (lineages: number) => void;
}

/** For some days, an install of a release refuses the license of a customer, who has no other. */
export interface RefusedSpan {
  readonly lineage: string;
  readonly release: string;
  /** Seconds since 1970: the first day, and the one after the last. */
  readonly from: number;
  readonly until: number;
  readonly reason: Reason;
  /** Of the license, or that of the key where it is not signed yet. */
  readonly kid: string;
}

export interface Simulation {
  readonly from: number;
  readonly until: number;
  readonly lineages: number;
  readonly versions: readonly DatedVersion[];
  readonly releases: readonly Release[];
  readonly refused: readonly RefusedSpan[];
  /** Days on which a renewal was due and no key was active for it. */
  readonly withoutKey: readonly number[];
}

const PROGRESS_EVERY = 500;

export function simulate(input: SimulationInput): Simulation {
  const from = input.from - (input.from % DAY_SECONDS);
  const future = new FutureLicenses(input.versions, input);
  const fields = input.releases.map((release) => new Field(release, input));
  const refused: RefusedSpan[] = [];
  let lineages = 0;
  for (const had of input.lineages) {
    const [first] = had;
    if (first === undefined) continue;
    lineages++;
    if (lineages % PROGRESS_EVERY === 0) input.progress?.(lineages);
    const licenses = future.after(had);
    for (const field of fields)
      if (field.release.product === first.license.aud) refused.push(...field.refusedSpans(licenses, from, input.until));
  }
  return Object.freeze({
    from,
    until: input.until,
    lineages,
    versions: input.versions,
    releases: input.releases,
    refused: Object.freeze(refused.toSorted((a, b) => a.from - b.from)),
    withoutKey: Object.freeze([...future.withoutKey].toSorted((a, b) => a - b)),
  });
}

/** One release in the field. */
class Field {
  readonly release: Release;
  readonly #versions: readonly DatedVersion[];
  /** The version that is built in, by its place; undefined for a release without keysets. */
  readonly #builtIn: number | undefined;
  readonly #keyOfKid: KeyOfKid;
  readonly #trusts = new Map<number | undefined, Trust>();

  constructor(release: Release, { versions, keyOfKid }: SimulationInput) {
    this.release = release;
    this.#versions = versions;
    this.#keyOfKid = keyOfKid;
    this.#builtIn = placeOfBuiltIn(release, versions);
  }

  /** Of one customer, merged where days touch. */
  refusedSpans(licenses: readonly FieldLicense[], from: number, until: number): readonly RefusedSpan[] {
    const start = Math.max(from, this.release.from);
    const end = Math.min(until, this.release.until ?? until);
    const spans: RefusedSpan[] = [];
    let accepted = 0;
    for (const [at, next] of this.#intervals(licenses, start, end)) {
      const held = licenses.filter(
        ({ delivered, license: { nbf, exp, ctr } }) => delivered <= at && nbf <= at && at < exp && ctr >= accepted,
      );
      const newest = held.at(-1);
      if (newest === undefined) continue;
      let refusal: Reason | undefined;
      for (const version of this.#versionsAt(licenses, at)) {
        const trust = this.#trustOf(version);
        const reasons = held.map((each) => judgePlanned(each, trust, at)?.reason);
        const best = held[reasons.lastIndexOf(undefined)];
        if (best === undefined) refusal = reasons.at(-1);
        else accepted = Math.max(accepted, best.license.ctr);
      }
      if (refusal !== undefined) addSpan(spans, this.#span(newest, at, next, refusal));
    }
    return spans;
  }

  #span({ license, kid }: FieldLicense, at: number, next: number, reason: Reason): RefusedSpan {
    return {
      lineage: lineageKey(license),
      release: this.release.name,
      from: at - (at % DAY_SECONDS),
      until: Math.ceil(next / DAY_SECONDS) * DAY_SECONDS,
      reason,
      kid,
    };
  }

  /** The times between which nothing changes for a customer. */
  *#intervals(licenses: readonly FieldLicense[], start: number, end: number): Generator<readonly [number, number]> {
    const times = new Set([start]);
    const add = (time: number | undefined): void => {
      if (time !== undefined && time > start && time < end) times.add(time);
    };
    for (const { from, keyset } of this.#versions) {
      add(from);
      add(keyset.ed25519Until);
    }
    for (const { delivered, license } of licenses) {
      add(delivered);
      add(license.nbf);
      add(license.exp);
    }
    const sorted = [...times].toSorted((a, b) => a - b);
    for (const [i, time] of sorted.entries()) if (time < end) yield [time, sorted[i + 1] ?? end];
  }

  /**
   * The versions that an install may have, by their places: at least what is built in and what it got with its last
   * license, at most the newest that is published.
   */
  #versionsAt(licenses: readonly FieldLicense[], at: number): readonly (number | undefined)[] {
    const builtIn = this.#builtIn;
    if (builtIn === undefined || !this.release.takesKeysets) return [builtIn];
    const delivered = licenses.findLast((license) => license.delivered <= at)?.delivered ?? 0;
    const newestAt = (time: number): number => this.#versions.findLastIndex(({ from }) => from <= time);
    const last = this.#lastTaken(builtIn);
    const lowest = Math.min(last, Math.max(builtIn, newestAt(delivered)));
    const highest = Math.min(last, Math.max(builtIn, newestAt(at)));
    return Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  }

  /** The place of the last version that an install takes one after the other. */
  #lastTaken(builtIn: number): number {
    const refused = this.#versions.findIndex(
      ({ keyset }, i) => i > builtIn && !mayFollow(this.release, this.#versions[i - 1]?.keyset, keyset),
    );
    return refused === -1 ? this.#versions.length - 1 : refused - 1;
  }

  #trustOf(version: number | undefined): Trust {
    const known = this.#trusts.get(version);
    if (known !== undefined) return known;
    const keyset: Keyset | undefined = version === undefined ? undefined : this.#versions[version]?.keyset;
    const trust = trustOfInstall(this.release, keyset, this.#keyOfKid);
    this.#trusts.set(version, trust);
    return trust;
  }
}

function placeOfBuiltIn(release: Release, versions: readonly DatedVersion[]): number | undefined {
  const { builtIn, name } = release;
  if ('keys' in builtIn) return undefined;
  const place = versions.findIndex(({ keyset }) => keyset.version === builtIn.keyset);
  const version = versions[place];
  // A published version may be older than the record of it.
  if (version !== undefined && (version.steps.length === 0 || version.from <= release.from)) return place;
  if (version !== undefined)
    throw new VtlicError(
      'configuration_invalid',
      `the release ${name} is in the field from ${formatDay(release.from)} on with version ${builtIn.keyset} of the ` +
        `keyset, but the plan makes this version only on ${formatDay(version.from)}`,
      { field: 'from', hint: 'correct releases.json, or the plan' },
    );
  throw new VtlicError(
    'configuration_invalid',
    `the release ${name} has version ${builtIn.keyset} of the keyset built in, which is neither published nor planned`,
    { field: 'keyset', hint: 'correct releases.json, or adopt the chain: vtlic keyset adopt CHAIN' },
  );
}

function addSpan(spans: RefusedSpan[], span: RefusedSpan): void {
  const last = spans.at(-1);
  if (last !== undefined && last.until >= span.from && last.reason === span.reason && last.kid === span.kid)
    spans[spans.length - 1] = { ...last, until: Math.max(last.until, span.until) };
  else spans.push(span);
}
