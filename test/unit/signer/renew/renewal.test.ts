import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import type { License } from '../../../../formats/license/license.ts';
import {
  changesFromTexts,
  mergeChanges,
  parseChanges,
  type Changes,
  type ChangeTexts,
} from '../../../../signer/renew/changes.ts';
import { firstRequest, laterByYears, renewalRequest } from '../../../../signer/renew/renewal-request.ts';
import { thrown } from '../../../support/thrown.ts';

const DAY = 86_400;
const NOW = Date.UTC(2027, 5, 15, 12) / 1000;
const last: License = {
  iss: 'example-vendor',
  sub: 'acme',
  aud: 'vaultdesk',
  dep: 'prod-eu',
  name: 'Acme GmbH',
  ref: 'PO-1',
  iat: NOW - 300 * DAY,
  nbf: NOW - 300 * DAY,
  exp: Date.UTC(2027, 11, 1) / 1000,
  cti: '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112',
  ctr: 4,
  tier: 'business',
  seats: 100,
  features: ['audit', 'sso'],
  limits: { vaults: 5, users: 7 },
  grace: 7 * DAY,
  clk: true,
  ext: { color: 'blue' },
};
const NOTHING: Changes = { set: {}, unset: new Set(), limits: {} };

function file(document: unknown): Changes {
  return parseChanges(utf8(JSON.stringify(document)), 'changes.json');
}

function texts(changes: Partial<ChangeTexts>): Changes {
  return changesFromTexts({ members: {}, limit: [], unset: [], ...changes });
}

describe('a renewal', () => {
  it('keeps everything without changes, both ends of the term too, and resets no clock', () => {
    const request = renewalRequest(last, NOTHING, NOW);
    expect(request).toEqual({
      customer: 'acme',
      product: 'vaultdesk',
      deployment: 'prod-eu',
      name: 'Acme GmbH',
      reference: 'PO-1',
      tier: 'business',
      seats: 100,
      features: ['audit', 'sso'],
      limits: { vaults: 5, users: 7 },
      graceSeconds: 7 * DAY,
      ext: { color: 'blue' },
      from: last.nbf,
      until: last.exp,
    });
    expect(Object.isFrozen(request)).toBe(true);
  });

  it('begins where the last license ends when it has a new end', () => {
    const request = renewalRequest(last, texts({ members: { until: '2028-11-30' } }), NOW);
    expect([request.from, request.until]).toEqual([last.exp, Date.UTC(2028, 11, 1) / 1000]);
  });

  it('begins today for a license that has ended, and needs an end', () => {
    const ended = { ...last, exp: NOW - DAY };
    expect(renewalRequest(ended, texts({ members: { until: '2028-11-30' } }), NOW).from).toBe(
      Date.UTC(2027, 5, 15) / 1000,
    );
    expect(thrown(() => renewalRequest(ended, NOTHING, NOW))).toMatchObject({
      code: 'request_invalid',
      place: { field: 'until' },
    });
  });

  it('does not carry on a name or reference that hides a character, and takes another one', () => {
    for (const [member, changed] of [
      ['name', { name: 'Acme\u200b GmbH' }],
      ['reference', { ref: 'PO\u00ad-1' }],
    ] as const) {
      const hidden = { ...last, ...changed };
      expect(thrown(() => renewalRequest(hidden, NOTHING, NOW))).toMatchObject({
        code: 'request_invalid',
        place: { field: member },
        hint: expect.stringContaining(`--${member}`) as string,
      });
      const again = renewalRequest(hidden, texts({ members: { [member]: 'Acme' } }), NOW);
      expect(again[member]).toBe('Acme');
    }
  });

  it('begins when the last license does where it shortens the term', () => {
    expect(renewalRequest(last, texts({ members: { until: '2027-08-01' } }), NOW).from).toBe(last.nbf);
  });

  it.each([
    ['more seats', { seats: '5' }],
    ['another name', { name: 'Acme AG' }],
    ['the end that it has', { until: '2027-11-30' }],
  ] as const)('keeps the first day, past or future, with %s', (_what, members) => {
    for (const nbf of [last.nbf, NOW + 30 * DAY, last.exp - DAY])
      expect(renewalRequest({ ...last, nbf }, texts({ members }), NOW)).toMatchObject({ from: nbf, until: last.exp });
  });

  it('takes a first day that is named', () => {
    expect(renewalRequest(last, texts({ members: { from: '2027-07-01' } }), NOW).from).toBe(
      Date.UTC(2027, 6, 1) / 1000,
    );
  });

  it('takes single limits, whole members, and members away', () => {
    const request = renewalRequest(
      last,
      texts({
        members: { seats: 'unlimited', features: 'sso', from: '2027-07-01' },
        limit: ['vaults=9'],
        unset: ['reference', 'ext', 'graceDays'],
      }),
      NOW,
    );
    expect(request).toMatchObject({
      seats: 'unlimited',
      features: ['sso'],
      limits: { vaults: 9, users: 7 },
      from: Date.UTC(2027, 6, 1) / 1000,
    });
    for (const gone of ['reference', 'ext', 'graceSeconds']) expect(request).not.toHaveProperty(gone);
    expect(renewalRequest(last, file({ limits: { vaults: 1 }, deployment: null }), NOW)).toMatchObject({
      limits: { vaults: 1 },
    });
    expect(renewalRequest(last, file({ deployment: null }), NOW)).not.toHaveProperty('deployment');
    expect(renewalRequest(last, file({ features: null }), NOW).features).toEqual([]);
  });

  it('keeps updates and use, changes them, and takes them away', () => {
    const before: License = { ...last, upd: Date.UTC(2027, 10, 25) / 1000, use: 'trial' };
    expect(renewalRequest(before, NOTHING, NOW)).toMatchObject({ updatesUntil: before.upd, use: 'trial' });
    expect(
      renewalRequest(before, texts({ members: { updatesUntil: '2028-11-24', use: 'emergency' } }), NOW),
    ).toMatchObject({ updatesUntil: Date.UTC(2028, 10, 25) / 1000, use: 'emergency' });
    const without = renewalRequest(before, texts({ unset: ['updatesUntil', 'use'] }), NOW);
    for (const gone of ['updatesUntil', 'use']) expect(without).not.toHaveProperty(gone);
    expect(renewalRequest(before, file({ updatesUntil: null, use: null }), NOW)).toEqual(without);
  });

  it('begins where the last license ends when it becomes perpetual, and has grace only if it is asked for', () => {
    const request = renewalRequest(last, texts({ members: { until: 'perpetual' } }), NOW);
    expect([request.from, request.until]).toEqual([last.exp, PERPETUAL_EXP]);
    expect(request).not.toHaveProperty('graceSeconds');
    expect(renewalRequest(last, texts({ members: { until: 'perpetual', graceDays: '3' } }), NOW)).toHaveProperty(
      'graceSeconds',
    );
  });

  it('stays perpetual for a perpetual license, and begins today where it gets an end', () => {
    const { grace: _grace, ...perpetual } = { ...last, exp: PERPETUAL_EXP };
    const today = Date.UTC(2027, 5, 15) / 1000;
    for (const changes of [NOTHING, texts({ members: { until: 'perpetual' } })])
      expect(renewalRequest(perpetual, changes, NOW)).toMatchObject({
        from: last.nbf,
        until: PERPETUAL_EXP,
      });
    expect(renewalRequest(perpetual, texts({ members: { until: '2028-11-30' } }), NOW)).toMatchObject({
      from: today,
      until: Date.UTC(2028, 11, 1) / 1000,
    });
  });

  it('property: what is not changed stays as it was', () => {
    fc.assert(
      fc.property(
        fc.record(
          { seats: fc.nat(), tier: fc.stringMatching(/^[a-z]{1,8}$/), name: fc.stringMatching(/^[A-Z][a-z]{0,20}$/) },
          { requiredKeys: [] },
        ),
        (changes) => {
          const request = renewalRequest(last, file(changes), NOW);
          expect(request).toEqual({ ...renewalRequest(last, NOTHING, NOW), ...changes });
        },
      ),
    );
  });
});

describe('changes', () => {
  it.each<[Partial<ChangeTexts>, string, string]>([
    [{ members: { seats: '02' } }, 'request_invalid', 'without leading zeros'],
    [{ members: { seats: '1e3' } }, 'request_invalid', 'whole number'],
    [{ members: { seats: '-1' } }, 'request_invalid', 'at least 0'],
    [{ members: { until: '2027-02-30' } }, 'request_invalid', 'no day'],
    [{ members: { updatesUntil: 'never' } }, 'request_invalid', 'is not a date'],
    [{ members: { use: 'production' } }, 'request_invalid', 'one of non-production, trial, emergency'],
    [{ members: { features: 'sso;sso' } }, 'request_invalid', 'second time'],
    [{ members: { hosts: 'zz' } }, 'request_invalid', '64 hex digits'],
    [{ limit: ['vaults'] }, 'usage', 'NAME=VALUE'],
    [{ limit: ['vaults=many'] }, 'request_invalid', 'should be an integer'],
    [{ limit: ['a b=1'] }, 'request_invalid', 'not an id'],
    [{ unset: ['tier'] }, 'usage', 'every license needs this member'],
    [{ unset: ['color'] }, 'usage', 'one of: name'],
  ])('%j on the command line is %s: %s', (changes, code, words) => {
    const error = thrown(() => texts(changes));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.place.line).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [{ seat: 3 }, 'an unknown member'],
    [{ customer: 'other' }, 'cannot change'],
    [{ tier: null }, 'cannot be removed'],
    [{ schema: 'vtlic-request/1' }, 'vtlic-changes/1'],
  ])('%j in a file is refused with its place: %s', (document, words) => {
    const error = thrown(() => file(document));
    expect(error.code).toBe('request_invalid');
    expect(error.message).toContain(words);
    expect(error.place).toMatchObject({ file: 'changes.json', line: 1 });
  });

  it('merge: the command line wins, and a contradiction is refused', () => {
    expect(mergeChanges(file({ seats: 3, tier: 'team' }), texts({ members: { seats: '4' } })).set).toEqual({
      seats: 4,
      tier: 'team',
    });
    expect(thrown(() => mergeChanges(file({ reference: 'PO-2' }), texts({ unset: ['reference'] }))).code).toBe('usage');
  });

  it('a first license needs all of it', () => {
    expect(thrown(() => firstRequest('newcomer', file({ seats: 3 }))).message).toContain('product, tier, from, until');
    expect(
      firstRequest('newcomer', file({ product: 'p', tier: 't', seats: 3, from: '2027-01-01', until: '2027-12-31' })),
    ).toMatchObject({ customer: 'newcomer', features: [], limits: {} });
  });
});

describe('some years more', () => {
  it('move the end, and the updates with it, to the same day of a later year', () => {
    const end = (year: number): number => Date.UTC(year, 11, 1) / 1000;
    expect(laterByYears(last, 1, NOW)).toEqual({ until: end(2028) });
    expect(laterByYears({ ...last, upd: end(2027) }, 3, NOW)).toEqual({ until: end(2030), updatesUntil: end(2030) });
  });

  it('begin at the end of February where the last day was its 29th', () => {
    const leap = Date.UTC(2028, 2, 1) / 1000;
    expect(laterByYears({ ...last, exp: leap }, 1, NOW).until).toBe(Date.UTC(2029, 2, 1) / 1000);
    expect(laterByYears({ ...last, exp: leap - DAY }, 1, NOW).until).toBe(Date.UTC(2029, 2, 1) / 1000);
  });

  it('are counted from today where they would be over too', () => {
    expect(laterByYears({ ...last, exp: Date.UTC(2020, 0, 1) / 1000 }, 1, NOW).until).toBe(
      Date.UTC(2028, 5, 15) / 1000,
    );
  });

  it('are refused for a perpetual license, and beyond the last year that a date has', () => {
    expect(thrown(() => laterByYears({ ...last, exp: PERPETUAL_EXP }, 1, NOW)).message).toContain('perpetual');
    expect(thrown(() => laterByYears({ ...last, exp: Date.UTC(9999, 5, 1) / 1000 }, 1, NOW)).message).toContain('9999');
    expect(thrown(() => laterByYears({ ...last, upd: Date.UTC(9998, 5, 1) / 1000 }, 9, NOW)).message).toContain('9999');
  });

  it('always end later than the last license, on a midnight if it does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 1, max: 100 }), (days, years) => {
        const exp = NOW - (NOW % DAY) + days * DAY;
        const { until = 0 } = laterByYears({ ...last, exp }, years, NOW);
        expect(until % DAY).toBe(0);
        expect(Math.abs((until - exp) / DAY - years * 365.2425)).toBeLessThan(2);
      }),
    );
  });
});
