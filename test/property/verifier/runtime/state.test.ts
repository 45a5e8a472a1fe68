import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../../formats/bytes.ts';
import { MAX_TIME } from '../../../../formats/license/bounds.ts';
import { lineageKey } from '../../../../verifier/rollback.ts';
import {
  advanceTime,
  effectiveTime,
  isFarAhead,
  LEAD_RUN_SECONDS,
  NO_TIME,
  type TimeMarks,
} from '../../../../verifier/runtime/effective-time.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import {
  EMPTY_STATE,
  mergeStates,
  seenOf,
  stateAfter,
  type AcceptedEntry,
  type RuntimeState,
} from '../../../../verifier/runtime/state.ts';
import type { Accepted, VerifiedLicense } from '../../../../verifier/verdict.ts';
import { license } from '../../../unit/verifier/sample.ts';

const hex = (fill: number): string => fill.toString(16).padStart(2, '0').repeat(32);
const DAY = 86_400;

const entry: fc.Arbitrary<AcceptedEntry> = fc.record({
  lineage: fc.constantFrom('v/p/a', 'v/p/b', 'v/p/b/prod'),
  kid: fc.constantFrom(hex(1), hex(2)),
  counter: fc.integer({ min: 1, max: 5 }),
  payloadDigest: fc.constantFrom(hex(7), hex(8)),
  iat: fc.integer({ min: 0, max: 9 }),
  sequence: fc.integer({ min: 0, max: 6 }),
});

const sorted = (entries: readonly AcceptedEntry[]): AcceptedEntry[] =>
  [...entries].sort((a, b) => (`${a.lineage}\n${a.kid}` < `${b.lineage}\n${b.kid}` ? -1 : 1));

const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 });

const state: fc.Arbitrary<RuntimeState> = fc
  .record(
    {
      epoch: fc.integer({ min: 0, max: 2 }),
      time: fc.record({
        floor: fc.integer({ min: 0, max: 5 }),
        leadRun: fc.integer({ min: 0, max: 5 }),
        leadTime: fc.integer({ min: 0, max: 5 }),
      }),
      entries: fc
        .uniqueArray(entry, { selector: ({ lineage, kid }) => `${lineage}\n${kid}`, maxLength: 6 })
        .map(sorted),
      revision: fc.integer({ min: 0, max: 3 }),
      kept: fc.record({ sequence: fc.integer({ min: 0, max: 6 }), file: bytes }),
      keyset: fc.record({ version: fc.integer({ min: 0, max: 3 }), chain: bytes }),
      lease: fc.record({ holder: fc.constantFrom('x', 'y'), beat: fc.integer({ min: 0, max: 3 }) }),
      unknown: fc.constantFrom(new Map([['later', 1]]), new Map([['later', 2]])),
    },
    { requiredKeys: ['epoch', 'time', 'entries', 'revision'] },
  )
  .map((made) => made as RuntimeState);

describe('the state document', () => {
  it('reads back as the state that was written', () => {
    fc.assert(
      fc.property(state, (one) => {
        expect(decodeState(encodeState(one))).toEqual({ ok: true, state: one });
      }),
      { numRuns: 1000 },
    );
  });

  it('is corrupt with any one bit flipped, and with its end missing', () => {
    fc.assert(
      fc.property(state, fc.nat(), fc.integer({ min: 0, max: 7 }), (one, at, bit) => {
        const whole = encodeState(one);
        const bent = Uint8Array.from(whole);
        const place = at % whole.length;
        bent[place] = (bent[place] ?? 0) ^ (1 << bit);
        expect(decodeState(bent)).toMatchObject({ ok: false, fault: 'corrupt' });
        expect(decodeState(whole.subarray(0, place))).toMatchObject({ ok: false, fault: 'corrupt' });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('merging copies of the state', () => {
  it('gives the same in every order, and once is as good as twice', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        const whole = mergeStates(mergeStates(a, b), c);
        expect(mergeStates(a, mergeStates(b, c))).toEqual(whole);
        expect(mergeStates(mergeStates(c, a), b)).toEqual(whole);
        expect(mergeStates(a, a)).toEqual(a);
        expect(mergeStates(whole, b)).toEqual(whole);
      }),
      { numRuns: 3000 },
    );
  });

  it('never lowers a counter, and takes time from the higher epoch only', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        const merged = mergeStates(a, b);
        for (const { lineage, kid, counter } of [...a.entries, ...b.entries])
          expect(
            merged.entries.find((one) => one.lineage === lineage && one.kid === kid)?.counter,
          ).toBeGreaterThanOrEqual(counter);
        const [newer, older] = a.epoch >= b.epoch ? [a, b] : [b, a];
        expect(merged.time.floor).toBe(
          newer.epoch === older.epoch ? Math.max(a.time.floor, b.time.floor) : newer.time.floor,
        );
        if (newer.epoch > older.epoch && newer.entries.length > 0)
          expect(Math.max(...merged.entries.map(({ iat }) => iat))).toBe(
            Math.max(...newer.entries.map(({ iat }) => iat)),
          );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('entries of a revoked key', () => {
  it('no longer count: neither their counter, nor their iat, nor as the current lineage', () => {
    const entries = [
      { lineage: 'v/p/a', kid: hex(1), counter: 7, payloadDigest: hex(7), iat: 100, sequence: 1 },
      { lineage: 'v/p/a', kid: hex(2), counter: 2 ** 53 - 1, payloadDigest: hex(8), iat: 9000, sequence: 2 },
      { lineage: 'v/p/b', kid: hex(2), counter: 1, payloadDigest: hex(8), iat: 9000, sequence: 3 },
    ];
    const both = { ...EMPTY_STATE, entries };
    expect(seenOf(both, () => true)).toMatchObject({ current: 'v/p/b', highestIat: 9000 });
    const seen = seenOf(both, (kid) => kid !== hex(2));
    expect(seen?.current).toBe('v/p/a');
    expect(seen?.highestIat).toBe(100);
    expect(seen?.lineages).toEqual(new Map([['v/p/a', { counter: 7, payloadDigest: hex(7) }]]));
    expect(seenOf(both, () => false)).toBeUndefined();
  });
});

describe('a license with clk', () => {
  it('begins an epoch whose floor and highest iat are its own iat', () => {
    const before: RuntimeState = {
      ...EMPTY_STATE,
      time: { floor: 900, leadRun: 5, leadTime: 900 },
      entries: [
        { lineage: 'v/p/b', kid: hex(2), counter: 1, payloadDigest: hex(8), iat: 800, sequence: 1 },
        { lineage: lineageKey(license), kid: hex(1), counter: 1, payloadDigest: hex(7), iat: 850, sequence: 2 },
      ],
    };
    const after = stateAfter(before, acceptedAs({ ctr: 2, iat: 500, clk: true }, true), Uint8Array.of(1));
    expect(after).toMatchObject({ epoch: 1, time: { floor: 500, leadRun: 0, leadTime: 0 } });
    expect(seenOf(after, () => true)?.highestIat).toBe(500);
    expect(seenOf(mergeStates(before, after), () => true)?.highestIat).toBe(500);
    expect(mergeStates(before, after).time.floor).toBe(500);
  });
});

describe('accepting', () => {
  it('the same license again changes nothing', () => {
    const once = stateAfter(EMPTY_STATE, acceptedAs({ ctr: 2 }, false), Uint8Array.of(1));
    expect(stateAfter(once, acceptedAs({ ctr: 2 }, false), Uint8Array.of(1, 2))).toBe(once);
    expect(equalBytes(once.kept?.file ?? new Uint8Array(), Uint8Array.of(1))).toBe(true);
  });
});

function acceptedAs(changes: Partial<typeof license> & { clk?: true }, resetsClock: boolean): Accepted {
  const own = { ...license, ...changes };
  return {
    ok: true,
    state: 'active',
    license: own as VerifiedLicense,
    alg: 'ed25519',
    kid: hex(1),
    payloadDigest: hex(own.ctr),
    lineage: lineageKey(own),
    standing: 'newer',
    judgedAt: own.nbf,
    graceUntil: own.exp,
    resetsClock,
  };
}

describe('effective time', () => {
  const step = fc.record({
    elapsed: fc.integer({ min: 0, max: 2 * DAY }),
    jump: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -900 * DAY, max: 900 * DAY }) },
    ),
  });

  it('has a floor that never falls, never passes a clock that was far ahead, and never rises faster than it may', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let marks: TimeMarks = { ...NO_TIME, floor: 1_800_000_000 };
        let clock = marks.floor;
        for (const { elapsed, jump } of steps) {
          clock = Math.max(0, clock + elapsed + jump);
          const far = isFarAhead(marks.floor, clock, elapsed);
          const next = advanceTime(marks, clock, elapsed);
          expect(next.floor).toBeGreaterThanOrEqual(marks.floor + elapsed);
          if (next.floor > marks.floor + elapsed) expect(next.floor).toBeLessThanOrEqual(clock);
          if (far && marks.leadRun + elapsed < LEAD_RUN_SECONDS) expect(next.floor).toBe(marks.floor + elapsed);
          expect(effectiveTime(next.floor, 0, clock, 0)).toBeGreaterThanOrEqual(clock);
          marks = next;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('recovers from one start in 2099: the floor is as if it had not been', () => {
    const floor = 1_800_000_000;
    const wrong = advanceTime({ ...NO_TIME, floor }, 4_070_908_800, 3600);
    const right = advanceTime(wrong, floor + 7200, 3600);
    expect(right).toEqual({ floor: floor + 7200, leadRun: 0, leadTime: 0 });
  });

  it('makes a clock that stays ahead the floor after 72 hours of running, added up over restarts', () => {
    const ahead = 400 * DAY;
    let marks: TimeMarks = { ...NO_TIME, floor: 1_800_000_000 };
    let clock = marks.floor + ahead;
    for (let hour = 1; hour < 72; hour++) {
      clock += 3600;
      marks = advanceTime(marks, clock, 3600);
      expect(marks.floor).toBe(1_800_000_000 + hour * 3600);
    }
    marks = advanceTime(marks, clock + 3600, 3600);
    expect(marks).toEqual({ floor: clock + 3600, leadRun: 0, leadTime: 0 });
  });

  it('does not let a clock that is wrong in the last of these hours become the floor', () => {
    const floor = 1_800_000_000;
    const marks = { floor, leadRun: LEAD_RUN_SECONDS - 3600, leadTime: floor + 10 * DAY };
    expect(advanceTime(marks, 4_070_908_800, 3600).floor).toBe(floor + 10 * DAY + 3600);
  });

  it('takes any reading of a clock, and stays within the times of the format', () => {
    for (const clock of [Number.NaN, -1, Infinity, 1e300, 0.5])
      expect(effectiveTime(0, 0, clock, 0)).toBeLessThanOrEqual(MAX_TIME);
  });
});
