/**
 * Which steps of a new version come too early: a product in the field would refuse a license that the step leads to.
 * Such a step is done only with a reason, which stays on record with the version.
 */
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import type { IssuingKey, Keyset, KeyStatus } from '../../formats/keyset/keyset.ts';
import { kidOfKey, statusChanges } from '../keyset/changes.ts';
import type { EarlyStep, KeysetStep } from '../keyset/draft.ts';
import type { PublishedVersion } from '../keyset/published.ts';
import type { PlannedStep, RotationPlan } from './plan.ts';
import type { Release } from './releases.ts';

export interface EarlyFinding {
  readonly step: KeysetStep;
  readonly kid?: string;
  /** What is not ready: releases; or nobody knows which are in the field; or no other key would sign. */
  readonly cause: 'releases' | 'unknown-field' | 'last-key';
  /** Names of the releases that are not ready. */
  readonly releases: readonly string[];
  readonly sentence: string;
  /** Seconds since 1970: from when on it is not early any more, if the releases leave as they say. */
  readonly readyAt?: number;
}

export interface Field {
  /** undefined: there is no releases.json. */
  readonly releases: readonly Release[] | undefined;
  readonly versions: readonly PublishedVersion[];
  /** Seconds since 1970. */
  readonly now: number;
  /** Installs that take keysets from a file get this version together with their licenses. */
  readonly isEmergency: boolean;
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
  if (known === undefined || known.status === 'revoked' || !isFor(known, release)) return undefined;
  return known;
}

/** A release that ships later may have the version that is made now, or one after it, which has the same keys. */
function builtInKeyset(release: Release, version: number, after: Keyset, { versions, now }: Field): Keyset {
  const published = versions.find((candidate) => candidate.version === version);
  if (published !== undefined) return published.keyset;
  if (release.from > now && version >= after.version) return after;
  throw new VtlicError(
    'configuration_invalid',
    `the release ${release.name} has version ${version} of the keyset built in, which this site does not know`,
    { field: 'keyset', hint: 'correct releases.json, or take the chain up: vtlic keyset adopt CHAIN' },
  );
}

function isFor(key: IssuingKey, release: Release): boolean {
  return key.purpose === 'license' && (key.products === undefined || key.products.includes(release.product));
}

/** Whether the tiers contain all of the others; absent: every tier. */
function containsTiers(tiers: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  return tiers === undefined || (others !== undefined && others.every((tier) => tiers.includes(tier)));
}

/** All steps between two versions that come too early. */
export function findEarly(before: Keyset | undefined, after: Keyset, field: Field): readonly EarlyFinding[] {
  const findings = statusChanges(before, after).flatMap(({ kid, key, from, to }): readonly EarlyFinding[] => {
    if (key.purpose !== 'license') return [];
    if (to === 'active') return early(activation(kid, key, after, field), before, field);
    if (from === undefined || to === 'pre-published') return [];
    const step = to === 'revoked' ? 'revoke' : 'retire';
    return [...early(ending(kid, key, step, after, field), before, field), ...lastKey(kid, step, from, after)];
  });
  return [...findings, ...policyFindings(before, after, field)];
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
  const what = step === 'policy' ? 'the policy' : `to ${step} the key ${(kid ?? '').slice(0, 16)}…`;
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

/** An install that gets a keyset with its license knows each key of it. */
function isDelivered(release: Release, { isEmergency }: Field): boolean {
  return isEmergency && release.takesKeysets && release.override === undefined;
}

function activation(kid: string, key: IssuingKey, after: Keyset, field: Field): Judged {
  const notReady = inFieldFrom(Math.max(field.now, key.from ?? 0), field).filter((release) => {
    if (!isFor(key, release) || isDelivered(release, field)) return false;
    const known = knownAs(release, key, after, field);
    return known === undefined || !containsTiers(known.tiers, key.tiers);
  });
  return { step: 'activate', kid, notReady, why: 'would not know a license that it signs' };
}

/** Nobody could be renewed. */
function lastKey(kid: string, step: 'retire' | 'revoke', from: KeyStatus, after: Keyset): readonly EarlyFinding[] {
  const signs = after.keys.some(({ purpose, status }) => purpose === 'license' && status === 'active');
  if (from !== 'active' || signs) return [];
  const sentence = `to ${step} the key ${kid.slice(0, 16)}…: no other key would sign licenses`;
  return [Object.freeze({ step, kid, cause: 'last-key', releases: [], sentence })];
}

/** After a retirement or a revocation other active keys must be known wherever this one was, for all of its tiers. */
function ending(kid: string, key: IssuingKey, step: 'retire' | 'revoke', after: Keyset, field: Field): Judged {
  const notReady = inFieldFrom(field.now, field).filter(
    (release) =>
      isFor(key, release) &&
      knownAs(release, key, after, field) !== undefined &&
      !isDelivered(release, field) &&
      !signTiers(release, key.tiers, after, field),
  );
  return { step, kid, notReady, why: 'would know no key that still signs' };
}

/** Whether the active keys that the release knows sign licenses of all these tiers; absent: of every tier. */
function signTiers(release: Release, tiers: readonly string[] | undefined, after: Keyset, field: Field): boolean {
  const others = after.keys.flatMap((other): readonly (readonly string[] | undefined)[] => {
    if (!isFor(other, release) || !signsAt(other, after, field.now)) return [];
    const known = knownAs(release, other, after, field);
    if (known === undefined) return [];
    return [
      known.tiers === undefined ? other.tiers : known.tiers.filter((tier) => other.tiers?.includes(tier) ?? true),
    ];
  });
  return (
    others.includes(undefined) ||
    containsTiers(
      others.flatMap((some) => some ?? []),
      tiers,
    )
  );
}

/** Whether licenses are signed with a key at that time, and are in force by the policy. */
function signsAt({ alg, status, from = 0, until }: IssuingKey, after: Keyset, at: number): boolean {
  const { requireComposite, ed25519Until } = after;
  if (alg === 'ed25519' && (requireComposite || (ed25519Until !== undefined && ed25519Until <= at))) return false;
  return status === 'active' && from <= at && (until === undefined || at < until);
}

/** What a version changes in the policy. */
function policyChange(before: Keyset | undefined, after: Keyset): Pick<Keyset, 'requireComposite' | 'ed25519Until'> {
  const { ed25519Until } = after;
  return {
    requireComposite: after.requireComposite && before?.requireComposite !== true,
    ...(ed25519Until === undefined || before?.ed25519Until === ed25519Until ? {} : { ed25519Until }),
  };
}

function policyFindings(before: Keyset | undefined, after: Keyset, field: Field): readonly EarlyFinding[] {
  const { requireComposite, ed25519Until } = policyChange(before, after);
  if (!requireComposite && ed25519Until === undefined) return [];
  const at = requireComposite ? field.now : Math.max(field.now, ed25519Until ?? 0);
  const notReady = inFieldFrom(at, field).filter(
    (release) =>
      !isDelivered(release, field) &&
      !after.keys.some(
        (key) =>
          key.alg !== 'ed25519' &&
          key.status === 'active' &&
          isFor(key, release) &&
          knownAs(release, key, after, field) !== undefined,
      ),
  );
  return early({ step: 'policy', notReady, why: 'would know no composite key that signs' }, before, field);
}

/** The reasons for the findings, from a plan: those whose step it names as early. */
export function reasonsFromPlan(findings: readonly EarlyFinding[], plan: RotationPlan): readonly EarlyStep[] {
  return findings.flatMap(({ step, kid }) => {
    const planned = plan.steps.find((candidate) => candidate.step === step && candidate.kid === kid);
    return planned?.early === undefined ? [] : [{ step, ...(kid === undefined ? {} : { kid }), ...planned.early }];
  });
}

/** The same reason for every finding. */
export function reasonsFromWord(findings: readonly EarlyFinding[], reason: string): readonly EarlyStep[] {
  return findings.map(({ step, kid, releases }) => ({
    step,
    ...(kid === undefined ? {} : { kid }),
    releases,
    reason,
  }));
}

/** @throws VtlicError `policy_refused` for the first finding without a reason that names its releases */
export function requireReasons(findings: readonly EarlyFinding[], reasons: readonly EarlyStep[]): void {
  for (const finding of findings) {
    const given = reasons.filter(({ step, kid }) => step === finding.step && kid === finding.kid);
    if (given.some(({ releases }) => finding.releases.every((name) => releases.includes(name)))) continue;
    const wait = finding.readyAt === undefined ? '' : `wait until ${formatDay(finding.readyAt)}; or `;
    const unnamed =
      given.length === 0
        ? ''
        : `; the reason given names only ${given.flatMap(({ releases }) => releases).join(', ') || 'no release'}`;
    throw new VtlicError('policy_refused', `too early ${finding.sentence}${unnamed}`, {
      hint: `${wait}say why it is done nevertheless, in the plan or by --early REASON: the reason stays on record`,
    });
  }
}

/** @throws VtlicError `policy_refused` for a step that a plan has for a later day, or does not have */
export function requirePlannedDay(before: Keyset | undefined, after: Keyset, plan: RotationPlan, now: number): void {
  for (const { kid, from, to } of statusChanges(before, after)) {
    const step = STEP_OF[to];
    const planned = plan.steps.filter((candidate) => candidate.step === step && candidate.kid === kid);
    requirePlanned(planned, now, `to ${step} the key ${kid}`, ` (${from ?? 'new'} → ${to})`);
  }
  const { requireComposite, ed25519Until } = policyChange(before, after);
  const policies = plan.steps.filter(({ step }) => step === 'policy');
  if (requireComposite)
    requirePlanned(
      policies.filter((step) => step.requireComposite === true),
      now,
      'for the policy that composite is required',
    );
  if (ed25519Until !== undefined)
    requirePlanned(
      policies.filter((step) => step.ed25519Until === ed25519Until),
      now,
      `for the policy of no Ed25519 from ${formatDay(ed25519Until)} on`,
    );
}

function requirePlanned(planned: readonly PlannedStep[], now: number, what: string, change = ''): void {
  if (planned.some(({ on }) => on <= now)) return;
  const [first] = planned;
  throw new VtlicError(
    'policy_refused',
    first === undefined
      ? `the plan has no step ${what}${change}`
      : `the plan has the step ${what} on ${formatDay(first.on)}, which is still to come`,
    {
      hint:
        first === undefined ? 'change the plan first, or leave --plan out' : 'wait for that day, or change the plan',
    },
  );
}

const STEP_OF = {
  'pre-published': 'pre-publish',
  active: 'activate',
  retired: 'retire',
  revoked: 'revoke',
} as const;
