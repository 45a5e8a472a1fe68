/**
 * Which steps of a new version come too early: a product in the field would refuse a license that the step leads to,
 * no key would be left that signs, or a customer would be left without a license. Such a step is done only with a
 * reason, which stays on record with the version (`early-reasons.ts`).
 */
import { formatDay, formatEnd, isPerpetual, PERPETUAL } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { License } from '../../formats/license/license.ts';
import { kidOfKey, type StatusChange, statusChanges } from '../keyset/changes.ts';
import { countedCustomers, type KeysetStep } from '../keyset/draft.ts';
import type { PublishedVersion } from '../keyset/published.ts';
import { lineageOf, lineageText } from '../ledger/index.ts';
import { isPolicyStricter, type LeftWithout } from './left-without.ts';
import { mayFollow, type Release } from './releases.ts';
import { containsAll, isSignedFor, type Sold, signsAt, unsigned } from './signing-keys.ts';

export interface EarlyFinding {
  readonly step: KeysetStep;
  readonly kid?: string;
  /**
   * What is not ready: releases; or nobody knows which are in the field; or no other key would sign; or customers have
   * no other license.
   */
  readonly cause: 'releases' | 'unknown-field' | 'last-key' | 'customers';
  /** Names of the releases that are not ready. */
  readonly releases: readonly string[];
  /** How many customers would be left without a license. */
  readonly customers?: number;
  readonly sentence: string;
  /** What to do instead. */
  readonly hint?: string;
  /**
   * Seconds since 1970: from when on the step is no longer early, if the releases leave the field on their last days.
   */
  readonly readyAt?: number;
}

export interface Field {
  /** undefined: there is no releases.json. */
  readonly releases: readonly Release[] | undefined;
  readonly versions: readonly PublishedVersion[];
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds since 1970: until when `versions` are all that there are, where the step is judged for a later day. */
  readonly publishedUntil?: number;
  /** Installs that take keysets from a file get this version together with their licenses. */
  readonly isEmergency: boolean;
  /** The products that the catalog sells; none where nobody knows. */
  readonly sold: Sold;
  /** The customers whom the version leaves without a license, as the ledger says. */
  readonly leftWithout?: readonly LeftWithout[];
  /** How people call a key. */
  readonly nameOfKey?: (kid: string) => string | undefined;
}

/** What a release knows of a key: for which products and tiers it takes its licenses; absent: every one. */
type KnownAs = Pick<IssuingKey, 'products' | 'tiers'>;

/**
 * What the release, as it was built, knows of a key that signs licenses; undefined where it refuses all that it signs.
 *
 * @throws VtlicError `configuration_invalid` for a release in the field with a version that is not published
 */
function knownAs(release: Release, key: IssuingKey, after: Keyset, field: Field): KnownAs | undefined {
  if (release.requireComposite && key.alg === 'ed25519') return undefined;
  const kid = kidOfKey(key);
  if (release.override !== undefined) return release.override.includes(kid) ? {} : undefined;
  const { builtIn } = release;
  if ('keys' in builtIn) return builtIn.keys.includes(kid) ? {} : undefined;
  const known = builtInKeyset(release, builtIn.keyset, after, field).keys.find((other) => kidOfKey(other) === kid);
  if (known === undefined || known.status === 'revoked' || !isSignedFor(known, release.product)) return undefined;
  return known;
}

/** A release that ships later may have the version that is made now, or one after it, which has the same keys. */
function builtInKeyset(
  release: Release,
  version: number,
  after: Keyset,
  { versions, now, publishedUntil = now }: Field,
): Keyset {
  const published = versions.find((candidate) => candidate.version === version);
  if (published !== undefined) return published.keyset;
  if (release.from > publishedUntil && version >= after.version) return after;
  throw new VtlicError(
    'configuration_invalid',
    `the release ${release.name} has version ${version} of the keyset built in, which this site does not know`,
    { field: 'keyset', hint: 'correct releases.json, or adopt the chain: vtlic keyset adopt CHAIN' },
  );
}

/** All steps between two versions that come too early. */
export function findEarly(before: Keyset | undefined, after: Keyset, field: Field): readonly EarlyFinding[] {
  const findings = statusChanges(before, after).flatMap((change): readonly EarlyFinding[] => {
    const { kid, key, from, to } = change;
    if (key.purpose !== 'license') return [];
    if (to === 'active') return early(activation(kid, key, after, field), before, field);
    if (from === undefined || to === 'pre-published') return [];
    const step = to === 'revoked' ? 'revoke' : 'retire';
    return [
      ...early(ending(kid, key, step, after, field), before, field),
      ...lastKey(step, change, { before, after }, field),
    ];
  });
  return isPolicyStricter(before, after) ? [...findings, ...policyFindings(before, after, field)] : findings;
}

interface Judged {
  readonly step: KeysetStep;
  readonly kid?: string;
  readonly notReady: readonly Release[];
  readonly why: string;
}

/** @returns no finding where every release is ready; one without releases where nothing is known of the field */
function early(judged: Judged, before: Keyset | undefined, { releases, now }: Field): readonly EarlyFinding[] {
  const { step, kid, notReady, why } = judged;
  const common = { step, ...(kid === undefined ? {} : { kid }) };
  const what = step === 'policy' ? 'for the policy' : `to ${step} the key ${(kid ?? '').slice(0, 16)}…`;
  if (releases === undefined)
    return before === undefined
      ? []
      : [
          Object.freeze({
            ...common,
            cause: 'unknown-field',
            releases: [],
            sentence: `${what}: there is no releases.json, so nobody can say what products in the field know`,
          }),
        ];
  if (notReady.length === 0) return [];
  const names = notReady.map(({ name }) => name);
  const ends = notReady.map(({ until }) => until ?? Number.POSITIVE_INFINITY);
  const readyAt = Math.max(...ends);
  const where = notReady.every(({ from }) => from <= now) ? 'in the field' : 'in the field, or ships later,';
  return [
    Object.freeze({
      ...common,
      cause: 'releases',
      releases: Object.freeze(names),
      sentence: `${what}: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} ${where} and ${why}`,
      ...(Number.isFinite(readyAt) ? { readyAt } : {}),
    }),
  ];
}

/** The releases that are in the field at that time, and those that ship later. */
function inFieldFrom(at: number, { releases = [] }: Field): readonly Release[] {
  return releases.filter(({ until }) => until === undefined || at < until);
}

/** An install that gets a keyset with its license knows each key of it, if it takes the keyset. */
function isDelivered(release: Release, after: Keyset, { isEmergency, versions }: Field): boolean {
  if (!isEmergency || !release.takesKeysets || release.override !== undefined) return false;
  const { builtIn } = release;
  const chain = versions.filter(({ version }) => !('keyset' in builtIn) || version >= builtIn.keyset);
  return [...chain.map(({ keyset }) => keyset), after].every((next, i, all) => mayFollow(release, all[i - 1], next));
}

function activation(kid: string, key: IssuingKey, after: Keyset, field: Field): Judged {
  const notReady = inFieldFrom(Math.max(field.now, key.from ?? 0), field).filter((release) => {
    if (!isSignedFor(key, release.product) || isDelivered(release, after, field)) return false;
    const known = knownAs(release, key, after, field);
    return known === undefined || !containsAll(known.tiers, key.tiers);
  });
  return { step: 'activate', kid, notReady, why: 'would not know a license that it signs' };
}

/** What the key signed, and no other key would sign. */
function lastKey(
  step: 'retire' | 'revoke',
  { kid, key, from }: StatusChange,
  { before, after }: { readonly before: Keyset | undefined; readonly after: Keyset },
  { sold, now }: Field,
): readonly EarlyFinding[] {
  const at = Math.max(now, key.from ?? 0);
  if (from !== 'active' || before === undefined || !signsAt({ ...key, status: from }, before, at)) return [];
  const nobody = unsigned([key], after, at, sold);
  if (nobody === undefined) return [];
  const sentence = `to ${step} the key ${kid.slice(0, 16)}…: no other key would sign licenses${nobody}`;
  return [Object.freeze({ step, kid, cause: 'last-key', releases: [], sentence })];
}

/** After a retirement or a revocation other active keys must be known wherever this one was, for all of its tiers. */
function ending(kid: string, key: IssuingKey, step: 'retire' | 'revoke', after: Keyset, field: Field): Judged {
  const notReady = inFieldFrom(field.now, field).filter(
    (release) =>
      isSignedFor(key, release.product) &&
      knownAs(release, key, after, field) !== undefined &&
      !isDelivered(release, after, field) &&
      !signTiers(release, key.tiers, after, field),
  );
  return { step, kid, notReady, why: 'would know no key that still signs' };
}

/** Whether the active keys that the release knows sign licenses of all these tiers; absent: of every tier. */
function signTiers(release: Release, tiers: readonly string[] | undefined, after: Keyset, field: Field): boolean {
  const others = after.keys.flatMap((other): readonly (readonly string[] | undefined)[] => {
    if (!isSignedFor(other, release.product) || !signsAt(other, after, field.now)) return [];
    const known = knownAs(release, other, after, field);
    if (known === undefined) return [];
    return [
      known.tiers === undefined ? other.tiers : known.tiers.filter((tier) => other.tiers?.includes(tier) ?? true),
    ];
  });
  return (
    others.includes(undefined) ||
    containsAll(
      others.flatMap((some) => some ?? []),
      tiers,
    )
  );
}

function policyFindings(before: Keyset | undefined, after: Keyset, field: Field): readonly EarlyFinding[] {
  const { requireComposite, ed25519Until } = after;
  const at = requireComposite ? field.now : Math.max(field.now, ed25519Until ?? 0);
  const notReady = inFieldFrom(at, field).filter(
    (release) =>
      !isDelivered(release, after, field) &&
      !after.keys.some(
        (key) =>
          key.alg !== 'ed25519' &&
          key.status === 'active' &&
          isSignedFor(key, release.product) &&
          knownAs(release, key, after, field) !== undefined,
      ),
  );
  return [
    ...early({ step: 'policy', notReady, why: 'would know no composite key that signs' }, before, field),
    ...noKeyUnderPolicy(after, at, field),
    ...customersUnderPolicy(after, field),
  ];
}

/** What the active keys sign, and none would that the policy takes. */
function noKeyUnderPolicy(after: Keyset, at: number, { sold }: Field): readonly EarlyFinding[] {
  const active = after.keys.filter(({ purpose, status }) => purpose === 'license' && status === 'active');
  const nobody = unsigned(active, after, at, sold);
  if (nobody === undefined) return [];
  const sentence = `for the policy: no key that the policy accepts would sign licenses${nobody}`;
  return [Object.freeze({ step: 'policy', cause: 'last-key', releases: [], sentence })];
}

/** At most this many customers are named. */
const MAX_NAMED = 5;

/** The customers whose licenses have only an Ed25519 signature. */
function customersUnderPolicy(after: Keyset, { leftWithout = [], nameOfKey }: Field): readonly EarlyFinding[] {
  const customers = leftWithout.filter(({ reason }) => reason === 'algorithm_not_allowed');
  if (customers.length === 0) return [];
  const from = customers.reduce((first, each) => Math.min(first, each.from), Infinity);
  const keys = after.keys.filter(({ alg, purpose }) => alg === 'ed25519' && purpose === 'license').map(kidOfKey);
  const signers = keys.filter((kid) => customers.some((each) => each.kid === kid));
  return [
    Object.freeze({
      step: 'policy',
      cause: 'customers',
      releases: [],
      customers: customers.length,
      sentence: `for the policy: ${leftWithoutInWords(customers, from)}`,
      hint:
        'reissue their licenses with a composite key first: ' +
        `${signers.map((kid) => `vtlic rotation reissue ${nameOfKey?.(kid) ?? kid}`).join(', ')}, ` +
        'then vtlic batch TABLE --key KEY',
    }),
  ];
}

/** Names the customers that lose the longest first. */
export function leftWithoutInWords(customers: readonly LeftWithout[], from: number): string {
  const longest = customers.toSorted((a, b) => b.license.exp - a.license.exp);
  const named = longest
    .slice(0, MAX_NAMED)
    .map(({ license }) => `${lineageText(lineageOf(license))} (${termInWords(license)})`);
  const more = customers.length - named.length;
  const day = formatDay(from - (from % DAY_SECONDS));
  return (
    `${countedCustomers(customers.length)} would be left without a license from ${day} on: ` +
    `${named.join(', ')}${more === 0 ? '' : `, and ${more} more`}`
  );
}

function termInWords({ exp }: License): string {
  return isPerpetual(exp) ? PERPETUAL : `until ${formatEnd(exp)}`;
}
