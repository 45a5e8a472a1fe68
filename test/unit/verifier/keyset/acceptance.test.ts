import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { encodeBodyProtected } from '../../../../formats/cose-sign.ts';
import { TYP } from '../../../../formats/cose-sign1.ts';
import { encodeKeyset } from '../../../../formats/keyset/encode-keyset.ts';
import { armor } from '../../../../formats/armor.ts';
import { builtInChain, extendChain, type Extension } from '../../../../verifier/keyset/acceptance.ts';
import { chainFile, type Chain } from '../../../../verifier/keyset/chain.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { defaultProvider } from '../../../../keys/public/provider-default.ts';
import { kidOf } from '../../../../keys/public/public-key.ts';
import type { Provider } from '../../../../keys/public/provider.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_ISSUER,
  keysetBlock,
  keysetOf,
  signKeyset,
  type KeysetBend,
  type KeysetValues,
} from '../../../../conformance/examples/keysets.ts';

const ROOTS = ['root a', 'root b', 'root c'];
const FIRST: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
const SECOND: KeysetValues = { ...FIRST, version: 2 };

const builtIn = (values: KeysetValues = FIRST, requireComposite = false): Chain =>
  builtInChain(keysetBlock(values, values.roots), { issuer: KEYSET_ISSUER, requireComposite });

/** One version after the built-in one. */
function next(values: KeysetValues, signers: readonly string[], bend?: KeysetBend, chain = builtIn()): Extension {
  return extendChain(chain, keysetBlock(values, signers, bend));
}

describe('a version of a keyset', () => {
  it('is taken when a threshold of the roots before and of its own roots signed it', () => {
    const { chain, taken, refused } = next(SECOND, ['root a', 'root c']);
    expect({ taken, refused, newest: chain.newest.version }).toEqual({ taken: [2], refused: undefined, newest: 2 });
  });

  it('is refused when fewer roots of the version before signed it', () => {
    const before = builtIn();
    const { chain, refused } = next({ ...SECOND, threshold: 1 }, ['root a'], undefined, before);
    expect(refused).toMatchObject({ reason: 'keyset_threshold_previous', version: 2, block: 1 });
    expect(chain).toBe(before);
  });

  it('is refused when fewer of its own roots signed it', () => {
    const values = { ...SECOND, roots: ['root d', 'root e'] };
    expect(next(values, ['root a', 'root b', 'root d']).refused?.reason).toBe('keyset_threshold_own');
    expect(next(values, ['root a', 'root b', 'root d', 'root e']).taken).toEqual([2]);
  });

  it('is taken whoever else signed it, however badly', () => {
    const bend: KeysetBend = { signature: (name, bytes) => (name === 'stranger' ? new Uint8Array() : bytes) };
    expect(next(SECOND, ['root a', 'root b', 'stranger'], bend).taken).toEqual([2]);
  });

  it('is refused when the signature of a known root is not valid, even above the threshold', () => {
    const bend: KeysetBend = { signature: (name, bytes) => (name === 'root c' ? bytes.fill(7) : bytes) };
    expect(next(SECOND, ROOTS, bend).refused?.reason).toBe('keyset_signature_invalid');
    // A new root is as known as an old one.
    const withNew = { ...SECOND, roots: [...ROOTS, 'root d'] };
    const newBend: KeysetBend = { signature: (name, bytes) => (name === 'root d' ? bytes.fill(7) : bytes) };
    expect(next(withNew, [...ROOTS, 'root d'], newBend).refused?.reason).toBe('keyset_signature_invalid');
  });

  it('is refused when a known root signed under the name of another algorithm', () => {
    expect(next(SECOND, ROOTS, { alg: 'ed25519+ml-dsa-65' }).refused?.reason).toBe('keyset_signature_invalid');
  });

  it('may follow one that was left out of the file', () => {
    expect(next({ ...FIRST, version: 9 }, ['root a', 'root b']).chain.newest.version).toBe(9);
  });

  it('needs a threshold of its own composite roots too, where the product requires composite', () => {
    const before = builtIn({ version: 1, roots: ['composite root 1'], threshold: 1 }, true);
    const values: KeysetValues = { version: 2, roots: ['composite root 1', 'root a'], threshold: 2 };
    expect(next(values, values.roots, undefined, before).refused?.reason).toBe('keyset_threshold_own');
    const composites: KeysetValues = { ...values, roots: ['composite root 1', 'composite root 2'] };
    expect(next(composites, composites.roots, undefined, before).taken).toEqual([2]);
  });

  it('is refused where the chain would be larger than 16 MiB, with no version that may be left out', () => {
    const idOf = (i: number): string => `0193817a-6c00-7000-8000-${i.toString(16).padStart(12, '0')}`;
    const revokedLicenses = Array.from({ length: 16_384 }, (_, i) => idOf(i));
    // Each one changes the threshold.
    const blocks = Array.from({ length: 47 }, (_, i) =>
      keysetBlock({ ...FIRST, version: i + 1, threshold: 1 + (i % 2), revokedLicenses }, ['root a', 'root b']),
    );
    let chain = builtInChain(blocks[0] ?? new Uint8Array(), { issuer: KEYSET_ISSUER });
    const reasons: (string | undefined)[] = [];
    for (const block of blocks.slice(1)) {
      const extension = extendChain(chain, block);
      chain = extension.chain;
      reasons.push(extension.refused?.reason);
    }
    expect(chainFile(chain).length).toBeLessThanOrEqual(16 * 1_048_576);
    expect(reasons[0]).toBeUndefined();
    expect(reasons.at(-1)).toBe('keyset_too_large');
  });

  it('is refused with another issuer', () => {
    expect(next({ ...SECOND, iss: 'another-vendor' }, ROOTS).refused?.reason).toBe('keyset_issuer_mismatch');
  });

  it('is passed over when the chain has it already or has left it behind', () => {
    const five = builtIn({ ...FIRST, version: 5 });
    for (const version of [4, 5]) {
      const { chain, taken, refused } = next({ ...FIRST, version }, ['stranger'], undefined, five);
      expect({ taken, refused }).toEqual({ taken: [], refused: undefined });
      expect(chain).toBe(five);
    }
  });

  it('is a conflict when the chain has that version with another payload', () => {
    const forged = keysetBlock({ ...FIRST, keys: [issuingKey('thief')] }, ROOTS);
    const { taken, refused } = extendChain(builtIn(), chainOf(forged, keysetBlock(SECOND, ROOTS)));
    expect(refused?.reason).toBe('keyset_conflict');
    // What follows a conflict is on another branch.
    expect(taken).toEqual([]);
  });

  it('is refused when it comes after a higher or the same version in one file', () => {
    const two = keysetBlock(SECOND, ROOTS);
    expect(extendChain(builtIn(), chainOf(two, two)).refused?.reason).toBe('keyset_not_ascending');
    const first = keysetBlock(FIRST, ROOTS);
    expect(extendChain(builtIn(), chainOf(two, first)).refused).toMatchObject({
      reason: 'keyset_not_ascending',
      block: 2,
      version: 1,
    });
  });

  it('is refused when an issuing key of the version before is missing', () => {
    expect(next({ ...SECOND, keys: [] }, ROOTS).refused?.reason).toBe('keyset_key_removed');
    expect(next({ ...SECOND, keys: [issuingKey('issuing 2')] }, ROOTS).refused?.reason).toBe('keyset_key_removed');
    // A root may leave, and is remembered.
    const left = next({ ...SECOND, roots: ['root a', 'root b'] }, ROOTS);
    expect(left.taken).toEqual([2]);
    const back = {
      ...SECOND,
      version: 3,
      roots: ['root a', 'root b'],
      keys: [...(FIRST.keys ?? []), issuingKey('root c')],
    };
    expect(next(back, ROOTS, undefined, left.chain).refused?.reason).toBe('keyset_purpose_changed');
  });

  it('is refused when a key has another purpose than before', () => {
    const keys = [issuingKey('issuing 1', { purpose: 'license-key' })];
    expect(next({ ...SECOND, keys }, ROOTS).refused?.reason).toBe('keyset_purpose_changed');
    const rootToo = [issuingKey('issuing 1'), issuingKey('root a')];
    expect(next({ ...SECOND, keys: rootToo }, ROOTS).refused?.reason).toBe('keyset_purpose_changed');
  });

  it('is refused with an issuing key that is not usable, and the refusal names the key', () => {
    const small = { ...issuingKey('issuing 2'), publicBytes: new Uint8Array(32) };
    expect(next({ ...SECOND, keys: [...(FIRST.keys ?? []), small] }, ROOTS).refused).toEqual({
      reason: 'keyset_key_invalid',
      version: 2,
      detail: expect.stringMatching(`^the key ${kidOf(small.alg, small.publicBytes)} is refused: .`) as string,
      block: 1,
      place: {},
    });
  });

  it('is refused when two keys share a component, also across versions', () => {
    const composite = issuingKey('composite issuing');
    const half = { ...composite, alg: 'ed25519' as const, publicBytes: composite.publicBytes.slice(1952) };
    const keys = [...(FIRST.keys ?? []), composite];
    expect(next({ ...SECOND, keys: [...keys, half] }, ROOTS).refused?.reason).toBe('keyset_component_shared');
    const two = next({ ...SECOND, keys }, ROOTS);
    expect(two.taken).toEqual([2]);
    const three = next({ ...SECOND, version: 3, keys: [...keys, half] }, ROOTS, undefined, two.chain);
    expect(three.refused?.reason).toBe('keyset_component_shared');
  });

  it('counts although another block behind it is refused', () => {
    const file = chainOf(keysetBlock(SECOND, ROOTS), utf8('-----BEGIN VTLIC KEYSET-----\nhalf of a file'));
    const { taken, refused } = extendChain(builtIn(), file);
    expect(taken).toEqual([2]);
    expect(refused).toMatchObject({ reason: 'keyset_armor_malformed', block: 2 });
  });
});

describe('the algorithm policy of a chain', () => {
  const mixed = ['root a', 'root b', 'composite root 1', 'composite root 2'];
  const first: KeysetValues = { version: 1, roots: mixed, threshold: 2 };
  const second: KeysetValues = { ...first, version: 2, ed25519Until: 1_900_000_000 };
  const composites = ['composite root 1', 'composite root 2'];

  it('is set only by a version that its own composite roots signed', () => {
    expect(next(second, ['root a', 'root b'], undefined, builtIn(first)).refused?.reason).toBe('keyset_threshold_own');
    const oneOfEach = ['root a', 'composite root 1'];
    expect(next(second, oneOfEach, undefined, builtIn(first)).refused?.reason).toBe('keyset_threshold_own');
    expect(next(second, composites, undefined, builtIn(first)).chain.compositeRootsOnly).toBe(true);
    const required = { ...first, version: 2, requireComposite: true };
    expect(next(required, ['root a', 'root b'], undefined, builtIn(first)).refused?.reason).toBe(
      'keyset_threshold_own',
    );
  });

  it('excludes Ed25519 roots from then on, also where a later version takes the policy away', () => {
    const { chain } = next(second, composites, undefined, builtIn(first));
    const third = { ...first, version: 3 };
    expect(next(third, ['root a', 'root b'], undefined, chain).refused?.reason).toBe('keyset_threshold_previous');
    const after = next(third, composites, undefined, chain);
    expect(after.taken).toEqual([3]);
    expect(after.chain.compositeRootsOnly).toBe(true);
    expect(next({ ...first, version: 4 }, ['root a', 'root b'], undefined, after.chain).taken).toEqual([]);
  });

  it('applies from the built-in version on if the product requires composite', () => {
    const chain = builtIn(first, true);
    expect(next({ ...first, version: 2 }, ['root a', 'root b'], undefined, chain).refused?.reason).toBe(
      'keyset_threshold_previous',
    );
    expect(next({ ...first, version: 2 }, composites, undefined, chain).taken).toEqual([2]);
  });
});

describe('a built-in chain', () => {
  it('is trusted without its signatures', () => {
    const { newest } = builtInChain(chainOf(keysetBlock(FIRST, ['stranger']), keysetBlock(SECOND, ['stranger'])), {
      issuer: KEYSET_ISSUER,
    });
    expect(newest.version).toBe(2);
  });

  it.each([
    ['of another issuer', keysetBlock(FIRST, ['root a']), 'another-vendor', 'example-vendor'],
    [
      'whose first version is by another issuer',
      chainOf(keysetBlock({ ...FIRST, iss: 'another-vendor' }, ROOTS), keysetBlock(SECOND, ROOTS)),
      KEYSET_ISSUER,
      'another-vendor is expected',
    ],
    ['with a fault', utf8('nothing'), KEYSET_ISSUER, 'BEGIN VTLIC KEYSET'],
    [
      'that loses a key',
      chainOf(keysetBlock(FIRST, ['root a']), keysetBlock({ ...SECOND, keys: [] }, ['root a'])),
      KEYSET_ISSUER,
      'missing',
    ],
  ])('is a fault of the configuration %s', (_, file, issuer, message) => {
    let thrown: unknown;
    try {
      builtInChain(file, { issuer });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(VtlicError);
    expect(thrown).toMatchObject({ code: 'configuration_invalid' });
    expect(String(thrown)).toContain(message);
  });
});

describe('the format of a chain', () => {
  const payload = encodeKeyset(keysetOf(SECOND));
  const block = (cose: Uint8Array): Uint8Array => armor('VTLIC KEYSET', cose);
  it.each([
    ['keyset_armor_malformed', utf8('not a keyset')],
    ['keyset_armor_malformed', utf8('')],
    ['keyset_armor_malformed', armor('VTLIC', signKeyset(payload, ROOTS))],
    ['keyset_too_large', new Uint8Array(16_777_217).fill(0x20)],
    ['keyset_too_large', block(new Uint8Array(524_289))],
    ['keyset_cbor_malformed', block(Uint8Array.of(0xff))],
    ['keyset_cbor_not_deterministic', block(Uint8Array.of(0x18, 0x01))],
    ['keyset_cose_malformed', block(Uint8Array.of(0x01))],
    ['keyset_typ_wrong', block(signKeyset(payload, ROOTS, { protectedBytes: encodeBodyProtected(TYP.counters) }))],
    ['keyset_claims_malformed', block(signKeyset(Uint8Array.of(0x01), ROOTS))],
    ['keyset_claims_unknown', block(signKeyset(withUnknownMember(payload), ROOTS))],
  ] as const)('says %s of a file with that fault', (reason, file) => {
    expect(extendChain(builtIn(), file)).toMatchObject({ taken: [], refused: { reason } });
  });

  it('wants each block on a line of its own', () => {
    const two = new TextDecoder().decode(keysetBlock(SECOND, ROOTS)).trimEnd();
    const three = new TextDecoder().decode(keysetBlock({ ...SECOND, version: 3 }, ROOTS));
    expect(extendChain(builtIn(), utf8(`${two} ${three}`))).toMatchObject({
      taken: [2],
      refused: { reason: 'keyset_armor_malformed', block: 2 },
    });
    expect(extendChain(builtIn(), utf8(`\r\n${two} \r\n\t${three}`)).taken).toEqual([2, 3]);
  });

  it.each([
    ['of any kind', new TypeError('no memory')],
    ['whose code is no reason', new VtlicError('internal', 'the provider is broken')],
    ['whose code is one of ours that is no reason either', new VtlicError('usage', 'it was called wrongly')],
  ])('throws an error %s, which says nothing about the file', (_what, error) => {
    const provider: Provider = {
      ...defaultProvider,
      sha256: () => {
        throw error;
      },
    };
    expect(() => extendChain(builtIn(), keysetBlock(SECOND, ROOTS), { provider })).toThrow(error);
  });

  it('gives the line of a fault in the whole file', () => {
    const two = new TextDecoder().decode(keysetBlock(SECOND, ROOTS));
    const { refused } = extendChain(builtIn(), utf8(`${two}x`));
    expect(refused?.place).toMatchObject({ line: two.split('\n').length, offset: two.length });
  });

  it('is written so that it reads back as the same chain', () => {
    const { chain } = extendChain(
      builtIn(),
      chainOf(keysetBlock(SECOND, ROOTS), keysetBlock({ ...SECOND, version: 3 }, ROOTS)),
    );
    const again = extendChain(builtIn(), chainFile(chain));
    expect(again.chain.versions).toEqual(chain.versions);
    expect(again.taken).toEqual([2, 3]);
  });
});

/** The map with one more member, which sorts last: a text of 10 characters. */
function withUnknownMember(payload: Uint8Array): Uint8Array {
  const map = payload.slice();
  map[0] = (map[0] ?? 0) + 1;
  return chainOf(map, Uint8Array.of(0x6a), utf8('zzzzzzzzzz'), Uint8Array.of(0xf5));
}
