/** What a running product makes of a changed file, of the time that goes on, and of a license that someone pastes. */
import { describe, expect, it } from 'vitest';
import { NO_TIME } from '../../../../verifier/runtime/effective-time.ts';
import {
  acceptInto,
  isNewTo,
  judgeChange,
  judgeInstall,
  judgeMoment,
  judgeStart,
  judgeWithoutFile,
  type Decision,
} from '../../../../verifier/runtime/judge.ts';
import { stateAfter, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { compositeKey, ed25519Key, EXP, IAT, licenseFile, NBF, strangeKey } from '../sample.ts';
import {
  NOTHING,
  trustWith,
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
  composite,
  behind,
} from './judged.ts';
import { DAY } from './product.ts';

describe('a file that changed', () => {
  const before = (file: Uint8Array, clock: number): Decision => {
    const one = examined(file, at(clock));
    return { inForce: one, current: one, notices: [] };
  };

  it('is taken where it is in force', () => {
    const state = stateWith(first, NBF);
    expect(told(judgeChange({ file: renewal }, at(RENEWAL_NBF, state), before(first, NBF)))).toStrictEqual({
      inForce: '8 file active',
      current: '8 file active',
      notices: [],
    });
  });

  it('leaves in force what is in force where it is refused, is missing or has lapsed', async () => {
    const state = stateWith(first, NBF);
    const rolledBack = 'counter_rolled_back: its counter is 6, and 7 was accepted before';
    const inForce = { inForce: '7 file active', current: '7 file active' };
    expect(told(judgeChange({ file: older }, at(NBF, state), before(first, NBF)))).toStrictEqual({
      ...inForce,
      refusal: rolledBack,
      notices: [rolledBack],
    });
    expect(told(judgeChange({ missing: 'gone' }, at(NBF, state), before(first, NBF)))).toStrictEqual({
      ...inForce,
      refusal: 'file_missing: gone',
      notices: ['file_missing: gone'],
    });
    const over = await made({ ctr: 8, iat: NBF - 9 * DAY, nbf: NBF - 9 * DAY, exp: NBF - DAY });
    expect(told(judgeChange({ file: over }, at(NBF, state), before(first, NBF)))).toStrictEqual({
      ...inForce,
      notices: ['lapsed: it was in force until 2026-12-31T00:00:00Z'],
    });
  });

  it('leaves the license that lapsed to be judged again where it is missing', () => {
    expect(told(judgeChange({ missing: 'gone' }, at(EXP, stateWith(first, NBF)), before(first, NBF)))).toStrictEqual({
      current: '7 file lapsed',
      refusal: 'file_missing: gone',
      notices: ['file_missing: gone'],
    });
  });

  it('that waits lets the kept license serve where a license of another lineage has lapsed', async () => {
    const other = await made({ sub: 'another', iat: IAT + 1, exp: NBF + DAY });
    const next = at(NBF + DAY, stateWith(first, NBF));
    expect(told(judgeChange({ file: renewal }, next, before(other, NBF)))).toStrictEqual({
      inForce: '7 kept active',
      current: '7 kept active',
      waiting: '8 file not_yet_valid',
      notices: [WAITS, SERVES],
    });
  });

  it('waits where it is a renewal, beside what is in force', () => {
    expect(told(judgeChange({ file: renewal }, at(NBF, stateWith(first, NBF)), before(first, NBF)))).toStrictEqual({
      inForce: '7 file active',
      current: '7 file active',
      waiting: '8 file not_yet_valid',
      notices: [WAITS],
    });
  });

  it('is what is judged from now on where nothing was judged before', () => {
    expect(told(judgeChange({ file: renewal }, at(NBF), NOTHING))).toStrictEqual({
      current: '8 file not_yet_valid',
      notices: [NOT_YET],
    });
    expect(told(judgeChange({ missing: 'gone' }, at(NBF), NOTHING))).toStrictEqual({
      refusal: 'file_missing: gone',
      notices: ['file_missing: gone'],
    });
  });

  it('that waits lets the kept license serve where the one before is no longer in force', async () => {
    const state = stateWith(composite, NBF, stateWith(first, NBF));
    const file = await made({ ctr: 10, iat: IAT + 3, nbf: RENEWAL_NBF }, compositeKey);
    expect(told(judgeChange({ file }, at(NBF, state, { trust: REVOKED }), before(first, NBF)))).toStrictEqual({
      inForce: '9 kept active',
      current: '9 kept active',
      waiting: '10 file not_yet_valid',
      notices: [WAITS],
    });
  });
});

describe('the same licenses, judged again', () => {
  const state = (): RuntimeState => stateWith(first, NBF);

  it('are none where there were none', () => {
    expect(told(judgeMoment(at(JUNE, behind(state())), {}))).toStrictEqual({ notices: [AHEAD] });
  });

  it('stay in force, come into their grace, lapse, and come into force', () => {
    const current = examined(inGrace, at(NBF));
    const moment = (clock: number): unknown => told(judgeMoment(at(clock, stateWith(inGrace, NBF)), { current }));
    expect(moment(NBF)).toStrictEqual({ inForce: '7 file active', current: '7 file active', notices: [] });
    expect(moment(EXP)).toStrictEqual({
      inForce: '7 file grace',
      current: '7 file grace',
      notices: ['in_grace: the grace ends in 10 days, at 2028-01-11T00:00:00Z'],
    });
    expect(moment(EXP + 10 * DAY)).toStrictEqual({
      current: '7 file lapsed',
      notices: ['lapsed: it was in force until 2028-01-11T00:00:00Z'],
    });
    expect(told(judgeMoment(at(NBF), { current: examined(renewal, at(NBF)) }))).toStrictEqual({
      current: '8 file not_yet_valid',
      notices: [NOT_YET],
    });
  });

  it('name the kept license beside one that is not yet valid, where that is not in force', async () => {
    const file = await made({ sub: 'another', iat: IAT + 1, nbf: EXP + DAY, exp: EXP + 9 * DAY });
    const situation = at(EXP, stateWith(first, NBF));
    expect(told(judgeMoment(situation, { current: examined(file, situation) }))).toStrictEqual({
      current: '7 file not_yet_valid',
      notices: ['not_yet_valid: it is in force from 2028-01-02T00:00:00Z', KEPT_LAPSED],
    });
  });

  it('end at a revocation, and are replaced by a newer license that the state keeps', () => {
    const current = examined(first, at(NBF));
    const revoked = `key_revoked: ${ED25519_REVOKED}`;
    const moment = (kept: RuntimeState): unknown => told(judgeMoment(at(NBF, kept, { trust: REVOKED }), { current }));
    expect(moment(state())).toStrictEqual({ current: '7 file active', notices: [revoked] });
    expect(moment(stateWith(composite, NBF, state()))).toStrictEqual({
      inForce: '9 kept active',
      current: '9 kept active',
      notices: [revoked, 'kept_license_serves: the license with the counter 9 is in force'],
    });
  });

  it('end, though the state keeps the same license, where only its copy is judged otherwise', () => {
    // A key that was taken out of the trust is unknown; the copy of another key is the same payload.
    const payload = examined(first, at(NBF));
    const current = { ...payload, accepted: { ...payload.accepted, kid: strangeKey.publicKey.kid } };
    expect(told(judgeMoment(at(NBF, state()), { current }))).toStrictEqual({
      current: '7 file active',
      notices: [`key_unknown: the key ${strangeKey.publicKey.kid} is not among the trusted ones`],
    });
  });

  describe('beside a renewal that waits', () => {
    const waiting = (): Decision => ({
      current: examined(first, at(NBF)),
      waiting: examined(renewal, at(NBF, state())),
      notices: [],
    });

    it('wait on until its time, when it comes into force', async () => {
      expect(told(judgeMoment(at(RENEWAL_NBF - 1, state()), waiting()))).toStrictEqual({
        inForce: '7 file active',
        current: '7 file active',
        waiting: '8 file not_yet_valid',
        notices: [WAITS],
      });
      expect(told(judgeMoment(at(RENEWAL_NBF, state()), waiting()))).toStrictEqual({
        inForce: '8 file active',
        current: '8 file active',
        notices: [],
      });
      const short = await made({ ctr: 8, nbf: RENEWAL_NBF, exp: EXP, grace: 10 * DAY });
      const late = { ...waiting(), waiting: examined(short, at(NBF, state())) };
      expect(told(judgeMoment(at(EXP, state()), late))).toStrictEqual({
        inForce: '8 file grace',
        current: '8 file grace',
        notices: ['in_grace: the grace ends in 10 days, at 2028-01-11T00:00:00Z'],
      });
    });

    it('give it up where it is refused meanwhile', () => {
      const trust = trustWith({ lowestCounters: [['example-vendor/vaultdesk/acme-gmbh', 9]] });
      const { current: _current, ...only } = waiting();
      const superseded = 'superseded: its counter is 8, and the lowest that the vendor allows here is 9';
      expect(told(judgeMoment(at(NBF, state(), { trust }), only))).toStrictEqual({ notices: [superseded] });
    });

    it('name the kept license where nothing serves until its time', async () => {
      const later = await made({ ctr: 8, nbf: EXP + DAY, exp: EXP + 9 * DAY });
      const situation = at(EXP, state());
      const waits = 'renewal_waits: it comes into force at 2028-01-02T00:00:00Z';
      const only: Decision = { waiting: examined(later, situation), notices: [] };
      expect(told(judgeMoment(situation, only))).toStrictEqual({
        waiting: '8 file not_yet_valid',
        notices: [waits, KEPT_LAPSED],
      });
      expect(told(judgeMoment(at(NBF, state()), only))).toStrictEqual({
        waiting: '8 file not_yet_valid',
        notices: [waits],
      });
      expect(told(judgeMoment(situation, { ...only, current: examined(first, at(NBF)) }))).toStrictEqual({
        current: '7 file lapsed',
        waiting: '8 file not_yet_valid',
        notices: [waits, LAPSED],
      });
    });

    it('end at a revocation of their key, and stay known until the renewal', async () => {
      const file = await made({ ctr: 8, nbf: RENEWAL_NBF }, compositeKey);
      const one: Decision = { ...waiting(), waiting: examined(file, at(NBF, state())) };
      const revoked = `key_revoked: ${ED25519_REVOKED}`;
      expect(told(judgeMoment(at(NBF, state(), { trust: REVOKED }), one))).toStrictEqual({
        current: '7 file active',
        waiting: '8 file not_yet_valid',
        notices: [WAITS, revoked, `kept_license_unusable: ${revoked}`],
      });
      const newer = await licenseFile({ ctr: 7, tier: 'other', sub: 'another', iat: IAT + 9, grace: 0 }, compositeKey);
      const kept: RuntimeState = { ...state(), kept: { sequence: 2, file: newer } };
      expect(told(judgeMoment(at(NBF, kept, { trust: REVOKED }), one))).toStrictEqual({
        inForce: '7 kept active',
        current: '7 kept active',
        waiting: '8 file not_yet_valid',
        notices: [WAITS, revoked, SERVES],
      });
    });
  });
});

describe('a license that someone pastes', () => {
  const state = (): RuntimeState => stateWith(first, NBF);
  const only = (refusal: string): unknown => ({ refusal, notices: [refusal] });

  it('comes into force, also in its grace, or waits', () => {
    expect(told(judgeInstall(first, at(JUNE, behind(state()))))).toStrictEqual({
      inForce: '7 file active',
      current: '7 file active',
      notices: [],
    });
    expect(told(judgeInstall(inGrace, at(EXP)))).toStrictEqual({
      inForce: '7 file grace',
      current: '7 file grace',
      notices: ['in_grace: the grace ends in 10 days, at 2028-01-11T00:00:00Z'],
    });
    expect(told(judgeInstall(renewal, at(NBF, state())))).toStrictEqual({
      waiting: '8 file not_yet_valid',
      notices: [WAITS],
    });
  });

  it('is refused with its reason', () => {
    expect(told(judgeInstall(older, at(NBF, state())))).toStrictEqual(
      only('counter_rolled_back: its counter is 6, and 7 was accepted before'),
    );
    expect(told(judgeInstall(first, at(EXP)))).toStrictEqual(only(LAPSED));
    expect(told(judgeInstall(first, at(EXP, state())))).toStrictEqual(only(LAPSED));
    expect(told(judgeInstall(renewal, at(NBF)))).toStrictEqual(only(NOT_YET));
  });

  it('is refused with both reasons where it is too early, and no license serves until then', async () => {
    const other = await made({ sub: 'another', iat: IAT + 1, nbf: EXP + DAY, exp: EXP + 9 * DAY });
    expect(told(judgeInstall(other, at(EXP, state())))).toStrictEqual(
      only(
        'not_yet_valid: it is in force from 2028-01-02T00:00:00Z, and the license that was accepted last is not in ' +
          'force either: lapsed: it was in force until 2028-01-01T00:00:00Z',
      ),
    );
  });
});

describe('a license that comes into force', () => {
  it('is new to a state that does not know it', () => {
    const state = stateWith(first, NBF);
    expect(isNewTo(state, examined(first, at(NBF)))).toBe(false);
    expect(isNewTo(state, examined(composite, at(NBF)))).toBe(true);
  });

  it('is in the state after that, unless another process was faster or its time has passed', () => {
    const [state, one] = [stateWith(first, NBF), examined(composite, at(NBF))];
    const after = acceptInto(at(NBF, state), one);
    expect(after).toStrictEqual({ state: stateAfter(state, one.accepted, composite) });
    const refused = acceptInto(at(NBF, after.state), examined(renewal, at(RENEWAL_NBF)));
    expect(refused.state).toBe(after.state);
    expect(refused.refused && said(refused.refused)).toBe(
      'counter_rolled_back: its counter is 8, and 9 was accepted before',
    );
    const over = acceptInto(at(EXP, state), one);
    expect([over.state, over.refused && said(over.refused)]).toStrictEqual([state, LAPSED]);
  });

  it('takes away the time of a license with clk by a key that was revoked', () => {
    const state = { ...stateWith(first, NBF), epoch: 1, time: { ...NO_TIME, floor: EXP } };
    const { kid } = ed25519Key.publicKey;
    const situation = at(NBF, state, { counts: (by) => by !== kid });
    expect(acceptInto(situation, examined(composite, at(NBF))).state).toMatchObject({ epoch: 2, time: NO_TIME });
  });

  it('leaves the kept license, or the free tier, where the product does not take it', () => {
    const { notices } = judgeStart({ missing: 'gone' }, at(NBF));
    expect(told(judgeWithoutFile(at(NBF, stateWith(first, NBF)), notices))).toStrictEqual({
      inForce: '7 kept active',
      current: '7 kept active',
      notices: ['file_missing: gone', SERVES],
    });
    expect(told(judgeWithoutFile(at(NBF), notices))).toStrictEqual({ notices: ['file_missing: gone'] });
  });
});
