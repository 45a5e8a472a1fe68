import { describe, expect, it } from 'vitest';
import { ANOMALY_KINDS, type Compared, findAnomalies } from '../../../../signer/plan/anomalies.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import type { License } from '../../../../formats/license/license.ts';
import { parseCatalog } from '../../../../signer/site/catalog.ts';

const DAY = 86_400;
const NOW = 1_800_000_000;
const TIERS = {
  team: { maxSeats: 50 },
  business: { maxSeats: 500 },
  enterprise: { maxSeats: 'unlimited', features: ['sso'], limits: { vaults: 9 } },
};
const catalog = parseCatalog(
  utf8(
    JSON.stringify({
      schema: 'vtlic-catalog/1',
      products: {
        vaultdesk: { maxTermDays: 800, maxGraceDays: 60, tiers: TIERS },
        vaultpro: { maxTermDays: 800, maxGraceDays: 60, tiers: TIERS },
      },
    }),
  ),
  'catalog.json',
);

const last: License = {
  iss: 'example-vendor',
  sub: 'acme',
  aud: 'vaultdesk',
  iat: NOW - 365 * DAY,
  nbf: NOW - 365 * DAY,
  exp: NOW,
  cti: '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112',
  ctr: 4,
  tier: 'business',
  seats: 100,
  features: ['audit', 'sso'],
  limits: { vaults: 5, users: 7 },
};
/** An honest renewal: nothing to look at twice. */
const renewal: License = { ...last, iat: NOW - DAY, nbf: NOW, exp: NOW + 365 * DAY, ctr: 5 };

function kinds(changes: Partial<License>, more: Partial<Compared> = {}): string[] {
  return findAnomalies({
    license: { ...renewal, ...changes },
    previous: last,
    catalog,
    algorithm: 'ed25519+ml-dsa-65',
    previousAlgorithm: 'ed25519+ml-dsa-65',
    ...more,
  }).map(({ kind }) => kind);
}

describe('a license that is the last one again', () => {
  const again = { iat: NOW - DAY, ctr: 5, cti: '01936f2a-0c1d-7b3e-8a4f-5d6e7f809113' };

  it('is marked when nothing but the counter differs, or the first day with it', () => {
    expect(kinds({ ...again, nbf: last.nbf, exp: last.exp })).toContain('same again');
    expect(kinds({ ...again, nbf: last.nbf + DAY, exp: last.exp })).toContain('same again');
  });

  it.each<[string, Partial<License>, Partial<Compared>]>([
    ['it ends later', { exp: last.exp + DAY }, {}],
    ['it has another seat', { seats: 101 }, {}],
    ['it has another reference', { ref: 'PO-2' }, {}],
    ['it has another value in ext', { ext: { color: 'red' } }, {}],
    ['it resets the clock', { clk: true }, {}],
    ['it is signed with another algorithm', {}, { previousAlgorithm: 'ed25519' }],
  ])('is not marked when %s', (_name, changes, more) => {
    expect(kinds({ ...again, nbf: last.nbf, exp: last.exp, ...changes }, more)).not.toContain('same again');
  });
});

describe('anomalies', () => {
  it('an honest renewal has none', () => {
    expect(kinds({})).toEqual([]);
    expect(
      kinds({
        seats: 999,
        tier: 'enterprise',
        features: ['audit', 'more', 'sso'],
        limits: { vaults: 6, users: 7, new: 1 },
      }),
    ).toEqual([]);
  });

  it('a new customer is not compared with any license', () => {
    expect(kinds({ seats: 1_000_000 }, { previous: undefined })).toEqual([]);
  });

  it.each<[string, Partial<License>]>([
    ['seats x10', { seats: 1000 }],
    ['seats x10', { seats: 'unlimited' }],
    ['seats down', { seats: 99 }],
    ['shorter term', { exp: NOW + 300 * DAY }],
    ['tier down', { tier: 'team' }],
    ['features lost', { features: ['audit'] }],
    ['limits down', { limits: { vaults: 4, users: 7 } }],
    ['limits down', { limits: { vaults: 5 } }],
    ['fewer updates', { upd: NOW + 365 * DAY }],
    ['use changed', { use: 'trial' }],
    ['counter jump', { ctr: 6 }],
    ['clock', { clk: true }],
    ['clock', { iat: last.iat - 1 }],
    ['clock', { nbf: NOW + DAY, exp: NOW + 366 * DAY }],
    ['product changed', { aud: 'vaultpro' }],
    ['deployment changed', { dep: 'prod-eu' }],
  ])('marks %s for %j', (kind, changes) => {
    expect(kinds(changes)).toEqual([kind]);
  });

  it('marks an end before that of the last license, and one that is near', () => {
    expect(kinds({ nbf: NOW - 10 * DAY, exp: NOW - 1 })).toEqual(['ends earlier', 'shorter term', 'clock']);
    expect(kinds({ exp: NOW + 20 * DAY })).toEqual(['shorter term', 'clock']);
  });

  it('marks seats that are no longer unlimited, and a tier that the catalog no longer has', () => {
    expect(kinds({}, { previous: { ...last, seats: 'unlimited', tier: 'platinum' } })).toEqual([
      'seats down',
      'tier down',
    ]);
  });

  it('marks a change from the composite back to Ed25519, and not the change to the composite', () => {
    expect(kinds({}, { algorithm: 'ed25519' })).toEqual(['algorithm down']);
    expect(kinds({}, { previousAlgorithm: 'ed25519' })).toEqual([]);
  });

  it('marks updates that end earlier than those of the last license, and no others', () => {
    const before = { ...last, upd: NOW };
    expect(kinds({ upd: NOW - 1 }, { previous: before })).toEqual(['fewer updates']);
    // Issued a day before NOW.
    const over = { ...last, upd: NOW - DAY };
    expect(kinds({ upd: NOW - DAY }, { previous: over })).toEqual(['no updates']);
    expect(kinds({ upd: NOW - DAY + 1 }, { previous: over })).toEqual([]);
    for (const upd of [NOW, NOW + DAY]) expect(kinds({ upd }, { previous: before })).toEqual([]);
    expect(kinds({}, { previous: before })).toEqual([]);
  });

  it('says from which use to which it changes', () => {
    const marked = (use: License['use'], before: License['use']): string | undefined =>
      findAnomalies({
        license: { ...renewal, ...(use === undefined ? {} : { use }) },
        previous: { ...last, ...(before === undefined ? {} : { use: before }) },
        catalog,
        algorithm: 'ed25519',
      })[0]?.sentence;
    expect(marked(undefined, 'trial')).toBe('use changes from trial to production');
    expect(marked('emergency', undefined)).toBe('use changes from production to emergency');
    expect(marked('trial', 'trial')).toBeUndefined();
  });

  it('marks an end where the last license is perpetual, and not a perpetual one that begins later', () => {
    const perpetual = { ...last, exp: PERPETUAL_EXP };
    expect(kinds({}, { previous: perpetual })).toEqual(['ends earlier']);
    expect(kinds({ exp: PERPETUAL_EXP, seats: 101 }, { previous: perpetual })).toEqual([]);
    expect(kinds({ exp: PERPETUAL_EXP }, { previous: perpetual })).toEqual(['same again']);
    expect(kinds({ exp: PERPETUAL_EXP })).toEqual([]);
  });

  it('marks a perpetual license that is signed only with Ed25519, also of a new customer', () => {
    const alone = { algorithm: 'ed25519', previousAlgorithm: 'ed25519' } as const;
    expect(kinds({ exp: PERPETUAL_EXP }, alone)).toEqual(['perpetual with Ed25519']);
    expect(kinds({ exp: PERPETUAL_EXP }, { ...alone, previous: undefined })).toEqual(['perpetual with Ed25519']);
    expect(kinds({ exp: PERPETUAL_EXP - 1 }, alone)).toEqual([]);
  });

  it('marks a license with only Ed25519 that the policy takes out of force before its end', () => {
    const alone = { algorithm: 'ed25519', previousAlgorithm: 'ed25519', ed25519Until: NOW + 100 * DAY } as const;
    expect(kinds({}, alone)).toEqual(['cut by the policy']);
    expect(kinds({}, { ...alone, ed25519Until: renewal.exp })).toEqual([]);
    expect(kinds({}, { ed25519Until: NOW + 100 * DAY })).toEqual([]);
  });

  it('a term of a leap year is no shorter than one of another', () => {
    expect(kinds({ exp: NOW + 365 * DAY }, { previous: { ...last, nbf: last.exp - 366 * DAY } })).toEqual([]);
  });

  it('has words for each kind', () => {
    expect(new Set(ANOMALY_KINDS).size).toBe(ANOMALY_KINDS.length);
  });
});
