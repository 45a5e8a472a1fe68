/** What a product may do now, and what its admin page shows: frozen plain values. */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { DAY_SECONDS, MAX_COUNT } from '../../formats/license/bounds.ts';
import { isId } from '../../formats/license/id.ts';
import type { ExtMap, License, LicenseUse } from '../../formats/license/license.ts';
import type { Decision } from './judge.ts';
import type { Notice } from './notices.ts';

/** What the product gives without a license in force. */
export interface FreeTier {
  readonly tier: string;
  readonly seats: number | 'unlimited';
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly instances?: number;
}

export interface Entitlements extends FreeTier {
  readonly source: 'license' | 'free_tier';
  /** Of a license that is not for production. */
  readonly use?: LicenseUse;
  /** Carried for the product; never a restriction. */
  readonly ext?: ExtMap;
}

/** `not_applicable`: in the mode `saas`, where no entitlement comes from a file. */
export type LicenseState = 'active' | 'grace' | 'free_tier' | 'not_applicable';

/** For an admin page. Every text is safe for a terminal; a page escapes it for HTML as it does any other text. */
export interface LicenseView {
  readonly state: LicenseState;
  readonly entitlements: Entitlements | undefined;
  /** Of the license that is in force, or of the one that was or will be. Times are seconds since 1970. */
  readonly license?: LicenseFacts;
  /** A renewal that comes into force by itself. */
  readonly waiting?: LicenseFacts;
  /** Until the license expires, rounded up; negative after that. */
  readonly daysToExpiry?: number;
  /** The end of the grace. */
  readonly graceUntil?: number;
  /** The next time at which something changes by itself, in seconds since 1970. */
  readonly nextChange?: number;
  /** What an operator should know now. */
  readonly warnings: readonly Notice[];
  /** Where the license is read from, in words. */
  readonly place: string;
  /** The same for a program. */
  readonly location: LicenseLocation;
  /** Why no license can be installed here; absent: one can. */
  readonly installFault?: Notice;
  /** The time that all of this was judged at, in seconds since 1970; absent in the mode `saas`. */
  readonly judgedAt?: number;
  /** Of the keyset that counts; absent where the product has its keys built in. */
  readonly keysetVersion?: number;
  readonly refusals: Refusals;
}

/** Files that changed, installations and previews of them that were not taken, since the product started. */
export interface Refusals {
  readonly count: number;
  readonly last?: { readonly at: number; readonly notice: Notice };
}

/** `text`: the variable LICENSE_TEXT. */
export type LicenseLocation =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'text' | 'nowhere' | 'saas' };

export const NO_REFUSALS: Refusals = Object.freeze({ count: 0 });

export interface LicenseFacts {
  readonly id: string;
  readonly customer: string;
  readonly name?: string;
  readonly deployment?: string;
  readonly tier: string;
  readonly seats: number | 'unlimited';
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly instances?: number;
  /** Absent: production. */
  readonly use?: LicenseUse;
  readonly counter: number;
  readonly from: number;
  readonly until: number;
  /** Builds of the product that are dated before it are covered; absent: every build. */
  readonly updatesUntil?: number;
}

/** @throws VtlicError `usage` naming the member */
export function checkFreeTier(given: FreeTier): Entitlements {
  const { tier, seats, features, limits, instances } = given;
  if (!isId(tier)) throw misuse('tier', 'an id');
  if (seats !== 'unlimited' && !isCount(seats)) throw misuse('seats', `"unlimited" or a number up to ${MAX_COUNT}`);
  if (!isIdList(features)) throw misuse('features', 'a list of ids');
  if (!isCounts(limits)) throw misuse('limits', 'numbers by id');
  if (instances !== undefined && !isCount(instances)) throw misuse('instances', `a number up to ${MAX_COUNT}`);
  return Object.freeze({
    source: 'free_tier',
    tier,
    seats,
    features: Object.freeze([...features]),
    limits: Object.freeze(Object.assign(Object.create(null) as Record<string, number>, limits)),
    ...(instances === undefined ? {} : { instances }),
  });
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCounts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([name, count]) => isId(name) && isCount(count));
}

function isIdList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => isId(item));
}

function misuse(member: string, expected: string): VtlicError {
  return new VtlicError('usage', `freeTier.${member} should be ${expected}`, { field: `freeTier.${member}` });
}

const made = new WeakMap<License, Entitlements>();

/** The same value as long as the same license is in force. */
export function entitlementsOf({ inForce }: Decision, freeTier: Entitlements): Entitlements {
  if (inForce === undefined) return freeTier;
  const { license } = inForce.accepted;
  const known = made.get(license);
  if (known !== undefined) return known;
  const { tier, seats, features, limits, instances, use, ext } = license;
  const entitlements: Entitlements = Object.freeze({
    source: 'license',
    tier,
    seats,
    features,
    limits,
    ...(instances === undefined ? {} : { instances }),
    ...(use === undefined ? {} : { use }),
    ...(ext === undefined ? {} : { ext }),
  });
  made.set(license, entitlements);
  return entitlements;
}

export function stateOf({ inForce }: Decision): LicenseState {
  if (inForce === undefined) return 'free_tier';
  return inForce.accepted.state === 'grace' ? 'grace' : 'active';
}

export interface ViewFacts {
  readonly decision: Decision;
  readonly freeTier: Entitlements;
  /** Effective time. */
  readonly now: number;
  readonly nextChange: number | undefined;
  readonly warnings: readonly Notice[];
  readonly source: Pick<LicenseView, 'place' | 'location'>;
  readonly installFault: Notice | undefined;
  readonly keysetVersion: number | undefined;
  readonly refusals: Refusals;
}

export function viewOf(facts: ViewFacts): LicenseView {
  const { decision, now, nextChange, installFault, keysetVersion, refusals } = facts;
  const { current, waiting } = decision;
  const accepted = current?.accepted;
  return Object.freeze({
    state: stateOf(decision),
    entitlements: entitlementsOf(decision, facts.freeTier),
    ...(accepted === undefined
      ? {}
      : {
          license: licenseFacts(accepted.license),
          daysToExpiry: Math.ceil((accepted.license.exp - now) / DAY_SECONDS),
          graceUntil: accepted.graceUntil,
        }),
    ...(waiting === undefined ? {} : { waiting: licenseFacts(waiting.accepted.license) }),
    ...(nextChange === undefined ? {} : { nextChange }),
    warnings: Object.freeze([...facts.warnings]),
    place: facts.source.place,
    location: facts.source.location,
    ...(installFault === undefined ? {} : { installFault }),
    judgedAt: now,
    ...(keysetVersion === undefined ? {} : { keysetVersion }),
    refusals,
  });
}

export function licenseFacts(license: License): LicenseFacts {
  const { name, dep, instances, use, upd } = license;
  return Object.freeze({
    id: license.cti,
    customer: license.sub,
    ...(name === undefined ? {} : { name: cleanText(name) }),
    ...(dep === undefined ? {} : { deployment: dep }),
    tier: license.tier,
    seats: license.seats,
    features: license.features,
    limits: license.limits,
    ...(instances === undefined ? {} : { instances }),
    ...(use === undefined ? {} : { use }),
    counter: license.ctr,
    from: license.nbf,
    until: license.exp,
    ...(upd === undefined ? {} : { updatesUntil: upd }),
  });
}
