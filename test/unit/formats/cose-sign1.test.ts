import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

const KID = '0123456789abcdef'.repeat(4);
const map = (...pairs: readonly (readonly [CborValue, CborValue])[]): ReadonlyMap<CborValue, CborValue> =>
  new Map(pairs);

const HEADER: readonly (readonly [CborValue, CborValue])[] = [
  [1, -19],
  [4, hex(KID)],
  [16, TYP.license],
];

function signed(
  header: CborValue = map(...HEADER),
  rest: readonly CborValue[] = [map(), utf8('payload'), new Uint8Array(64)],
): Uint8Array {
  return encodeTagged(18, [encodeCbor(header), ...rest]);
}

function withHeader(key: number, value: CborValue | undefined): Uint8Array {
  const header = new Map(HEADER);
  if (value === undefined) header.delete(key);
  else header.set(key, value);
  return signed(header);
}

describe('the protected header', () => {
  it.each<[Algorithm, string]>([
    ['ed25519', `a3 01 32 04 5820 ${KID} 10 7822 ${toHex(utf8(TYP.license))}`],
    [
      'ed25519+ml-dsa-65',
      `a3 01 71 ${toHex(utf8('ed25519+ml-dsa-65'))} 04 5820 ${KID} 10 7822 ${toHex(utf8(TYP.license))}`,
    ],
  ])('writes the protected header of %s', (alg, expected) => {
    expect(toHex(encodeProtected(alg, KID, TYP.license))).toBe(expected.replaceAll(' ', ''));
  });

  it.each(['', 'ab', KID.slice(2), `${KID}00`, 'z'.repeat(64)])('wants a kid of 32 bytes, not %j', (kid) => {
    expect(thrown(() => encodeProtected('ed25519', kid, TYP.license)).code).toBe('internal');
  });
});

describe('sigStructure', () => {
  it.each([0, 23, 24, 255, 256, 65_535, 65_536])(
    'is the CBOR of ["Signature1", protected, empty, payload] with %i bytes',
    (length) => {
      const bytes = new Uint8Array(length).fill(7);
      const short = Uint8Array.of(0xa0);
      expect(sigStructure(bytes, short)).toEqual(encodeCbor(['Signature1', bytes, new Uint8Array(), short]));
      expect(sigStructure(short, bytes)).toEqual(encodeCbor(['Signature1', short, new Uint8Array(), bytes]));
    },
  );
});

describe('decodeCoseSign1', () => {
  it.each<Algorithm>(['ed25519', 'ed25519+ml-dsa-65'])('reads what encodeCoseSign1 wrote: %s', (alg) => {
    for (const typ of Object.values(TYP)) {
      const protectedBytes = encodeProtected(alg, KID, typ);
      const file = encodeCoseSign1(protectedBytes, utf8('payload'), Uint8Array.of(1, 2, 3));
      const read = decodeCoseSign1(file, typ);
      file.fill(0);
      expect(read).toEqual({
        alg,
        kid: KID,
        typ,
        protectedBytes,
        payload: utf8('payload'),
        signature: Uint8Array.of(1, 2, 3),
      });
      expect(Object.isFrozen(read)).toBe(true);
    }
  });

  it('takes a signature of any length, and an empty payload: others judge them', () => {
    expect(decodeCoseSign1(signed(undefined, [map(), new Uint8Array(), new Uint8Array()]), TYP.license)).toMatchObject({
      payload: new Uint8Array(),
      signature: new Uint8Array(),
    });
  });

  const goodProtected = encodeCbor(map(...HEADER));
  it.each<[string, Uint8Array]>([
    ['no tag', encodeCbor([goodProtected, map(), utf8('p'), utf8('s')])],
    ['tag 98', encodeTagged(98, [goodProtected, map(), utf8('p'), utf8('s')])],
    ['tag 61 (CWT)', encodeTagged(61, [goodProtected, map(), utf8('p'), utf8('s')])],
    ['no array', encodeTagged(18, map())],
    ['an empty array', encodeTagged(18, [])],
    ['three items', encodeTagged(18, [goodProtected, map(), utf8('p')])],
    ['five items', encodeTagged(18, [goodProtected, map(), utf8('p'), utf8('s'), 0])],
    ['a protected map that is not wrapped', encodeTagged(18, [map(...HEADER), map(), utf8('p'), utf8('s')])],
    ['an empty protected header', encodeTagged(18, [new Uint8Array(), map(), utf8('p'), utf8('s')])],
    ['protected bytes that hold an array', signed([-19])],
    ['unprotected entries', signed(undefined, [map([4, utf8('11')]), utf8('p'), utf8('s')])],
    ['an unprotected array', signed(undefined, [[], utf8('p'), utf8('s')])],
    ['a payload that is a text', signed(undefined, [map(), 'p', utf8('s')])],
    ['a payload that is a map', signed(undefined, [map(), map(), utf8('s')])],
    ['a signature that is a text', signed(undefined, [map(), utf8('p'), 's'])],
    ['no alg', withHeader(1, undefined)],
    ['no kid', withHeader(4, undefined)],
    ['no typ', withHeader(16, undefined)],
    ['a further parameter', withHeader(3, 60)],
    ['crit', withHeader(2, [1])],
    ['alg with another key in its place', signed(map([2, -19], [4, hex(KID)], [16, TYP.license]))],
    ['an alg of bytes', withHeader(1, utf8('-19'))],
    ['an alg of true', withHeader(1, true)],
    ['a kid of text', withHeader(4, KID)],
    ['a kid of 31 bytes', withHeader(4, new Uint8Array(31))],
    ['a kid of 33 bytes', withHeader(4, new Uint8Array(33))],
    ['a typ by number', withHeader(16, 61)],
  ])('refuses %s as cose_malformed', (_, file) => {
    expect(thrown(() => decodeCoseSign1(file, TYP.license)).code).toBe('cose_malformed');
  });

  it.each([TYP.keyset, TYP.release, 'application/cwt', 'application/vnd.vtlic.license+COSE', ''])(
    'refuses the typ %j',
    (typ) => {
      expect(thrown(() => decodeCoseSign1(withHeader(16, typ), TYP.license)).code).toBe('typ_wrong');
    },
  );

  it('names the kind that came', () => {
    expect(thrown(() => decodeCoseSign1(withHeader(16, TYP.keyset), TYP.license)).message).toBe(
      'expected a signed license, but it is a keyset',
    );
    expect(thrown(() => decodeCoseSign1(withHeader(16, 'a\u001b[2J'), TYP.license)).message).toContain(
      '"a\\u{001B}[2J"',
    );
  });

  it.each<CborValue>([-8, -7, -55, -58, 0, 'Ed25519', 'ed25519', 'ed25519+ml-dsa-65 '])(
    'does not know the alg %j',
    (alg) => {
      expect(thrown(() => decodeCoseSign1(withHeader(1, alg), TYP.license)).code).toBe('alg_unknown');
    },
  );

  it('goes step by step: CBOR, shape, typ, alg', () => {
    const wrongTypAndAlg = map([1, -8], [4, hex(KID)], [16, TYP.keyset]);
    expect(thrown(() => decodeCoseSign1(signed(wrongTypAndAlg), TYP.license)).code).toBe('typ_wrong');
    const alsoShortKid = map([1, -8], [4, utf8('11')], [16, TYP.keyset]);
    expect(thrown(() => decodeCoseSign1(signed(alsoShortKid), TYP.license)).code).toBe('cose_malformed');
    const alsoTrailing = concatBytes(signed(alsoShortKid), Uint8Array.of(0));
    expect(thrown(() => decodeCoseSign1(alsoTrailing, TYP.license)).code).toBe('cbor_malformed');
  });

  it('walks the protected bytes in the CBOR step, also where the shape is wrong', () => {
    const unsorted = hex(`a3 04 5820 ${KID} 01 32 10 7822 ${toHex(utf8(TYP.license))}`);
    expect(
      thrown(() => decodeCoseSign1(encodeTagged(18, [unsorted, map(), utf8('p'), utf8('s')]), TYP.license)),
    ).toMatchObject({
      code: 'cbor_not_deterministic',
      place: { offset: 2 + 2 + 1 + 1 + 34 },
    });
    expect(thrown(() => decodeCoseSign1(encodeTagged(17, [hex('f6')]), TYP.license)).code).toBe('cbor_malformed');
  });

  it('does not look into the payload', () => {
    expect(decodeCoseSign1(signed(undefined, [map(), hex('ff'), utf8('s')]), TYP.license).payload).toEqual(hex('ff'));
  });
});
