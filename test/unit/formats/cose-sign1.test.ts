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
  const EXACT = 'the protected header should have exactly alg (1), kid (4) and typ (16)';
  it.each<[string, Uint8Array]>([
    ['expected tag 18 (COSE_Sign1) at the top, found no tag', encodeCbor([goodProtected, map(), utf8('p'), utf8('s')])],
    [
      'expected tag 18 (COSE_Sign1) at the top, found tag 98',
      encodeTagged(98, [goodProtected, map(), utf8('p'), utf8('s')]),
    ],
    [
      'expected tag 18 (COSE_Sign1) at the top, found tag 61',
      encodeTagged(61, [goodProtected, map(), utf8('p'), utf8('s')]),
    ],
    ['an array should follow the tag, but a map does', encodeTagged(18, map())],
    ['an array should follow the tag, but a text does', encodeTagged(18, 'four')],
    ['the array should have 4 items, but it has 0', encodeTagged(18, [])],
    ['the array should have 4 items, but it has 3', encodeTagged(18, [goodProtected, map(), utf8('p')])],
    ['the array should have 4 items, but it has 5', encodeTagged(18, [goodProtected, map(), utf8('p'), utf8('s'), 0])],
    [
      'the protected header should be a byte string, but it is a map',
      encodeTagged(18, [map(...HEADER), map(), utf8('p'), utf8('s')]),
    ],
    [
      'the protected bytes should contain a map, but they contain nothing',
      encodeTagged(18, [new Uint8Array(), map(), utf8('p'), utf8('s')]),
    ],
    ['the protected bytes should contain a map, but they contain an array', signed([-19])],
    [
      'the unprotected header should be the empty map, but it has entries',
      signed(undefined, [map([4, utf8('11')]), utf8('p'), utf8('s')]),
    ],
    [
      'the unprotected header should be the empty map, but it is an array',
      signed(undefined, [[], utf8('p'), utf8('s')]),
    ],
    ['the payload should be a byte string, but it is a text', signed(undefined, [map(), 'p', utf8('s')])],
    ['the payload should be a byte string, but it is a map', signed(undefined, [map(), map(), utf8('s')])],
    ['the signature should be a byte string, but it is a text', signed(undefined, [map(), utf8('p'), 's'])],
    [EXACT, withHeader(1, undefined)],
    [EXACT, withHeader(4, undefined)],
    [EXACT, withHeader(16, undefined)],
    [EXACT, withHeader(3, 60)],
    [EXACT, withHeader(2, [1])],
    [EXACT, signed(map([2, -19], [4, hex(KID)], [16, TYP.license]))],
    [EXACT, signed(map([1, -19], [5, hex(KID)], [16, TYP.license]))],
    [EXACT, signed(map([1, -19], [4, hex(KID)], [17, TYP.license]))],
    ['alg should be an integer or a text, but it is a byte string', withHeader(1, utf8('-19'))],
    ['alg should be an integer or a text, but it is the value true', withHeader(1, true)],
    ['kid should be a byte string, but it is a text', withHeader(4, 'x'.repeat(32))],
    ['kid should have 32 bytes, but it has 31', withHeader(4, new Uint8Array(31))],
    ['kid should have 32 bytes, but it has 33', withHeader(4, new Uint8Array(33))],
    ['typ should be a text, but it is an integer', withHeader(16, 61)],
  ])('says: %s', (fault, file) => {
    const { code, message } = thrown(() => decodeCoseSign1(file, TYP.license));
    expect([code, message]).toEqual(['cose_malformed', `the COSE structure is malformed: ${fault}`]);
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
      const { code, message } = thrown(() => decodeCoseSign1(withHeader(1, alg), TYP.license));
      expect([code, message]).toEqual([
        'alg_unknown',
        `alg should be -19 (Ed25519) or "ed25519+ml-dsa-65", but it is ${JSON.stringify(alg)}`,
      ]);
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
