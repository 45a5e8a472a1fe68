import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import type { License } from '../../../formats/license/license.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { judgeRollback, lineageKey, seenAfter, type Seen } from '../../../verifier/rollback.ts';
import type { Accepted, VerifiedLicense } from '../../../verifier/verdict.ts';
import { license } from '../../unit/verifier/sample.ts';

interface Try {
  readonly dep: string | undefined;
  readonly ctr: number;
  readonly iat: number;
  /** Two licenses that differ in nothing else are still two payloads. */
  readonly tier: string;
  readonly clk: boolean;
}

const attempt: fc.Arbitrary<Try> = fc.record({
  dep: fc.constantFrom(undefined, 'a', 'b'),
  ctr: fc.integer({ min: 1, max: 4 }),
  iat: fc.integer({ min: 0, max: 6 }),
  tier: fc.constantFrom('one', 'two'),
  clk: fc.boolean(),
});

function licenseOf({ dep, ctr, iat, tier, clk }: Try): License {
  return { ...license, ...(dep === undefined ? {} : { dep }), ...(clk ? { clk: true as const } : {}), ctr, iat, tier };
}

const digestOf = (one: License): string => toHex(nodeProvider.sha256(utf8(JSON.stringify(one))));

/** The words of docs/format.md once more, over the plain history of what was accepted. */
function expected(history: readonly License[], resets: readonly boolean[], next: License): string {
  if (history.length === 0) return 'first';
  const current = history.at(-1);
  const isCurrent = current !== undefined && lineageKey(current) === lineageKey(next);
  const sinceReset = history.slice(Math.max(0, resets.lastIndexOf(true)));
  if (!isCurrent && next.iat <= Math.max(...sinceReset.map(({ iat }) => iat))) return 'lineage_not_newer';
  const mine = history.filter((one) => lineageKey(one) === lineageKey(next)).sort((a, b) => a.ctr - b.ctr);
  const highest = mine.at(-1);
  if (highest === undefined) return 'other_lineage';
  if (next.ctr < highest.ctr) return 'counter_rolled_back';
  if (next.ctr > highest.ctr) return isCurrent ? 'newer' : 'other_lineage';
  return digestOf(next) === digestOf(highest) ? 'same' : 'counter_conflict';
}

describe('anti-rollback over histories', () => {
  it('says what the history says, and never lowers a counter', () => {
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 25 }), (tries) => {
        let seen: Seen | undefined;
        const history: License[] = [];
        const resets: boolean[] = [];
        const acceptedAs = new Map<string, string>();
        for (const one of tries.map(licenseOf)) {
          const payloadDigest = digestOf(one);
          const verdict = judgeRollback(one, payloadDigest, seen);
          expect(typeof verdict === 'string' ? verdict : verdict.reason).toBe(expected(history, resets, one));
          if (typeof verdict !== 'string') continue;
          const resetsClock = one.clk === true && verdict === 'newer';
          const before = seen;
          seen = seenAfter(seen, acceptedLicense(one, payloadDigest, verdict, resetsClock));
          history.push(one);
          resets.push(resetsClock);
          for (const [lineage, { counter }] of before?.lineages ?? [])
            expect(seen.lineages.get(lineage)?.counter).toBeGreaterThanOrEqual(counter);
          if (before !== undefined && !resetsClock) expect(seen.highestIat).toBeGreaterThanOrEqual(before.highestIat);
          // No counter of a lineage is ever taken with two payloads.
          const slot = `${lineageKey(one)} ${one.ctr}`;
          expect(acceptedAs.get(slot) ?? payloadDigest).toBe(payloadDigest);
          acceptedAs.set(slot, payloadDigest);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function acceptedLicense(
  one: License,
  payloadDigest: string,
  standing: Accepted['standing'],
  resetsClock: boolean,
): Accepted {
  return {
    ok: true,
    state: 'active',
    license: one as VerifiedLicense,
    alg: 'ed25519',
    kid: '',
    payloadDigest,
    lineage: lineageKey(one),
    standing,
    judgedAt: one.nbf,
    graceUntil: one.exp,
    resetsClock,
  };
}
