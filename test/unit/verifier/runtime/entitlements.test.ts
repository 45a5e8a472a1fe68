/** What a product may do now, and what its admin page shows. */
import { describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import {
  checkFreeTier,
  entitlementsOf,
  licenseFacts,
  NO_REFUSALS,
  stateOf,
  viewOf,
  type FreeTier,
  type ViewFacts,
} from '../../../../verifier/runtime/entitlements.ts';
import type { Decision } from '../../../../verifier/runtime/judge.ts';
import { notice } from '../../../../verifier/runtime/notices.ts';
import { thrown } from '../../../support/thrown.ts';
import { EXP, license, NBF } from '../sample.ts';
import { at, examined, first, inGrace, made, renewal, stateWith } from './judged.ts';
import { DAY, FREE_TIER } from './product.ts';

const freeTier = checkFreeTier(FREE_TIER);
const deciding = (file: Uint8Array, clock: number): Decision => {
  const one = examined(file, at(clock));
  return { inForce: one, current: one, notices: [] };
};
const TIER: FreeTier = {
  tier: 'free',
  seats: 0,
  features: ['sso'],
  limits: { projects: 0 },
  instances: 0,
};

describe('the free tier of a product', () => {
  it('is a frozen copy of what the product gives', () => {
    const limits = { projects: 5 };
    const checked = checkFreeTier({ ...TIER, limits });
    expect(checked).toStrictEqual({
      source: 'free_tier',
      ...TIER,
      limits: Object.assign(Object.create(null) as object, limits),
    });
    for (const value of [checked, checked.features, checked.limits]) expect(Object.isFrozen(value)).toBe(true);
    expect(checkFreeTier(FREE_TIER)).not.toHaveProperty('instances');
    expect(checkFreeTier({ ...TIER, seats: 'unlimited' }).seats).toBe('unlimited');
  });

  it.each<[member: string, value: unknown, expected: string]>([
    ['tier', 'not an id', 'an id'],
    ['tier', ['free'], 'an id'],
    ['tier', undefined, 'an id'],
    ['seats', -1, '"unlimited" or a number up to 9007199254740991'],
    ['seats', 0.5, '"unlimited" or a number up to 9007199254740991'],
    ['seats', '3', '"unlimited" or a number up to 9007199254740991'],
    ['features', 'sso', 'a list of ids'],
    ['features', ['sso', 'not an id'], 'a list of ids'],
    ['features', [5], 'a list of ids'],
    ['features', [['sso']], 'a list of ids'],
    ['features', [null], 'a list of ids'],
    ['limits', 5, 'numbers by id'],
    ['limits', null, 'numbers by id'],
    ['limits', undefined, 'numbers by id'],
    ['limits', { 'not an id': 5, projects: 5 }, 'numbers by id'],
    ['limits', { projects: -1 }, 'numbers by id'],
    ['instances', 1.5, 'a number up to 9007199254740991'],
  ])('is refused with the %s %j', (member, value, expected) => {
    expect(thrown(() => checkFreeTier({ ...TIER, [member]: value }))).toMatchObject({
      code: 'usage',
      message: `freeTier.${member} should be ${expected}`,
      place: { field: `freeTier.${member}` },
    });
  });
});

describe('the entitlements', () => {
  it('are the free tier where no license is in force', () => {
    expect(entitlementsOf({ notices: [] }, freeTier)).toBe(freeTier);
    expect(stateOf({ notices: [] })).toBe('free_tier');
  });

  it('are those of the license in force, and the same value as long as it is', async () => {
    const decision = deciding(first, NBF);
    const entitlements = entitlementsOf(decision, freeTier);
    const { tier, seats, features, limits } = license;
    expect(entitlements).toStrictEqual({ source: 'license', tier, seats, features, limits });
    expect(Object.isFrozen(entitlements)).toBe(true);
    expect(entitlementsOf(decision, freeTier)).toBe(entitlements);
    const ext = Object.assign(Object.create(null) as Record<string, number>, { a: 1 });
    const more = { instances: 3, use: 'trial', ext } as const;
    expect(entitlementsOf(deciding(await made(more), NBF), freeTier)).toStrictEqual({ ...entitlements, ...more });
  });

  it('have the state active or grace', () => {
    expect(stateOf(deciding(inGrace, NBF))).toBe('active');
    expect(stateOf(deciding(inGrace, EXP))).toBe('grace');
  });
});

describe('the facts of a license', () => {
  const { cti: id, sub: customer, tier, seats, features, limits } = license;
  const facts = { id, customer, tier, seats, features, limits, counter: 7, from: NBF, until: EXP };

  it('are those that it has, and are safe for a terminal', () => {
    expect(licenseFacts(license)).toStrictEqual(facts);
    expect(Object.isFrozen(licenseFacts(license))).toBe(true);
    const more: Partial<License> = { name: 'A\u202eB', dep: 'prod', instances: 2, use: 'trial', upd: EXP };
    expect(licenseFacts({ ...license, ...more })).toStrictEqual({
      ...facts,
      name: 'A\\u{202E}B',
      deployment: 'prod',
      instances: 2,
      use: 'trial',
      updatesUntil: EXP,
    });
  });
});

describe('the view of an admin page', () => {
  const location = { kind: 'text' } as const;
  const facts = (decision: Decision, changes: Partial<ViewFacts> = {}): ViewFacts => ({
    decision,
    freeTier,
    now: NBF,
    nextChange: undefined,
    warnings: [],
    source: { place: 'a place', location },
    installFault: undefined,
    keysetVersion: undefined,
    refusals: NO_REFUSALS,
    ...changes,
  });
  const rest = { warnings: [], place: 'a place', location, judgedAt: NBF, refusals: { count: 0 } };

  it('without a license has the free tier, and nothing that there is not', () => {
    const view = viewOf(facts({ notices: [] }));
    expect(view).toStrictEqual({ state: 'free_tier', entitlements: freeTier, ...rest });
    expect([Object.isFrozen(view), Object.isFrozen(view.warnings)]).toEqual([true, true]);
  });

  it('has the license, a renewal that waits, and all else that there is', () => {
    const decision = { ...deciding(first, NBF), waiting: examined(renewal, at(NBF, stateWith(first, NBF))) };
    const warning = notice('lapsed', 'it is over');
    const more = { nextChange: EXP, installFault: warning, keysetVersion: 0 };
    expect(viewOf(facts(decision, { ...more, warnings: [warning] }))).toStrictEqual({
      state: 'active',
      entitlements: entitlementsOf(decision, freeTier),
      license: licenseFacts({ ...license, grace: 0 }),
      daysToExpiry: 365,
      graceUntil: EXP,
      waiting: licenseFacts(decision.waiting.accepted.license),
      ...rest,
      ...more,
      warnings: [warning],
    });
  });

  it('counts the days to the expiry up, and below zero after it', () => {
    const days = (now: number): unknown => viewOf(facts(deciding(first, NBF), { now })).daysToExpiry;
    expect([EXP - DAY - 1, EXP - DAY, EXP - 1, EXP + DAY].map(days)).toEqual([2, 1, 1, -1]);
  });
});
