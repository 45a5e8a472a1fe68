/** What a runtime remembers of the licenses that came into force, as a value. */
import { describe, expect, it } from 'vitest';
import type { License } from '../../../../formats/license/license.ts';
import { lineageKey } from '../../../../verifier/rollback.ts';
import { NO_TIME } from '../../../../verifier/runtime/effective-time.ts';
import {
  EMPTY_STATE,
  mergeStates,
  seenOf,
  stateAfter,
  withTimeThatCounts,
  type AcceptedEntry,
  type RuntimeState,
} from '../../../../verifier/runtime/state.ts';
import type { Accepted, VerifiedLicense } from '../../../../verifier/verdict.ts';
import { license } from '../sample.ts';

const hex = (fill: number): string => fill.toString(16).padStart(2, '0').repeat(32);
const LINEAGE = lineageKey(license);
const [KEY, OTHER_KEY, DIGEST] = [hex(1), hex(2), hex(7)];
const FILE = Uint8Array.of(1, 2);
const OTHER_FILE = Uint8Array.of(3);

const entry = (changes: Partial<AcceptedEntry> = {}): AcceptedEntry => ({
  lineage: LINEAGE,
  kid: KEY,
  counter: 7,
  payloadDigest: DIGEST,
  iat: 100,
  sequence: 1,
  ...changes,
});

const stateWith = (entries: readonly AcceptedEntry[], changes: Partial<RuntimeState> = {}): RuntimeState => ({
  ...EMPTY_STATE,
  entries,
  ...changes,
});

function accepted(changes: Partial<License> = {}, verdict: Partial<Accepted> = {}): Accepted {
  const own = { ...license, iat: 100, ...changes };
  return {
    ok: true,
    state: 'active',
    license: own as VerifiedLicense,
    alg: 'ed25519',
    kid: KEY,
    payloadDigest: DIGEST,
    lineage: lineageKey(own),
    standing: 'newer',
    judgedAt: own.nbf,
    graceUntil: own.exp,
    resetsClock: false,
    ...verdict,
  };
}

const always = (): boolean => true;

describe('what counts as accepted before', () => {
  it('is nothing where nothing was accepted', () => {
    expect(seenOf(EMPTY_STATE, always)).toBeUndefined();
  });

  it('has the highest counter of each lineage over all keys, and of one counter the higher digest', () => {
    const low = entry({ counter: 5, payloadDigest: hex(9) });
    const high = entry({ kid: OTHER_KEY, counter: 6, payloadDigest: hex(8), sequence: 2 });
    const twin = entry({ kid: hex(3), counter: 6, payloadDigest: hex(9), sequence: 3 });
    const counterOf = (...entries: AcceptedEntry[]): unknown => seenOf(stateWith(entries), always)?.lineages;
    const expected = new Map([[LINEAGE, { counter: 6, payloadDigest: hex(8) }]]);
    expect(counterOf(low, high)).toStrictEqual(expected);
    expect(counterOf(high, low)).toStrictEqual(expected);
    const higher = new Map([[LINEAGE, { counter: 6, payloadDigest: hex(9) }]]);
    expect(counterOf(low, high, twin)).toStrictEqual(higher);
    expect(counterOf(twin, high, low)).toStrictEqual(higher);
  });

  it.each<[rule: string, earlier: Partial<AcceptedEntry>, later: Partial<AcceptedEntry>]>([
    ['the highest sequence', { sequence: 1, iat: 900 }, { sequence: 2, iat: 100 }],
    ['of equal sequences the highest iat', { sequence: 2, iat: 100, lineage: 'z/z/z' }, { sequence: 2, iat: 900 }],
    ['of equal iats too the last lineage', { lineage: 'a/a/a' }, { lineage: 'b/b/b' }],
  ])('has as its current lineage the one with %s', (_rule, earlier, later) => {
    const [a, b] = [entry({ lineage: 'm/m/m', ...earlier }), entry({ lineage: 'n/n/n', ...later })];
    for (const entries of [
      [a, b],
      [b, a],
    ]) {
      const seen = seenOf(stateWith(entries), always);
      expect(seen?.current).toBe(b.lineage);
      expect(seen?.highestIat).toBe(Math.max(a.iat, b.iat));
    }
  });

  it('has no time where a license was issued at the first second of 1970', () => {
    expect(seenOf(stateWith([entry({ iat: 0 })]), always)?.highestIat).toBe(0);
    expect(stateAfter(EMPTY_STATE, accepted({ iat: 0 }), FILE).entries).toStrictEqual([entry({ iat: 0 })]);
  });

  it('leaves out payloads that no longer count', () => {
    const entries = [entry(), entry({ lineage: 'b/b/b', payloadDigest: hex(8), iat: 900, sequence: 9 })];
    expect(seenOf(stateWith(entries), (_kid, digest) => digest === DIGEST)).toStrictEqual({
      current: LINEAGE,
      highestIat: 100,
      lineages: new Map([[LINEAGE, { counter: 7, payloadDigest: DIGEST }]]),
    });
  });
});

describe('the marks of time', () => {
  const time = { floor: 900, leadRun: 5, leadTime: 950 };

  it('no longer count where a license with clk set them and nothing that was accepted counts', () => {
    const state = stateWith([entry()], { epoch: 2, time });
    expect(withTimeThatCounts(state, () => false)).toStrictEqual({ ...state, epoch: 3, time: NO_TIME });
  });

  it.each<[what: string, state: RuntimeState, counts: boolean]>([
    ['no license with clk came into force', stateWith([entry()], { time }), false],
    ['there is nothing that was accepted', stateWith([], { epoch: 2, time }), false],
    ['something that was accepted counts', stateWith([entry()], { epoch: 2, time }), true],
    ['they were taken away before', stateWith([entry()], { epoch: 2, time: NO_TIME }), false],
  ])('stay as they are where %s', (_what, state, counts) => {
    expect(withTimeThatCounts(state, () => counts)).toBe(state);
  });
});

describe('a license that comes into force', () => {
  it('is the first entry of an empty state, and the license that it keeps', () => {
    expect(stateAfter(EMPTY_STATE, accepted(), FILE)).toStrictEqual({
      ...EMPTY_STATE,
      entries: [entry()],
      kept: { sequence: 1, file: FILE },
    });
  });

  it('raises the counter, the iat and the sequence of its own key and lineage only', () => {
    const others = [entry({ kid: OTHER_KEY, sequence: 4 }), entry({ lineage: 'z/z/z', sequence: 3 })];
    const before = stateWith([entry(), ...others], { kept: { sequence: 4, file: OTHER_FILE } });
    const next = accepted({ ctr: 8, iat: 200 }, { payloadDigest: hex(9) });
    expect(stateAfter(before, next, FILE)).toStrictEqual({
      ...before,
      entries: [entry({ counter: 8, payloadDigest: hex(9), iat: 200, sequence: 5 }), ...others],
      kept: { sequence: 5, file: FILE },
    });
  });

  it('of a new key or lineage is a new entry, in the order of lineages and keys', () => {
    const before = stateWith([entry({ kid: OTHER_KEY }), entry({ lineage: 'z/z/z' })]);
    const entries = stateAfter(before, accepted(), FILE).entries;
    expect(entries).toStrictEqual([entry({ sequence: 2 }), ...before.entries]);
    const later = stateAfter(before, accepted({}, { kid: hex(3) }), FILE).entries;
    expect(later.map(({ lineage, kid }) => [lineage, kid])).toStrictEqual([
      [LINEAGE, OTHER_KEY],
      [LINEAGE, hex(3)],
      ['z/z/z', KEY],
    ]);
  });

  const kept = { sequence: 3, file: FILE };
  const last = entry({ sequence: 3 });

  it.each<[what: string, before: RuntimeState, next: Accepted, file: Uint8Array]>([
    ['is the last one already', stateWith([last], { kept }), accepted(), OTHER_FILE],
    ['has an earlier iat than its entry', stateWith([entry({ sequence: 3, iat: 200 })], { kept }), accepted(), FILE],
    [
      'is kept already, beside the counter of a forgery by the same key',
      stateWith([entry({ sequence: 3, counter: 99, payloadDigest: hex(9) })], { kept }),
      accepted(),
      FILE,
    ],
  ])('changes nothing where it %s', (_what, before, next, file) => {
    expect(stateAfter(before, next, file)).toBe(before);
  });

  it.each<[what: string, before: RuntimeState, next: Accepted, entries: readonly AcceptedEntry[], sequence: number]>([
    ['the state keeps no license yet', stateWith([last]), accepted(), [last], 3],
    ['the state keeps an earlier one', stateWith([last], { kept: { sequence: 2, file: FILE } }), accepted(), [last], 3],
    [
      'its iat is later than that of its entry',
      stateWith([last], { kept }),
      accepted({ iat: 101 }),
      [entry({ sequence: 3, iat: 101 })],
      3,
    ],
    [
      'another license came into force after it',
      stateWith([entry({ sequence: 2 }), entry({ lineage: 'z/z/z', sequence: 3 })], { kept }),
      accepted(),
      [entry({ sequence: 4 }), entry({ lineage: 'z/z/z', sequence: 3 })],
      4,
    ],
    [
      'its counter is below that of a forgery by the same key, which stays',
      stateWith([entry({ sequence: 3, counter: 99, payloadDigest: hex(9), iat: 900 })], {
        kept: { sequence: 3, file: OTHER_FILE },
      }),
      accepted(),
      [entry({ sequence: 4, counter: 99, payloadDigest: hex(9), iat: 900 })],
      4,
    ],
  ])('is written where %s', (_what, before, next, entries, sequence) => {
    expect(stateAfter(before, next, FILE)).toStrictEqual({ ...before, entries, kept: { sequence, file: FILE } });
  });

  it('with clk begins an epoch, with its own iat as the floor and the highest iat', () => {
    const before = stateWith([entry({ iat: 800 }), entry({ lineage: 'z/z/z', iat: 300, sequence: 2 })], {
      epoch: 1,
      time: { floor: 900, leadRun: 5, leadTime: 900 },
    });
    const next = accepted({ iat: 500, ctr: 8 }, { resetsClock: true, payloadDigest: hex(9) });
    expect(stateAfter(before, next, FILE)).toStrictEqual({
      ...before,
      epoch: 2,
      time: { floor: 500, leadRun: 0, leadTime: 0 },
      entries: [
        entry({ iat: 500, counter: 8, payloadDigest: hex(9), sequence: 3 }),
        entry({ lineage: 'z/z/z', iat: 300, sequence: 2 }),
      ],
      kept: { sequence: 3, file: FILE },
    });
  });
});

describe('two copies of the state', () => {
  const merged = (a: Partial<RuntimeState>, b: Partial<RuntimeState>): RuntimeState => {
    const [one, other] = [stateWith([], a), stateWith([], b)];
    const result = mergeStates(one, other);
    expect(mergeStates(other, one)).toStrictEqual(result);
    return result;
  };
  const short = Uint8Array.of(1);
  const long = Uint8Array.of(2);

  it.each<[rule: string, a: Partial<RuntimeState>, b: Partial<RuntimeState>, whole: Partial<RuntimeState>]>([
    ['the higher revision', { revision: 3 }, { revision: 4 }, { revision: 4 }],
    [
      'the license that was kept last',
      { kept: { sequence: 2, file: short } },
      { kept: { sequence: 1, file: long } },
      { kept: { sequence: 2, file: short } },
    ],
    [
      'one of two licenses that were kept last',
      { kept: { sequence: 2, file: short } },
      { kept: { sequence: 2, file: long } },
      { kept: { sequence: 2, file: long } },
    ],
    ['the only kept license', {}, { kept: { sequence: 2, file: short } }, { kept: { sequence: 2, file: short } }],
    ['no kept license of an earlier epoch', { epoch: 1 }, { kept: { sequence: 2, file: short } }, { epoch: 1 }],
    [
      'the higher time of one epoch',
      { epoch: 1, time: { floor: 9, leadRun: 0, leadTime: 0 } },
      { epoch: 1, time: { floor: 5, leadRun: 1, leadTime: 9 } },
      { epoch: 1, time: { floor: 9, leadRun: 0, leadTime: 0 } },
    ],
    [
      'the time of the later epoch only',
      { epoch: 1, time: { floor: 5, leadRun: 0, leadTime: 0 } },
      { time: { floor: 9, leadRun: 1, leadTime: 9 } },
      { epoch: 1, time: { floor: 5, leadRun: 0, leadTime: 0 } },
    ],
    [
      'the longer chain of keysets, of any epoch',
      { epoch: 1, keyset: { version: 2, chain: long } },
      { keyset: { version: 3, chain: short } },
      { epoch: 1, keyset: { version: 3, chain: short } },
    ],
    [
      'one of two chains of one version',
      { keyset: { version: 3, chain: long } },
      { keyset: { version: 3, chain: short } },
      { keyset: { version: 3, chain: long } },
    ],
    [
      'the lease of the later revision',
      { revision: 2, lease: { holder: 'a', beat: 9 } },
      { revision: 3, lease: { holder: 'b', beat: 1 } },
      { revision: 3, lease: { holder: 'b', beat: 1 } },
    ],
    [
      'no lease that a later revision gave back',
      { revision: 2, lease: { holder: 'a', beat: 9 } },
      { revision: 3 },
      { revision: 3 },
    ],
    ['the only lease of one revision', {}, { lease: { holder: 'a', beat: 1 } }, { lease: { holder: 'a', beat: 1 } }],
    [
      'the last holder of two leases',
      { lease: { holder: 'a', beat: 9 } },
      { lease: { holder: 'b', beat: 1 } },
      { lease: { holder: 'b', beat: 1 } },
    ],
    [
      'the higher beat of one holder',
      { lease: { holder: 'a', beat: 9 } },
      { lease: { holder: 'a', beat: 1 } },
      { lease: { holder: 'a', beat: 9 } },
    ],
    [
      'the unknown members of the later revision',
      { revision: 2, unknown: new Map([['later', 9]]) },
      { revision: 3, unknown: new Map([['later', 1]]) },
      { revision: 3, unknown: new Map([['later', 1]]) },
    ],
    ['the only unknown members', {}, { unknown: new Map([['later', 1]]) }, { unknown: new Map([['later', 1]]) }],
    [
      'one of two kinds of unknown members',
      { unknown: new Map([['later', 9]]) },
      { unknown: new Map([['later', 1]]) },
      { unknown: new Map([['later', 9]]) },
    ],
  ])('have %s', (_rule, a, b, whole) => {
    expect(merged(a, b)).toStrictEqual(stateWith([], whole));
  });

  it('have the highest counter, iat and sequence of each key and lineage, which may be of different copies', () => {
    const a = { entries: [entry({ counter: 9, iat: 100, sequence: 5 }), entry({ lineage: 'z/z/z' })] };
    const b = {
      entries: [entry({ lineage: 'a/a/a' }), entry({ counter: 8, payloadDigest: hex(9), iat: 300, sequence: 4 })],
    };
    expect(merged(a, b).entries).toStrictEqual([
      entry({ lineage: 'a/a/a' }),
      entry({ counter: 9, iat: 300, sequence: 5 }),
      entry({ lineage: 'z/z/z' }),
    ]);
  });

  it('have counters of an earlier epoch, without their iat and their sequence', () => {
    const a = { epoch: 1, entries: [entry({ counter: 7, iat: 100, sequence: 5 })] };
    const b = {
      entries: [
        entry({ counter: 9, payloadDigest: hex(9), iat: 300, sequence: 8 }),
        entry({ lineage: 'z/z/z', iat: 900, sequence: 9 }),
      ],
    };
    expect(merged(a, b)).toStrictEqual(
      stateWith(
        [
          entry({ counter: 9, payloadDigest: hex(9), iat: 100, sequence: 5 }),
          entry({ lineage: 'z/z/z', iat: 0, sequence: 0 }),
        ],
        { epoch: 1 },
      ),
    );
  });
});
