import { describe, expect, it } from 'vitest';
import type { License } from '../../../formats/license/license.ts';
import { judgeRollback, lineageKey, seenAfter, type Seen } from '../../../verifier/rollback.ts';
import type { Accepted } from '../../../verifier/verdict.ts';
import { verify } from '../../../verifier/verify.ts';
import { context, EXP, IAT, license, licenseFile, trust } from './sample.ts';

const current = lineageKey(license);
const seen: Seen = {
  current,
  highestIat: IAT,
  lineages: new Map([
    [current, { counter: 7, payloadDigest: 'digest' }],
    [`${current}/prod-us`, { counter: 20, payloadDigest: 'us' }],
  ]),
};

function judge(changes: Partial<License>, digest = 'digest', before: Seen | undefined = seen): string {
  const verdict = judgeRollback({ ...license, ...changes }, digest, before);
  return typeof verdict === 'string' ? verdict : verdict.reason;
}

describe('the current lineage', () => {
  it.each([
    [6, 'counter_rolled_back'],
    [1, 'counter_rolled_back'],
    [7, 'same'],
    [8, 'newer'],
    [Number.MAX_SAFE_INTEGER, 'newer'],
  ])('judges the counter %d as %s', (ctr, expected) => expect(judge({ ctr })).toBe(expected));

  it('refuses an equal counter with another payload', () =>
    expect(judge({ ctr: 7 }, 'other')).toBe('counter_conflict'));
  it('is not judged by iat', () => expect(judge({ ctr: 8, iat: 0 })).toBe('newer'));
});

describe('any other lineage', () => {
  it.each([IAT, IAT - 1, 0])('another lineage with iat %d is not newer, whatever its counter', (iat) => {
    for (const ctr of [1, 20, 21])
      for (const dep of ['prod-us', 'prod-eu']) expect(judge({ iat, ctr, dep })).toBe('lineage_not_newer');
  });

  it('another lineage with a higher iat is judged by its own counter', () => {
    const iat = IAT + 1;
    expect(judge({ iat, dep: 'prod-us', ctr: 19 })).toBe('counter_rolled_back');
    expect(judge({ iat, dep: 'prod-us', ctr: 20 })).toBe('counter_conflict');
    expect(judge({ iat, dep: 'prod-us', ctr: 20 }, 'us')).toBe('same');
    expect(judge({ iat, dep: 'prod-us', ctr: 21 })).toBe('other_lineage');
    expect(judge({ iat, dep: 'prod-eu', ctr: 1 })).toBe('other_lineage');
    expect(judge({ iat, sub: 'other', ctr: 1 })).toBe('other_lineage');
  });
});

describe('the first license', () => {
  it('is taken, with iat 0 too', () =>
    expect(judgeRollback({ ...license, iat: 0 }, 'digest', undefined)).toBe('first'));
});

describe('lineageKey', () => {
  it('keeps an absent dep apart from every dep', () => {
    expect(lineageKey({ iss: 'a', aud: 'b', sub: 'c' })).toBe('a/b/c');
    expect(lineageKey({ iss: 'a', aud: 'b', sub: 'c', dep: 'd' })).toBe('a/b/c/d');
  });
});

describe('seenAfter', () => {
  const accept = async (changes: Partial<License>, before?: Seen, now = context.now): Promise<Accepted> => {
    const deployment = changes.dep === undefined ? {} : { deployment: changes.dep };
    const verdict = verify(await licenseFile(changes), trust(), {
      ...context,
      ...deployment,
      now,
      ...(before === undefined ? {} : { seen: before }),
    });
    if (!verdict.ok) throw new Error(verdict.reason);
    return verdict;
  };

  it('takes the counter, the digest, the lineage and the highest iat', async () => {
    const first = await accept({});
    const one = seenAfter(undefined, first);
    expect(one).toEqual({
      current,
      highestIat: IAT,
      lineages: new Map([[current, { counter: 7, payloadDigest: first.payloadDigest }]]),
    });
    const other = await accept({ dep: 'prod-eu', iat: IAT + 5, ctr: 1 }, one);
    const two = seenAfter(one, other);
    expect(two.current).toBe(`${current}/prod-eu`);
    expect(two.highestIat).toBe(IAT + 5);
    expect([...two.lineages.keys()]).toEqual([current, `${current}/prod-eu`]);
    expect(one.lineages.size).toBe(1);
  });

  it('never lowers a counter, even for a verdict that was given without what is seen', async () => {
    const high: Seen = {
      current,
      highestIat: IAT,
      lineages: new Map([[current, { counter: 9, payloadDigest: 'nine' }]]),
    };
    expect(seenAfter(high, await accept({})).lineages.get(current)).toEqual({ counter: 9, payloadDigest: 'nine' });
  });

  it('keeps the payload of a counter that it has, whatever a verdict that was given without it says', async () => {
    const seven = { counter: 7, payloadDigest: 'seven' };
    const known: Seen = { current, highestIat: IAT, lineages: new Map([[current, seven]]) };
    expect(seenAfter(known, await accept({})).lineages.get(current)).toEqual(seven);
  });

  it('takes the counter of a license in grace', async () => {
    const accepted = await accept({}, undefined, EXP);
    expect(accepted.state).toBe('grace');
    expect(seenAfter(undefined, accepted).lineages.get(current)?.counter).toBe(7);
  });

  it('never lowers the highest iat but by clk', async () => {
    const high: Seen = {
      current,
      highestIat: IAT + 100,
      lineages: new Map([[current, { counter: 6, payloadDigest: '00'.repeat(32) }]]),
    };
    expect(seenAfter(high, await accept({}, high)).highestIat).toBe(IAT + 100);
    expect(seenAfter(high, await accept({ clk: true }, high)).highestIat).toBe(IAT);
  });

  it('does not take the counter of a license that is not in force', async () => {
    const early = await accept({}, undefined, 0);
    const late = await accept({}, undefined, EXP * 3);
    for (const verdict of [early, late])
      expect(() => seenAfter(undefined, verdict)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});
