import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import { encodeKeyset } from '../../../formats/keyset/encode-keyset.ts';
import { KEY_STATUSES, type IssuingKey, type Keyset } from '../../../formats/keyset/keyset.ts';
import { builtInChain, chainFile, chooseKeyset, extendChain, type Chain } from '../../../verifier/keyset/index.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_ISSUER,
  keysetBlock,
  keysetOf,
  type KeysetValues,
} from '../../../conformance/examples/keysets.ts';

const TIME = fc.integer({ min: 0, max: 253_402_300_798 });
const ID = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/);
const sorted = (items: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(items, { minLength: 1, maxLength }).map((list) => list.sort());
const DIGEST = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const LICENSE_ID = fc.uuid({ version: 7 });
const LINEAGE = fc.array(ID, { minLength: 3, maxLength: 4 }).map((ids) => ids.join('/'));

const issuing = (name: string): fc.Arbitrary<IssuingKey> =>
  fc
    .record(
      {
        purpose: fc.constantFrom('license' as const, 'license-key' as const),
        status: fc.constantFrom(...KEY_STATUSES),
        products: sorted(ID, 3),
        tiers: sorted(ID, 3),
        from: TIME,
        honored: sorted(DIGEST, 3),
      },
      { requiredKeys: ['purpose', 'status'] },
    )
    .map(({ honored, ...key }) =>
      issuingKey(name, key.status === 'revoked' && honored !== undefined ? { ...key, honored } : key),
    );

const ROOT_NAMES = ['root a', 'root b', 'root c', 'composite root'];

const anyKeyset: fc.Arbitrary<Keyset> = fc
  .record(
    {
      iss: ID,
      version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      made: TIME,
      roots: fc.subarray(ROOT_NAMES, { minLength: 1 }),
      threshold: fc.integer({ min: 1, max: 4 }),
      keys: fc.tuple(issuing('issuing 1'), issuing('composite issuing')),
      requireComposite: fc.boolean(),
      ed25519Until: TIME,
      revokedLicenses: sorted(LICENSE_ID, 4),
      lowestCounters: fc
        .array(fc.tuple(LINEAGE, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 4 })
        .map((entries) => new Map(entries)),
    },
    { requiredKeys: ['iss', 'version', 'made', 'roots', 'threshold', 'keys'] },
  )
  .map(({ roots, threshold, ...values }) =>
    keysetOf({ ...values, roots, threshold: Math.min(threshold, roots.length) }),
  );

/** With roots and keys in the order of the format, and the order of the map out of account. */
function comparable(keyset: Keyset): unknown {
  const byBytes = <T extends { readonly publicBytes: Uint8Array }>(keys: readonly T[]): unknown[] =>
    keys
      .map(({ publicBytes, ...rest }) => ({ hex: Buffer.from(publicBytes).toString('hex'), ...rest }))
      .sort((a, b) => a.hex.localeCompare(b.hex));
  return { ...keyset, roots: byBytes(keyset.roots), keys: byBytes(keyset.keys) };
}

describe('the payload of a keyset', () => {
  it('reads back as what was written, and has one encoding', () => {
    fc.assert(
      fc.property(anyKeyset, (keyset) => {
        const payload = encodeKeyset(keyset);
        const read = decodeKeyset(payload);
        expect(comparable(read)).toEqual(comparable(keyset));
        expect(encodeKeyset(read)).toEqual(payload);
      }),
      { numRuns: 300 },
    );
  });
});

const first: KeysetValues = { version: 1, roots: ['root a', 'root b'], threshold: 2 };
const oneRoot = (version: number): Uint8Array => keysetBlock({ ...first, version }, first.roots);

describe('a block of a keyset', () => {
  it('a block of a keyset with a byte changed, inserted or removed is refused, or has the very same keyset', () => {
    const builtIn = builtInChain(oneRoot(1), { issuer: KEYSET_ISSUER });
    // With the time of version 1, one other byte could make version 1 of it, which is known and passed over.
    const block = keysetBlock({ ...first, version: 2, made: 1_900_000_000 }, first.roots);
    const whole = extendChain(builtIn, block).chain.versions;
    const counts = { same: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom('change', 'insert', 'remove'),
        fc.nat(block.length - 1),
        fc.oneof(fc.nat(255), fc.constantFrom(0x09, 0x0a, 0x0d, 0x20)),
        (how, at, byte) => {
          const middle = how === 'remove' ? new Uint8Array() : Uint8Array.of(byte);
          const bent = concatBytes(block.subarray(0, at), middle, block.subarray(how === 'insert' ? at : at + 1));
          const { chain, refused } = extendChain(builtIn, bent);
          if (chain !== builtIn) {
            counts.same++;
            expect(chain.versions).toEqual(whole);
          } else {
            counts.refused++;
            expect(refused).toBeDefined();
          }
        },
      ),
      { numRuns: 4000 },
    );
    expect(counts.refused).toBeGreaterThan(2000);
    expect(counts.same).toBeGreaterThan(0);
  });
});

const POOL = ['root a', 'root b', 'root c', 'root d', 'root e'];

interface Rule {
  readonly roots: readonly string[];
  readonly threshold: number;
}

const rule: fc.Arbitrary<Rule> = fc
  .record({ roots: fc.subarray(POOL, { minLength: 1, maxLength: 4 }), threshold: fc.integer({ min: 1, max: 3 }) })
  .map(({ roots, threshold }) => ({ roots, threshold: Math.min(threshold, roots.length) }));

/** A block of an honest version, by its place in the honest chain, or a forged one. */
type Move =
  | { readonly honest: number }
  | { readonly version: number; readonly rule: Rule; readonly evil: boolean; readonly copies: boolean };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ honest: fc.nat(7) }),
  fc.record({ version: fc.integer({ min: 1, max: 9 }), rule, evil: fc.boolean(), copies: fc.boolean() }),
);

/** The versions of an honest vendor, each signed by all roots before and by all of its own. */
function honestChain(rules: readonly Rule[]): readonly Uint8Array[] {
  return rules.map(({ roots, threshold }, i) => {
    const signers = new Set([...roots, ...(rules[i - 1]?.roots ?? [])]);
    return keysetBlock({ version: i + 1, roots, threshold }, [...signers]);
  });
}

describe('a verifier of chains', () => {
  it('never leaves the honest chain that it has seen, whatever an adversary with old roots writes', () => {
    const counts = { forgedBlocks: 0, forks: 0, grew: 0 };
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 2, maxLength: 6 }),
        fc.nat(5),
        fc.subarray(POOL),
        fc.array(fc.array(move, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (rules, seenUpTo, broken, files, losesState) => {
          const honest = honestChain(rules);
          const seen = Math.min(seenUpTo, rules.length - 1);
          // Roots that were a threshold once, but are one no more in what the verifier has seen and what comes.
          const stolen = (roots: readonly string[]): number => roots.filter((root) => broken.includes(root)).length;
          fc.pre(rules.slice(seen).every(({ roots, threshold }) => stolen(roots) < threshold));

          const builtIn = builtInChain(honest[seen] ?? new Uint8Array(), { issuer: KEYSET_ISSUER });
          const digests = new Set(extendChain(builtIn, chainOf(...honest.slice(seen))).chain.versions.map(digestOf));
          let state: Uint8Array | undefined;
          let chain: Chain = builtIn;
          for (const file of files) {
            const blocks = file.map((one) => {
              if ('honest' in one) return honest[one.honest % honest.length] ?? new Uint8Array();
              counts.forgedBlocks++;
              const roots = one.evil ? [...one.rule.roots, 'evil'] : one.rule.roots;
              const keys = one.copies ? [] : [issuingKey('evil issuing')];
              return keysetBlock({ version: one.version, roots, threshold: one.rule.threshold, keys }, [
                ...broken,
                'evil',
              ]);
            });
            const chosen = chooseKeyset({
              builtIn,
              ...(state === undefined ? {} : { state: [state] }),
              file: chainOf(...blocks),
            });
            for (const version of chosen.chain.versions) expect(digests.has(digestOf(version))).toBe(true);
            expect(chosen.chain.newest.version).toBeGreaterThanOrEqual(losesState ? seen + 1 : chain.newest.version);
            if (chosen.notices.some(({ reason }) => reason === 'keyset_conflict')) counts.forks++;
            if (chosen.chain.newest.version > chain.newest.version) counts.grew++;
            chain = chosen.chain;
            state = losesState ? undefined : chainFile(chain);
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(counts.forgedBlocks).toBeGreaterThan(500);
    expect(counts.forks).toBeGreaterThan(5);
    expect(counts.grew).toBeGreaterThan(20);
  });

  it('reaches the newest version from any one that it has, also where versions are left out', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        fc.array(fc.boolean()),
        (rules, at, out) => {
          // Each rule holds for two versions; the second one may be left out.
          const doubled = rules.flatMap((one) => [one, one]);
          const blocks = honestChain(doubled);
          const builtIn = builtInChain(blocks[at % blocks.length] ?? new Uint8Array(), { issuer: KEYSET_ISSUER });
          const published = blocks.filter((_, i) => i % 2 === 0 || i === blocks.length - 1 || out[i] !== true);
          expect(extendChain(builtIn, chainOf(...published))).toMatchObject({ refused: undefined });
          const { chain } = extendChain(builtIn, chainOf(...published));
          expect(chain.newest.version).toBe(doubled.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is not led away by all Ed25519 roots once a version had the policy', () => {
    const roots = ['root a', 'root b', 'composite root 1'];
    const policy: KeysetValues = { version: 2, roots, threshold: 1, ed25519Until: 1_900_000_000 };
    const builtIn = builtInChain(keysetBlock({ version: 1, roots, threshold: 1 }, roots), { issuer: KEYSET_ISSUER });
    const { chain } = extendChain(builtIn, keysetBlock(policy, ['composite root 1']));
    expect(chain.newest.version).toBe(2);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.subarray([...roots, 'evil', 'composite evil'], { minLength: 1 }),
        fc.option(fc.constant(1_900_000_000), { nil: undefined }),
        (version, newRoots, until) => {
          const values = { version, roots: newRoots, ...(until === undefined ? {} : { ed25519Until: until }) };
          const file = keysetBlock(values, ['root a', 'root b', 'evil', 'composite evil']);
          expect(extendChain(chain, file).chain).toBe(chain);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function digestOf({ payloadDigest }: { readonly payloadDigest: string }): string {
  return payloadDigest;
}
