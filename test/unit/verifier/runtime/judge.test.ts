/** What a start of a product makes of the license file, of the state and of the time. */
import { describe, expect, it } from 'vitest';
import { NO_TIME } from '../../../../verifier/runtime/effective-time.ts';
import {
  contextOf,
  isSameInForce,
  isSameSource,
  judgeMoment,
  judgeStart,
  nextChange,
  type Decision,
  type Situation,
  type Source,
} from '../../../../verifier/runtime/judge.ts';
import { EMPTY_STATE, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { EXP, IAT, NBF, strangeKey } from '../sample.ts';
import {
  NOTHING,
  trustWith,
  TRUST,
  REVOKED,
  ED25519_REVOKED,
  at,
  examined,
  stateWith,
  said,
  told,
  WAITS,
  NOT_YET,
  LAPSED,
  SERVES,
  KEPT_LAPSED,
  RENEWAL_NBF,
  AHEAD,
  JUNE,
  made,
  first,
  renewal,
  inGrace,
  older,
  strange,
  composite,
  behind,
} from './judged.ts';
import { DAY } from './product.ts';

describe('the time that a license is judged at', () => {
  it('is the clock, or what the licenses prove, or the floor with the running time', () => {
    expect(contextOf(at(NBF + 0.9))).toStrictEqual({ ...at(0).product, now: NBF, clock: NBF });
    expect(contextOf(at(0))).toMatchObject({ now: 0, clock: 0 });
    const state = stateWith(first, NBF);
    const seen = { current: 'example-vendor/vaultdesk/acme-gmbh', highestIat: IAT };
    expect(contextOf(at(5, state))).toMatchObject({ now: IAT, clock: 5, seen });
    expect(contextOf(at(5, behind(state), { elapsed: 60 }))).toMatchObject({ now: NBF + 60, clock: 5 });
  });

  it('does not depend on the floor of a license with clk once its key is revoked', () => {
    const state = { ...stateWith(first, NBF), epoch: 1, time: { ...NO_TIME, floor: EXP } };
    expect(contextOf(at(NBF, state)).now).toBe(EXP);
    expect(contextOf(at(NBF, state, { counts: () => false }))).not.toHaveProperty('seen');
    expect(contextOf(at(NBF, state, { counts: () => false })).now).toBe(NBF);
  });
});

describe('a start', () => {
  it('without a file is refused, with the path where there is one', () => {
    const missing = judgeStart({ missing: 'it is not there' }, at(NBF));
    expect(told(missing)).toStrictEqual({
      refusal: 'file_missing: it is not there',
      notices: ['file_missing: it is not there'],
    });
    expect(missing.refusal?.values).toStrictEqual({});
    expect(judgeStart({ missing: 'gone', path: '/license' }, at(NBF)).refusal?.values).toStrictEqual({
      path: '/license',
    });
    const state = behind(stateWith(first, NBF));
    expect(told(judgeStart({ missing: 'gone' }, at(JUNE, state)))).toMatchObject({
      notices: [AHEAD, 'file_missing: gone'],
    });
  });

  it('takes a license that is active, and one in its grace with the days that are left', () => {
    expect(told(judgeStart({ file: first }, at(NBF)))).toStrictEqual({
      inForce: '7 file active',
      current: '7 file active',
      notices: [],
    });
    const daysLeft = (clock: number): unknown => told(judgeStart({ file: inGrace }, at(clock)));
    const grace = (left: string): unknown => ({
      inForce: '7 file grace',
      current: '7 file grace',
      notices: [`in_grace: the grace ends in ${left}, at 2028-01-11T00:00:00Z`],
    });
    expect(daysLeft(EXP)).toStrictEqual(grace('10 days'));
    expect(daysLeft(EXP + 9 * DAY - 1)).toStrictEqual(grace('2 days'));
    expect(daysLeft(EXP + 9 * DAY)).toStrictEqual(grace('1 day'));
    expect(judgeStart({ file: inGrace }, at(EXP)).notices[0]?.values).toStrictEqual({
      days: 10,
      until: EXP + 10 * DAY,
    });
  });

  it('without a license in force is refused, or gives the free tier where that is no outage', () => {
    const unknown = `key_unknown: the key ${strangeKey.publicKey.kid} is not among the trusted ones`;
    expect(told(judgeStart({ file: strange }, at(NBF)))).toStrictEqual({ refusal: unknown, notices: [unknown] });
    const revoked = `key_revoked: ${ED25519_REVOKED}`;
    expect(told(judgeStart({ file: first }, at(NBF, EMPTY_STATE, { trust: REVOKED })))).toStrictEqual({
      notices: [revoked],
    });
    expect(told(judgeStart({ file: first }, at(EXP)))).toStrictEqual({ current: '7 file lapsed', notices: [LAPSED] });
    expect(told(judgeStart({ file: renewal }, at(NBF)))).toStrictEqual({
      current: '8 file not_yet_valid',
      notices: [NOT_YET],
    });
  });

  it('says of another license that is not yet valid why the kept one does not serve until then', async () => {
    const other = await made({ sub: 'another', iat: IAT + 1, nbf: EXP + DAY, exp: EXP + 9 * DAY });
    const starts = (clock: number): unknown => told(judgeStart({ file: other }, at(clock, stateWith(first, NBF))));
    const notYet = 'not_yet_valid: it is in force from 2028-01-02T00:00:00Z';
    expect(starts(EXP)).toStrictEqual({ current: '7 file not_yet_valid', notices: [notYet, KEPT_LAPSED] });
    expect(starts(NBF)).toStrictEqual({ current: '7 file not_yet_valid', notices: [notYet] });
  });

  it('with a renewal that waits is served by the kept license', () => {
    const state = stateWith(first, NBF);
    expect(told(judgeStart({ file: renewal }, at(JUNE, behind(state))))).toStrictEqual({
      inForce: '7 kept active',
      current: '7 kept active',
      waiting: '8 file not_yet_valid',
      notices: [AHEAD, WAITS, SERVES],
    });
    expect(told(judgeStart({ file: renewal }, at(NBF, { ...stateWith(inGrace, NBF), epoch: 0 })))).toMatchObject({
      notices: [WAITS, SERVES],
    });
  });

  it('with a renewal that waits, and no kept license in force, waits', async () => {
    const { kept: _kept, ...lost } = stateWith(first, NBF);
    expect(told(judgeStart({ file: renewal }, at(NBF, lost)))).toStrictEqual({
      waiting: '8 file not_yet_valid',
      notices: [NOT_YET],
    });
    const later = await made({ ctr: 8, nbf: EXP + DAY, exp: EXP + 9 * DAY });
    expect(told(judgeStart({ file: later }, at(EXP, stateWith(first, NBF))))).toStrictEqual({
      waiting: '8 file not_yet_valid',
      notices: ['not_yet_valid: it is in force from 2028-01-02T00:00:00Z', KEPT_LAPSED],
    });
  });
});

describe('a start with a file that cannot be used, where the kept license may serve', () => {
  const rolledBack = 'counter_rolled_back: its counter is 6, and 7 was accepted before';
  const unknown = `key_unknown: the key ${strangeKey.publicKey.kid} is not among the trusted ones`;

  it('is served by it for a file with an unknown key or an older counter of the same lineage', () => {
    const state = stateWith(first, NBF);
    const served = { inForce: '7 kept active', current: '7 kept active' };
    expect(told(judgeStart({ file: older }, at(NBF, state), 'kept'))).toStrictEqual({
      ...served,
      notices: [rolledBack, SERVES],
    });
    expect(told(judgeStart({ file: strange }, at(JUNE, behind(state)), 'kept'))).toStrictEqual({
      ...served,
      notices: [AHEAD, unknown, SERVES],
    });
    const grace = 'in_grace: the grace ends in 10 days, at 2028-01-11T00:00:00Z';
    expect(told(judgeStart({ file: older }, at(EXP, stateWith(inGrace, NBF)), 'kept'))).toMatchObject({
      notices: [rolledBack, SERVES, grace],
    });
  });

  it('is refused where the product did not choose so', () => {
    expect(told(judgeStart({ file: older }, at(NBF, stateWith(first, NBF))))).toStrictEqual({
      refusal: rolledBack,
      notices: [rolledBack],
    });
  });

  it('is refused with both faults where the kept license is not in force, and with one where there is none', () => {
    expect(told(judgeStart({ file: strange }, at(EXP, stateWith(first, NBF)), 'kept'))).toStrictEqual({
      refusal: unknown,
      notices: [KEPT_LAPSED, unknown],
    });
    expect(told(judgeStart({ file: strange }, at(NBF), 'kept'))).toStrictEqual({
      refusal: unknown,
      notices: [unknown],
    });
  });

  it('names the reason for which the kept license is refused', () => {
    const situation = at(NBF, stateWith(first, NBF), { trust: REVOKED });
    const { notices } = judgeStart({ file: strange }, situation, 'kept');
    expect(notices.map(said)).toStrictEqual([`kept_license_unusable: key_revoked: ${ED25519_REVOKED}`, unknown]);
    expect(notices[0]?.values).toStrictEqual({ reason: 'key_revoked' });
  });

  it('is refused for a lower counter of another lineage, and for the same counter of another license', async () => {
    const other = await made({ sub: 'another', ctr: 9, iat: IAT + 1 });
    const state = stateWith(other, NBF, stateWith(first, NBF));
    const back = await made({ ctr: 6, iat: IAT + 2 });
    expect(told(judgeStart({ file: back }, at(NBF, state), 'kept'))).toMatchObject({ refusal: rolledBack });
    const conflict = judgeStart({ file: await made({ seats: 9 }) }, at(NBF, stateWith(first, NBF)), 'kept');
    expect(conflict.refusal?.code).toBe('counter_conflict');
    expect(conflict.notices).toHaveLength(1);
  });
});

describe('the next moment at which something changes', () => {
  it('is the next boundary of the license, of a renewal that waits, or of the policy', () => {
    const current = examined(inGrace, at(NBF));
    const decision: Decision = { current, notices: [] };
    const next = (now: number, one: Decision = decision, trust = TRUST): unknown => nextChange(one, trust, now);
    expect(next(NBF - 1)).toBe(NBF);
    expect(next(NBF)).toBe(EXP);
    expect(next(EXP)).toBe(EXP + 10 * DAY);
    expect(next(EXP + 10 * DAY)).toBeUndefined();
    expect(next(NBF, NOTHING)).toBeUndefined();
    const waiting = examined(renewal, at(NBF, stateWith(first, NBF)));
    expect(next(NBF, { ...decision, waiting })).toBe(RENEWAL_NBF);
    const dated = trustWith({ ed25519Until: NBF + 9 });
    expect(next(NBF, decision, dated)).toBe(NBF + 9);
    expect(next(NBF, { current: examined(composite, at(NBF)), notices: [] }, dated)).toBe(EXP);
  });
});

describe('a warning about a clock that is far ahead', () => {
  it('is given only once the floor has reached the time that the licenses prove', () => {
    const state = stateWith(first, NBF);
    const floor = (value: number): RuntimeState => ({ ...state, time: { ...NO_TIME, floor: value } });
    const warned = (situation: Situation): readonly string[] => judgeMoment(situation, {}).notices.map(said);
    expect(warned(at(JUNE, floor(IAT - 1)))).toStrictEqual([]);
    expect(warned(at(JUNE, floor(IAT)))).toStrictEqual([AHEAD]);
    expect(warned(at(IAT + DAY, floor(IAT)))).toStrictEqual([]);
    expect(warned(at(IAT + DAY + 2, floor(IAT), { elapsed: 1 }))).toHaveLength(1);
    expect(warned(at(JUNE))).toStrictEqual([]);
    expect(judgeMoment(at(JUNE, floor(IAT)), {}).notices[0]?.values).toStrictEqual({ clock: JUNE });
  });
});

describe('what was read', () => {
  it('is the same only where the bytes are, or why there are none', () => {
    const all: readonly Source[] = [
      { file: first },
      { file: renewal },
      { file: new Uint8Array() },
      { missing: 'it is a folder' },
      { missing: 'permission denied' },
    ];
    for (const a of all) for (const b of all) expect(isSameSource(a, b)).toBe(a === b);
    expect(isSameSource({ file: first }, undefined)).toBe(false);
  });
});

describe('what is in force', () => {
  it('is the same only where license and place are', () => {
    const free: Decision = { notices: [] };
    const active: Decision = { inForce: examined(first, at(NBF)), notices: [] };
    const inItsGrace: Decision = { inForce: examined(inGrace, at(EXP)), notices: [] };
    const kept: Decision = { inForce: examined(first, at(NBF), 'kept'), notices: [] };
    const all = [free, active, inItsGrace, kept];
    expect(all.map((a) => all.map((b) => isSameInForce(a, b)))).toEqual([
      [true, false, false, false],
      [false, true, false, false],
      [false, false, true, false],
      [false, false, false, true],
    ]);
  });
});
