import { describe, expect, it } from 'vitest';
import { builtInChain, extendChain } from '../../../../verifier/keyset/acceptance.ts';
import { chainFile, fitting, knownKeysOf, type ChainVersion } from '../../../../verifier/keyset/chain.ts';
import { chainOf, KEYSET_ISSUER, keysetBlock, type KeysetValues } from '../../../../conformance/examples/keysets.ts';

const MEBIBYTE = 1_048_576;

/** @param leftOut the versions that may be left out */
function versions(count: number, leftOut: readonly number[], blockBytes: number): readonly ChainVersion[] {
  return Array.from({ length: count }, (_, i) => ({
    version: i + 1,
    payloadDigest: '',
    block: new Uint8Array(blockBytes),
    mayBeLeftOut: leftOut.includes(i + 1),
  }));
}

const numbers = (kept: readonly ChainVersion[] | undefined): number[] | undefined =>
  kept?.map(({ version }) => version);

describe('a chain at its bounds', () => {
  it('keeps every version as long as it fits', () => {
    expect(numbers(fitting(versions(4, [2, 3], 4 * MEBIBYTE)))).toEqual([1, 2, 3, 4]);
  });

  it('leaves out the oldest versions that may be left out, and no more than it must', () => {
    expect(numbers(fitting(versions(5, [2, 3, 4], 4 * MEBIBYTE)))).toEqual([1, 3, 4, 5]);
    expect(numbers(fitting(versions(6, [3, 5], 4 * MEBIBYTE)))).toEqual([1, 2, 4, 6]);
    expect(numbers(fitting(versions(4097, [2, 3], 1)))?.slice(0, 3)).toEqual([1, 3, 4]);
  });

  it('never leaves out the newest version, nor one that changed the rule', () => {
    expect(fitting(versions(5, [5], 4 * MEBIBYTE))).toBeUndefined();
    expect(fitting(versions(5, [], 4 * MEBIBYTE))).toBeUndefined();
    expect(fitting(versions(4097, [], 1))).toBeUndefined();
  });

  it('may leave out only a version that changed neither roots, threshold nor policy', () => {
    const roots = ['root a', 'root b', 'composite root 1'];
    const first: KeysetValues = { version: 1, roots, threshold: 1 };
    const builtIn = builtInChain(keysetBlock(first, roots), { issuer: KEYSET_ISSUER });
    const changes: readonly Partial<KeysetValues>[] = [
      { made: 1 },
      { threshold: 2 },
      { roots: ['root a', 'composite root 1'] },
      { requireComposite: true },
      { ed25519Until: 1_900_000_000 },
      { revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] },
    ];
    const found = changes.map((change) => {
      const { chain } = extendChain(
        builtIn,
        keysetBlock({ ...first, ...change, version: 2 }, ['root a', 'composite root 1']),
      );
      return chain.versions.map(({ mayBeLeftOut }) => mayBeLeftOut);
    });
    expect(found).toEqual([
      [false, true],
      [false, false],
      [false, false],
      [false, false],
      [false, false],
      [false, true],
    ]);
  });

  it.each([
    ['another root of as many', ['root a', 'composite root 2']],
    ['one more root, behind those that were there', ['root a', 'composite root 1', 'composite root 2']],
  ])('may not leave out a version with %s', (_what, roots) => {
    const first: KeysetValues = { version: 1, roots: ['root a', 'composite root 1'], threshold: 1 };
    const builtIn = builtInChain(keysetBlock(first, first.roots), { issuer: KEYSET_ISSUER });
    const { chain } = extendChain(builtIn, keysetBlock({ ...first, version: 2, roots }, ['root a']));
    expect(chain.versions.map(({ mayBeLeftOut }) => mayBeLeftOut)).toEqual([false, false]);
  });

  it('is no chain when somebody put it together by hand', () => {
    const builtIn = builtInChain(chainOf(keysetBlock({ version: 1, roots: ['root a'] }, ['root a'])), {
      issuer: KEYSET_ISSUER,
    });
    expect(() => knownKeysOf({ ...builtIn })).toThrow('was not made by');
    expect(() => extendChain({ ...builtIn }, chainFile(builtIn))).toThrow('was not made by');
  });
});
