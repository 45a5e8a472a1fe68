/**
 * Histories of rotations: for any order of steps that the toolkit allows, a verifier with any published version reaches
 * the newest one and never goes back; and whatever roots that left an adversary breaks, it stays on the honest chain.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coseKeyOf,
  KEYSET_ISSUER,
  KEYSET_MADE,
  signKeyset,
  testKey,
} from '../../../../conformance/examples/keysets.ts';
import { armor } from '../../../../formats/armor.ts';
import { concatBytes } from '../../../../formats/bytes.ts';
import { encodeKeyset } from '../../../../formats/keyset/encode-keyset.ts';
import type { Keyset, KeyStatus } from '../../../../formats/keyset/keyset.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { applyChanges, kidOfKey, type KeysetChanges } from '../../../../signer/keyset/changes.ts';
import { lineageInKeyset, requireSignerRules } from '../../../../signer/keyset/signer-rules.ts';
import { builtInChain, extendChain, type Chain } from '../../../../verifier/keyset/index.ts';

const ROOTS = ['root a', 'root b', 'root c', 'composite root d', 'composite root e'];
const LINEAGES = [
  { aud: 'vaultdesk', sub: 'acme' },
  { aud: 'vaultdesk', sub: 'beta' },
  { aud: 'mailroom', sub: 'acme' },
] as const;
const KEYS = ['issuing a', 'issuing b', 'composite issuing c'];
const NAME_OF = new Map(ROOTS.map((name) => [testKey(name).publicKey.kid, name]));

type Step =
  | { readonly do: 'root'; readonly name: number; readonly comes: boolean }
  | { readonly do: 'threshold'; readonly threshold: number }
  | { readonly do: 'key'; readonly name: number; readonly status: KeyStatus; readonly scope?: Scope }
  | { readonly do: 'policy' }
  | { readonly do: 'withdraw'; readonly license: number }
  | { readonly do: 'lowest'; readonly lineage: number; readonly counter: number }
  | { readonly do: 'expires'; readonly days: number }
  | { readonly do: 'skip'; readonly by: number };

/** What a key may sign, and what of it still counts once it is revoked. */
interface Scope {
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly until?: number;
  readonly honored?: readonly string[];
}

const scope: fc.Arbitrary<Scope> = fc.record(
  {
    products: fc.constantFrom(['vaultdesk'], ['mailroom', 'vaultdesk']),
    tiers: fc.constantFrom(['team'], ['enterprise', 'team']),
    until: fc.constantFrom(KEYSET_MADE + 86_400 * 400, KEYSET_MADE + 86_400 * 800),
    honored: fc.constantFrom(['aa'.repeat(32)], ['aa'.repeat(32), 'bb'.repeat(32)]),
  },
  { requiredKeys: [] },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('root' as const), name: fc.nat(4), comes: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('threshold' as const), threshold: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        do: fc.constant('key' as const),
        name: fc.nat(2),
        status: fc.constantFrom<KeyStatus>('pre-published', 'active', 'retired', 'revoked'),
        scope,
      },
      { requiredKeys: ['do', 'name', 'status'] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), license: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lowest' as const),
      lineage: fc.nat(2),
      counter: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('expires' as const), days: fc.integer({ min: 100, max: 2000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('policy' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), by: fc.integer({ min: 1, max: 5 }) }) },
);

function changesOf(one: Step, before: Keyset): KeysetChanges {
  switch (one.do) {
    case 'root': {
      const key = coseKeyOf(testKey(ROOTS[one.name] ?? ''));
      return one.comes ? { addRoots: [key] } : { removeRoots: [kidOfKey(key)] };
    }
    case 'threshold':
      return { threshold: one.threshold };
    case 'key':
      return { keys: [{ key: coseKeyOf(testKey(KEYS[one.name] ?? '')), status: one.status, ...one.scope }] };
    case 'policy':
      return { ed25519Until: KEYSET_MADE + 86_400 * before.version };
    case 'withdraw':
      return { revokeLicenses: [`0193817a-6c00-7000-8000-00000000000${one.license}`] };
    case 'lowest':
      return {
        lowestCounters: new Map([[lineageInKeyset(KEYSET_ISSUER, LINEAGES[one.lineage] ?? LINEAGES[0]), one.counter]]),
      };
    case 'expires':
      return { expires: KEYSET_MADE + 86_400 * one.days };
    default:
      return { version: before.version + one.by };
  }
}

interface Version {
  readonly keyset: Keyset;
  readonly block: Uint8Array;
}

/** A step, and a root that nobody reaches on that day. */
type Day = readonly [Step, absent?: number | undefined];

/** Every root that may sign a version signs it, but for an absent one. */
function signedOn(keyset: Keyset, before: Keyset | undefined, absent?: number): Uint8Array {
  const kids = new Set([...keyset.roots, ...(before?.roots ?? [])].map(kidOfKey));
  const missing = absent === undefined ? undefined : ROOTS[absent];
  const names = [...kids].flatMap((kid) => NAME_OF.get(kid) ?? []).filter((name) => name !== missing);
  return armor('VTLIC KEYSET', signKeyset(encodeKeyset(keyset), names));
}

/** The versions that the toolkit publishes: it refuses a step that its rules, or those of a product, do not allow. */
function historyOf(days: readonly Day[]): readonly Version[] {
  const roots = [0, 1].map((i) => coseKeyOf(testKey(ROOTS[i] ?? '')));
  const place = (version: number): { issuer: string; made: number } => ({
    issuer: KEYSET_ISSUER,
    made: KEYSET_MADE + version,
  });
  const first = applyChanges(undefined, { addRoots: roots, threshold: 2 }, place(1));
  const versions: Version[] = [{ keyset: first, block: signedOn(first, undefined) }];
  let chain = builtInChain(versions[0]?.block ?? new Uint8Array(), { issuer: KEYSET_ISSUER });
  for (const [one, absent] of days) {
    const before = versions.at(-1)?.keyset ?? first;
    try {
      const keyset = applyChanges(before, changesOf(one, before), place(before.version + 1));
      requireSignerRules(before, keyset);
      const block = signedOn(keyset, before, absent);
      const extension = extendChain(chain, block);
      if (extension.refused !== undefined) continue;
      chain = extension.chain;
      versions.push({ keyset, block });
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
    }
  }
  return versions;
}

function builtIn(blocks: readonly Uint8Array[]): Chain {
  return builtInChain(concatBytes(...blocks), { issuer: KEYSET_ISSUER });
}

const day: fc.Arbitrary<Day> = fc.tuple(step, fc.option(fc.nat(4), { nil: undefined }));
const history = fc.array(day, { minLength: 1, maxLength: 12 }).map(historyOf);

describe('a verifier, for any history of rotations', () => {
  it('reaches the newest version from every version, and never goes back', () => {
    let longest = 0;
    fc.assert(
      fc.property(history, (versions) => {
        longest = Math.max(longest, versions.length);
        const blocks = versions.map(({ block }) => block);
        const newest = versions.at(-1)?.keyset.version;
        for (const [i] of versions.entries()) {
          // A product that built the whole chain in up to that version, or only that version.
          for (const chain of [builtIn(blocks.slice(0, i + 1)), builtIn(blocks.slice(i, i + 1))]) {
            const reached = extendChain(chain, concatBytes(...blocks));
            expect([reached.refused, reached.chain.newest.version]).toEqual([undefined, newest]);
            const back = extendChain(reached.chain, concatBytes(...blocks.slice(0, i + 1)));
            expect([back.refused, back.chain.newest.version]).toEqual([undefined, newest]);
          }
        }
      }),
      { numRuns: 60, examples: [[historyOf(FIXED)]] },
    );
    expect(longest).toBe(FIXED.length + 1);
  });

  it('stays on the honest chain that it has seen, whatever roots that left an adversary breaks', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 3 }), (versions, above) => {
        const blocks = versions.map(({ block }) => block);
        const seen = extendChain(builtIn(blocks.slice(0, 1)), concatBytes(...blocks)).chain;
        const current = new Set(seen.newest.roots.map(kidOfKey));
        const left = [...NAME_OF].filter(
          ([kid]) => !current.has(kid) && versions.some(({ keyset }) => keyset.roots.some((r) => kidOfKey(r) === kid)),
        );
        if (left.length === 0) return;
        const names = left.map(([, name]) => name);
        const forge = (version: number): Uint8Array => {
          const roots = names.map((name) => coseKeyOf(testKey(name)));
          const made = KEYSET_MADE + 99;
          const forged: Keyset = {
            ...seen.newest,
            version,
            made,
            roots,
            threshold: 1,
            requireComposite: false,
          };
          return armor('VTLIC KEYSET', signKeyset(encodeKeyset(forged), names));
        };
        // Nothing else is wrong with what it writes: only the rule of the roots refuses it.
        const next = extendChain(seen, forge(seen.newest.version + above));
        expect([next.chain === seen, next.refused?.reason]).toEqual([true, 'keyset_threshold_previous']);
        for (const { keyset } of versions) {
          const fork = extendChain(seen, forge(keyset.version));
          expect([fork.chain === seen, fork.refused?.reason]).toEqual([true, 'keyset_conflict']);
        }
      }),
      { numRuns: 60, examples: [[historyOf(FIXED), 1]] },
    );
  });
});

/** Roots are exchanged one after the other, the policy comes, keys go through every phase, and licenses are withdrawn. */
const FIXED: readonly Day[] = [
  [{ do: 'root', name: 3, comes: true }],
  [{ do: 'key', name: 0, status: 'active', scope: { products: ['vaultdesk'], tiers: ['team'] } }, 0],
  [{ do: 'root', name: 0, comes: false }],
  [{ do: 'root', name: 4, comes: true }],
  [{ do: 'key', name: 2, status: 'pre-published' }, 1],
  [{ do: 'expires', days: 900 }],
  [{ do: 'policy' }],
  [{ do: 'root', name: 1, comes: false }],
  [{ do: 'key', name: 2, status: 'active' }],
  [{ do: 'skip', by: 3 }],
  [{ do: 'withdraw', license: 1 }],
  [{ do: 'lowest', lineage: 0, counter: 4 }],
  [{ do: 'key', name: 0, status: 'revoked', scope: { honored: ['aa'.repeat(32)] } }],
];
