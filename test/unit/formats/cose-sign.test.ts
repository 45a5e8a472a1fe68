import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged, type CborValue } from '../../../formats/cbor/index.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import {
  decodeCoseSign,
  encodeBodyProtected,
  encodeCoseSign,
  encodeSignerProtected,
  MAX_SIGNERS,
  signerStructure,
} from '../../../formats/cose-sign.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

const kidOf = (n: number): string => n.toString(16).padStart(64, '0');
const map = (...pairs: readonly (readonly [CborValue, CborValue])[]): ReadonlyMap<CborValue, CborValue> =>
  new Map(pairs);
const EMPTY = map();
const BODY = encodeBodyProtected(TYP.keyset);
const header = (n: number, alg: CborValue = -19): Uint8Array => encodeCbor(map([1, alg], [4, hex(kidOf(n))]));
const signer = (protectedBytes: CborValue = header(1)): readonly CborValue[] => [protectedBytes, EMPTY, utf8('s')];

interface Parts {
  readonly tag?: number;
  readonly body?: CborValue;
  readonly unprotected?: CborValue;
  readonly payload?: CborValue;
  readonly signers?: CborValue;
}

function signed({
  tag = 98,
  body = BODY,
  unprotected = EMPTY,
  payload = utf8('p'),
  signers = [signer()],
}: Parts): Uint8Array {
  return encodeTagged(tag, [body, unprotected, payload, signers]);
}
const bodyWith = (...pairs: readonly (readonly [CborValue, CborValue])[]): Uint8Array =>
  signed({ body: encodeCbor(map(...pairs)) });
const signerWith = (...pairs: readonly (readonly [CborValue, CborValue])[]): Uint8Array =>
  signed({ signers: [signer(encodeCbor(map(...pairs)))] });
const KID: readonly [CborValue, CborValue] = [4, hex(kidOf(1))];
const ALG: readonly [CborValue, CborValue] = [1, -19];

const faultOf = (file: Uint8Array): string => {
  const { code, message } = thrown(() => decodeCoseSign(file, TYP.keyset));
  return `${code}: ${message.replace('the COSE structure is malformed: ', '')}`;
};

describe('what a signer writes', () => {
  it.each<[Algorithm, string]>([
    ['ed25519', `a2 01 32 04 5820 ${kidOf(7)}`],
    ['ed25519+ml-dsa-65', `a2 01 71 ${toHex(utf8('ed25519+ml-dsa-65'))} 04 5820 ${kidOf(7)}`],
  ])('is a protected header with alg and kid of %s', (alg, expected) => {
    expect(toHex(encodeSignerProtected(alg, kidOf(7)))).toBe(expected.replaceAll(' ', ''));
  });

  it.each(['', 'ab', kidOf(1).slice(2), `${kidOf(1)}00`, 'z'.repeat(64)])('wants a kid of 32 bytes, not %j', (kid) => {
    const error = thrown(() => encodeSignerProtected('ed25519', kid));
    expect([error.code, error.message]).toEqual(['internal', 'a kid has 64 hex digits']);
  });

  it('is a signature over both protected headers and the payload', () => {
    const parts = [utf8('body'), utf8('own'), utf8('payload')] as const;
    expect(signerStructure(...parts)).toEqual(
      encodeCbor(['Signature', parts[0], parts[1], new Uint8Array(), parts[2]]),
    );
  });

  it('has the signers in the order of their kids, whatever order they came in', () => {
    const signers = [3, 1, 5, 2, 4].map((n) => ({
      alg: 'ed25519' as const,
      kid: kidOf(n),
      protectedBytes: encodeSignerProtected('ed25519', kidOf(n)),
      signature: Uint8Array.of(n),
    }));
    const file = encodeCoseSign({ protectedBytes: BODY, payload: utf8('p'), signers });
    expect(toHex(file)).toBe(
      toHex(signed({ signers: [1, 2, 3, 4, 5].map((n) => [header(n), EMPTY, Uint8Array.of(n)]) })),
    );
    const read = decodeCoseSign(file, TYP.keyset);
    file.fill(0);
    expect(read).toEqual({
      protectedBytes: BODY,
      payload: utf8('p'),
      signers: signers.toSorted((a, b) => a.kid.localeCompare(b.kid)),
    });
    expect([read, read.signers, read.signers[0]].every(Object.isFrozen)).toBe(true);
  });
});

describe('decodeCoseSign', () => {
  it.each([1, 2, MAX_SIGNERS])('takes %i signatures, of any length', (count) => {
    const signers = Array.from({ length: count }, (_, i) => [header(i), EMPTY, new Uint8Array(i)]);
    expect(decodeCoseSign(signed({ signers }), TYP.keyset).signers.length).toBe(count);
  });

  it.each<[string, Uint8Array]>([
    ['tag 98 (COSE_Sign) should be at the top, but no tag is', encodeCbor([BODY, EMPTY, utf8('p'), [signer()]])],
    ['tag 98 (COSE_Sign) should be at the top, but tag 18 is', signed({ tag: 18 })],
    ['an array should follow the tag, but a map does', encodeTagged(98, EMPTY)],
    ['an array should follow the tag, but a text does', encodeTagged(98, 'four')],
    ['the array should have 4 items, but it has 3', encodeTagged(98, [BODY, EMPTY, utf8('p')])],
    ['the array should have 4 items, but it has 5', encodeTagged(98, [BODY, EMPTY, utf8('p'), [signer()], 0])],
    ['the protected header should be a byte string, but it is a map', signed({ body: map([16, TYP.keyset]) })],
    ['the unprotected header should be the empty map, but it is an array', signed({ unprotected: [] })],
    ['the unprotected header should be the empty map, but it has entries', signed({ unprotected: map([4, 1]) })],
    ['the payload should be a byte string, but it is a text', signed({ payload: 'p' })],
    ['the list of signatures should be an array, but it is a byte string', signed({ signers: utf8('s') })],
    ['there should be 1 to 64 signatures, but there are 0', signed({ signers: [] })],
    [
      'there should be 1 to 64 signatures, but there are 65',
      signed({ signers: Array.from({ length: MAX_SIGNERS + 1 }, (_, i) => signer(header(i))) }),
    ],
    ['the content of the protected header should be a map, but it is an array', signed({ body: encodeCbor([]) })],
    ['the protected header of the body should have exactly a text typ (16)', bodyWith()],
    ['the protected header of the body should have exactly a text typ (16)', bodyWith([3, TYP.keyset])],
    ['the protected header of the body should have exactly a text typ (16)', bodyWith([16, 61])],
    ['the protected header of the body should have exactly a text typ (16)', bodyWith([3, 'x'], [16, TYP.keyset])],
    ['each signature should be an array, but it is a text', signed({ signers: ['one'] })],
    ['each signature should have 3 items, but one has 2', signed({ signers: [[header(1), EMPTY]] })],
    ['each signature should have 3 items, but one has 4', signed({ signers: [[...signer(), 0]] })],
    [
      'the protected header of a signer should be a byte string, but it is a map',
      signed({ signers: [signer(map(ALG, KID))] }),
    ],
    ['the protected header of a signer should not be empty', signed({ signers: [signer(new Uint8Array())] })],
    [
      'the unprotected header of a signer should be the empty map, but it is an array',
      signed({ signers: [[header(1), [], utf8('s')]] }),
    ],
    [
      'the unprotected header of a signer should be the empty map, but it has entries',
      signed({ signers: [[header(1), map([4, 1]), utf8('s')]] }),
    ],
    ['a signature should be a byte string, but it is a text', signed({ signers: [[header(1), EMPTY, 's']] })],
    [
      'the content of the protected header of a signer should be a map, but it is an array',
      signed({ signers: [signer(encodeCbor([1, 4]))] }),
    ],
    ['the protected header of a signer should have exactly alg (1) and kid (4)', signerWith(KID)],
    ['the protected header of a signer should have exactly alg (1) and kid (4)', signerWith(ALG)],
    ['the protected header of a signer should have exactly alg (1) and kid (4)', signerWith([2, -19], KID)],
    ['the protected header of a signer should have exactly alg (1) and kid (4)', signerWith(ALG, [5, hex(kidOf(1))])],
    ['the protected header of a signer should have exactly alg (1) and kid (4)', signerWith(ALG, [3, 'x'], KID)],
    ['alg should be an integer or a text, but it is a byte string', signerWith([1, utf8('-19')], KID)],
    ['kid should be a byte string, but it is a text', signerWith(ALG, [4, 'x'.repeat(32)])],
    ['kid should have 32 bytes, but it has 31', signerWith(ALG, [4, new Uint8Array(31)])],
    ['kid should have 32 bytes, but it has 33', signerWith(ALG, [4, new Uint8Array(33)])],
    [
      'the signatures should be sorted by kid, each kid once, but they are not',
      signed({ signers: [signer(header(2)), signer(header(1))] }),
    ],
    [
      'the signatures should be sorted by kid, each kid once, but they are not',
      signed({ signers: [signer(header(1)), signer(header(1))] }),
    ],
  ])('says: %s', (fault, file) => {
    expect(faultOf(file)).toBe(`cose_malformed: ${fault}`);
  });

  it('refuses another typ, and names both kinds', () => {
    expect(faultOf(bodyWith([16, TYP.license]))).toBe('typ_wrong: expected a signed keyset, but it is a license');
  });

  it.each<CborValue>([-8, 0, 'Ed25519'])('does not know the alg %j of a signer', (alg) => {
    expect(faultOf(signed({ signers: [signer(header(1, alg))] }))).toMatch(/^alg_unknown: /);
  });

  it('judges step by step: CBOR, shape, CBOR of the signers, their content, typ, alg, order', () => {
    const order = [signer(header(2, -8)), signer(header(1))];
    const typ = encodeCbor(map([16, TYP.license]));
    expect(faultOf(signed({ signers: order }))).toMatch(/^alg_unknown/);
    expect(faultOf(signed({ body: typ, signers: order }))).toMatch(/^typ_wrong/);
    const content = [signer(encodeCbor(map(ALG))), ...order];
    expect(faultOf(signed({ body: typ, signers: content }))).toMatch(/^cose_malformed/);
    const cbor = [...content, signer(hex('a2'))];
    expect(faultOf(signed({ body: typ, signers: cbor }))).toMatch(/^cbor_malformed/);
    expect(faultOf(signed({ body: typ, signers: [...cbor, 0] }))).toMatch(/^cose_malformed: each signature/);
    expect(faultOf(concatBytes(signed({ signers: [0] }), Uint8Array.of(0)))).toMatch(/^cbor_malformed/);
  });

  it('says at which offset of the whole file the header of a signer is not well formed', () => {
    const first = signer(header(1));
    const whole = signed({ signers: [first, signer(hex('a1 18 01 32'))] });
    const at = whole.length - 'a1180132 a0 4173'.replaceAll(' ', '').length / 2;
    expect(thrown(() => decodeCoseSign(whole, TYP.keyset))).toMatchObject({
      code: 'cbor_not_deterministic',
      place: { offset: at + 1 },
    });
  });

  it('does not look into the payload', () => {
    expect(decodeCoseSign(signed({ payload: hex('ff') }), TYP.keyset).payload).toEqual(hex('ff'));
  });
});
