import { describe, expect, it } from 'vitest';
import { thrown } from '../../../support/thrown.ts';
import { dailyRefusals } from '../../../../signer/simulation/daily.ts';
import { day, kid, license, release, simulated, version, type FieldInput } from '../../../support/rotation-field.ts';

const PLAN_NEW = [
  { on: day(10), step: 'pre-publish' as const, kid: kid('new') },
  { on: day(100), step: 'activate' as const, kid: kid('new') },
];
const PUBLISHED = [version(1, { old: 'active' })];

/** Release, first day, day after the last, reason, customers. */
function days(input: FieldInput): readonly (readonly [string, number, number, string, number])[] {
  return dailyRefusals(simulated(input)).map(({ release: name, from, until, reason, customers }) => [
    name,
    (from - day(0)) / 86_400,
    (until - day(0)) / 86_400,
    reason,
    customers,
  ]);
}

describe('a simulation of a rotation', () => {
  it('has no refusal where nothing changes', () => {
    expect(days({ published: PUBLISHED, releases: [release('1.0')] })).toEqual([]);
  });

  it('has one from the end of the last license on that an old release still knows', () => {
    expect(days({ published: PUBLISHED, steps: PLAN_NEW, releases: [release('1.0')] })).toEqual([
      ['1.0', 365, 1096, 'key_unknown', 1],
    ]);
  });

  it('ends it where the old release leaves the field', () => {
    const releases = [
      release('1.0', { until: day(400) }),
      release('2.0', { builtIn: { keyset: 2 }, from: day(30) }),
      release('other', { product: 'vaultdrop' }),
    ];
    expect(days({ published: PUBLISHED, steps: PLAN_NEW, releases })).toEqual([['1.0', 365, 400, 'key_unknown', 1]]);
  });

  it('has none for installs that take the keyset that travels with the license', () => {
    const releases = [release('1.0', { takesKeysets: true })];
    expect(days({ published: PUBLISHED, steps: PLAN_NEW, releases })).toEqual([]);
  });

  it('gives a release that requires composite no keyset that only Ed25519 roots can sign', () => {
    const steps = [{ on: day(10), step: 'activate' as const, kid: kid('composite') }];
    const releases = [release('strict', { takesKeysets: true, requireComposite: true })];
    const of = (...roots: readonly string[]): ReturnType<typeof days> =>
      days({ published: [version(1, {}, roots)], steps, releases, lineages: [[license('composite', -100)]] });
    expect(of('composite root a', 'composite root b')).toEqual([]);
    expect(of('root a', 'composite root b')).toEqual([['strict', 100, 1096, 'key_unknown', 1]]);
  });

  it('gives an install no keyset that came after its last license, since nobody may have delivered it', () => {
    const steps = [{ on: day(10), step: 'activate' as const, kid: kid('new') }];
    const lineages = [[license('new')]];
    expect(days({ published: PUBLISHED, steps, releases: [release('1.0', { takesKeysets: true })], lineages })).toEqual(
      [['1.0', 0, 335, 'key_unknown', 1]],
    );
  });

  it('has one for a release with an override, and for one with keys and no keyset', () => {
    const releases = [
      release('override', { override: [kid('old')], takesKeysets: true }),
      release('keys', { builtIn: { keys: [kid('old')] } }),
      release('both', { builtIn: { keys: [kid('old'), kid('new')] } }),
    ];
    expect(days({ published: PUBLISHED, steps: PLAN_NEW, releases }).map(([name]) => name)).toEqual([
      'override',
      'keys',
    ]);
  });

  it('has the end of Ed25519 for those who were not reissued before', () => {
    const published = [version(1, { old: 'active', composite: 'pre-published' })];
    const steps = [
      { on: day(50), step: 'activate' as const, kid: kid('composite') },
      { on: day(60), step: 'policy' as const, ed25519Until: day(200) },
    ];
    const releases = [release('2.0', { builtIn: { keyset: 3 }, from: day(60) })];
    expect(days({ published, steps, releases })).toEqual([['2.0', 200, 365, 'algorithm_not_allowed', 1]]);
    expect(days({ published, steps, releases, reissueOn: day(150) })).toEqual([]);
    expect(days({ published, steps, releases, reissueOn: day(40) })).toEqual([
      ['2.0', 200, 365, 'algorithm_not_allowed', 1],
    ]);
  });

  it('honors what a key had signed when it is revoked, also licenses that are still to come', () => {
    const steps = [...PLAN_NEW, { on: day(400), step: 'revoke' as const, kid: kid('old') }];
    const early = [...PLAN_NEW.map((step) => ({ ...step, on: step.on + 300 })), ...steps.slice(2)];
    const releases = [release('1.0', { takesKeysets: true })];
    expect(days({ published: PUBLISHED, steps, releases })).toEqual([]);
    expect(days({ published: PUBLISHED, steps: early, releases })).toEqual([]);
  });

  it('does not count a license that was refused from the start while an older one is good', () => {
    const lineages = [[license('old'), license('new', 0, { ctr: 8, iat: day(1), nbf: day(0) })]];
    expect(days({ published: PUBLISHED, releases: [release('1.0')], lineages })).toEqual([]);
  });

  it('does not go back to an older license once a newer one was in force', () => {
    // Composite becomes required; the newer license is Ed25519, the older one composite.
    const published = [version(1, { old: 'active', composite: 'active' })];
    const lineages = [[license('composite'), license('old', 0, { ctr: 8 })]];
    const steps = [{ on: day(20), step: 'policy' as const, requireComposite: true }];
    const releases = [release('1.0', { takesKeysets: true })];
    expect(days({ published, steps, releases, lineages })).toEqual([['1.0', 20, 365, 'algorithm_not_allowed', 1]]);
  });

  it('judges the scope of a key', () => {
    const published = [version(1, { old: 'active', new: { status: 'pre-published', tiers: ['pro'] } })];
    const steps = [{ on: day(5), step: 'activate' as const, kid: kid('new') }];
    const releases = [release('1.0')];
    // The key is only for another tier, so that the old one goes on signing for this one.
    expect(days({ published, steps, releases })).toEqual([]);
    expect(days({ published, steps, releases, lineages: [[license('new')]] })).toEqual([
      ['1.0', 0, 365, 'key_wrong_purpose', 1],
    ]);
  });

  it('says on which days no key was there to sign a renewal', () => {
    const steps = [{ on: day(20), step: 'retire' as const, kid: kid('old') }];
    const { withoutKey, refused } = simulated({ published: PUBLISHED, steps, releases: [release('1.0')] });
    expect([withoutKey, refused]).toEqual([[day(335)], []]);
  });

  it('counts each customer of a day once, and tells one of them', () => {
    const lineages = ['a', 'b', 'c'].map((sub, i) => [license('old', 100 * i, { sub })]);
    const daily = dailyRefusals(
      simulated({ published: PUBLISHED, steps: PLAN_NEW, releases: [release('1.0')], lineages }),
    );
    expect(daily.map(({ from, customers }) => [(from - day(0)) / 86_400, customers])).toEqual([
      [165, 1],
      [265, 2],
      [365, 3],
    ]);
    expect(daily[0]?.example.lineage).toBe('example-vendor/vaultdesk/c');
  });

  it('counts a customer once on the day on which the license is reissued', () => {
    const releases = [release('1.0', { builtIn: { keys: [kid('composite')] } })];
    const published = [version(1, { old: 'retired', new: 'active' })];
    const noon = day(0) + 43_200;
    const field = { published, releases, lineages: [[license('old', 10)]], reissueOn: day(0), from: noon };
    const known = simulated(field);
    expect(known.refused.map(({ kid: by }) => by)).toContain(kid('old'));
    expect(new Set(known.refused.map(({ kid: by }) => by)).size).toBe(2);
    expect(dailyRefusals(known).map(({ customers }) => customers)).toEqual([1]);
    // The same where the reason changes within the day.
    const refused = [
      { lineage: 'a', release: '1.0', from: day(0), until: day(1), reason: 'key_unknown', kid: 'x' },
      { lineage: 'a', release: '1.0', from: day(0), until: day(3), reason: 'key_revoked', kid: 'y' },
    ] as const;
    expect(dailyRefusals({ ...known, refused }).map(({ from, reason }) => [from, reason])).toEqual([
      [day(0), 'key_unknown'],
      [day(1), 'key_revoked'],
    ]);
  });

  it.each([
    [
      'a release with a version that nobody knows',
      { releases: [release('9', { builtIn: { keyset: 9 } })] },
      /neither published nor planned/,
    ],
    [
      'a release with a key that nobody knows',
      { releases: [release('9', { builtIn: { keys: ['ab'.repeat(32)] } })] },
      /neither this site nor/,
    ],
    [
      'a release that is older than its keyset',
      { steps: PLAN_NEW, releases: [release('2', { builtIn: { keyset: 2 } })] },
      /in the field from .* with version 2 of the keyset, but the plan makes this version only on 2027-01-11/,
    ],
    [
      'a policy that Ed25519 roots cannot sign',
      {
        published: [version(1, { old: 'active' }, ['root a', 'composite root a'])],
        steps: [{ on: day(3), step: 'policy' as const, requireComposite: true }],
      },
      /products would refuse the keyset of 2027-01-04: .*there is 1 of them, and the threshold is 2/,
    ],
    ['a plan without a first keyset', { published: [], steps: PLAN_NEW }, /no published keyset/],
    [
      'a step that cannot follow',
      { steps: [{ on: day(1), step: 'retire' as const, kid: kid('new') }] },
      /cannot be done: the key .* is in no keyset/,
    ],
  ])('refuses %s', (_, changes: Partial<FieldInput>, message) => {
    const error = thrown(() => simulated({ published: PUBLISHED, releases: [release('1.0')], ...changes }));
    expect(error.message).toMatch(message);
  });
});
