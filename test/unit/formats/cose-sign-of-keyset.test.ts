/** The rules of docs/keysets.md K2 for the COSE_Sign of a keyset, one fault at a time. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import {
  decodeCoseSign,
  encodeBodyProtected,
  encodeCoseSign,
  encodeSignerProtected,
  MAX_SIGNERS,
  signerStructure,
} from '../../../formats/cose-sign.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { testKey } from '../../../conformance/examples/keysets.ts';
import { thrown } from '../../support/thrown.ts';

const ROOTS = ['root a', 'root b'];
/** A COSE_Sign does not look into its payload. */
const payload = Uint8Array.of(0xa0);

/** 32 bytes each, rising. */
const kids = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Uint8Array.of(...new Uint8Array(31), i));

describe('a COSE_Sign', () => {
  const body = encodeBodyProtected(TYP.keyset);
  const empty = new Map<CborValue, CborValue>();
  const header = (name: string): Uint8Array => encodeSignerProtected('ed25519', testKey(name).publicKey.kid);
  const signer = (name: string): CborValue[] => [header(name), empty, new Uint8Array(64)];
  const [low, high] = [...ROOTS].sort((a, b) => testKey(a).publicKey.kid.localeCompare(testKey(b).publicKey.kid));
  const signers = [signer(low ?? ''), signer(high ?? '')];
  const good: CborValue[] = [body, empty, payload, signers];
  const bad = (at: number, value: CborValue): CborValue[] => good.map((item, i) => (i === at ? value : item));
  const signerOf = (...entries: readonly (readonly [CborValue, CborValue])[]): CborValue[] => [
    encodeCbor(new Map(entries)),
    empty,
    new Uint8Array(64),
  ];
  const signedBy = (...entries: readonly (readonly [CborValue, CborValue])[]): Uint8Array =>
    encodeTagged(98, bad(3, [signerOf(...entries)]));
  const kid = new Uint8Array(32);
  const manySigners = (count: number): CborValue[] => kids(count).map((bytes) => signerOf([1, -19], [4, bytes]));

  it('is read with its signers, and written again to the same bytes', () => {
    const bytes = encodeTagged(98, good);
    const cose = decodeCoseSign(bytes, TYP.keyset);
    expect(cose.signers.map(({ alg }) => alg)).toEqual(['ed25519', 'ed25519']);
    expect(encodeCoseSign({ ...cose, signers: cose.signers.toReversed() })).toEqual(bytes);
  });

  it.each([
    ['cose_malformed', encodeTagged(18, good)],
    ['cose_malformed', encodeCbor(good)],
    ['cose_malformed', encodeTagged(98, 1)],
    ['cose_malformed', encodeTagged(98, good.slice(0, 3))],
    ['cose_malformed', encodeTagged(98, bad(0, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(0, new Uint8Array()))],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor([])))],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor(new Map<CborValue, CborValue>([[16, 1]]))))],
    [
      'cose_malformed',
      encodeTagged(
        98,
        bad(
          0,
          encodeCbor(
            new Map<CborValue, CborValue>([
              [1, -19],
              [16, TYP.keyset],
            ]),
          ),
        ),
      ),
    ],
    ['cose_malformed', encodeTagged(98, bad(1, new Map([[4, kid]])))],
    ['cose_malformed', encodeTagged(98, bad(2, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, empty))],
    ['cose_malformed', encodeTagged(98, bad(3, []))],
    ['cose_malformed', encodeTagged(98, bad(3, manySigners(MAX_SIGNERS + 1)))],
    ['cose_malformed', encodeTagged(98, bad(3, [1]))],
    ['cose_malformed', encodeTagged(98, bad(3, [signer('root a').slice(0, 2)]))],
    ['cose_malformed', encodeTagged(98, bad(3, [['text', empty, kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[new Uint8Array(), empty, kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), new Map([[4, kid]]), kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), empty, 'text']]))],
    ['cose_malformed', signedBy([1, -19])],
    ['cose_malformed', signedBy([1, kid], [4, kid])],
    ['cose_malformed', signedBy([1, -19], [4, 'kid'])],
    ['cose_malformed', signedBy([1, -19], [4, kid.subarray(1)])],
    ['cose_malformed', signedBy([1, -19], [4, kid], [16, TYP.keyset])],
    ['cose_malformed', encodeTagged(98, bad(3, signers.toReversed()))],
    ['cose_malformed', encodeTagged(98, bad(3, [signers[0] ?? [], signers[0] ?? []]))],
    ['cose_malformed', encodeTagged(98, [...good, 1])],
    ['cose_malformed', encodeTagged(98, bad(1, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, 'text'))],
    ['cose_malformed', encodeTagged(98, bad(3, [[...signer('root a'), 1]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[header('root a'), 'text', kid]]))],
    ['cose_malformed', encodeTagged(98, bad(3, [[encodeCbor([1, 2]), empty, kid]]))],
    ['cose_malformed', signedBy([1, -19], [5, kid])],
    ['cose_malformed', signedBy([2, -19], [4, kid])],
    ['cose_malformed', signedBy([1, true], [4, kid])],
    ['cose_malformed', encodeTagged(98, bad(0, encodeCbor(new Map<CborValue, CborValue>([[15, TYP.keyset]]))))],
    ['alg_unknown', signedBy([1, 'EdDSA'], [4, kid])],
    // The types come before the algorithms, and those before the order.
    ['typ_wrong', encodeTagged(98, [encodeBodyProtected(TYP.license), empty, payload, signers.toReversed()])],
    ['cbor_malformed', encodeTagged(98, bad(0, Uint8Array.of(0xff)))],
    ['cbor_malformed', encodeTagged(98, bad(3, [[Uint8Array.of(0xff), empty, kid]]))],
    ['cbor_not_deterministic', encodeTagged(98, bad(3, [[Uint8Array.of(0x18, 0x01), empty, kid]]))],
    ['typ_wrong', encodeTagged(98, bad(0, encodeBodyProtected(TYP.license)))],
    ['alg_unknown', signedBy([1, -8], [4, kid])],
  ] as const)('is %s (%#)', (code, bytes) => {
    expect(thrown(() => decodeCoseSign(bytes, TYP.keyset))).toMatchObject({ code });
  });

  it('has its fields, its kids, and no more', () => {
    const cose = decodeCoseSign(encodeTagged(98, good), TYP.keyset);
    expect(cose.protectedBytes).toEqual(body);
    expect(cose.payload).toEqual(payload);
    expect(cose.signers.map(({ kid: id, signature }) => [id, signature.length])).toEqual([
      [testKey(low ?? '').publicKey.kid, 64],
      [testKey(high ?? '').publicKey.kid, 64],
    ]);
    expect([cose, cose.signers, ...cose.signers].every((value) => Object.isFrozen(value))).toBe(true);
    expect(thrown(() => encodeSignerProtected('ed25519', 'ab'.repeat(31)))).toMatchObject({ code: 'internal' });
    expect(thrown(() => encodeSignerProtected('ed25519', 'x'.repeat(64)))).toMatchObject({ code: 'internal' });
  });

  it('may have 64 signers', () => {
    expect(decodeCoseSign(encodeTagged(98, bad(3, manySigners(MAX_SIGNERS))), TYP.keyset).signers).toHaveLength(64);
  });

  it('gives the offset of a fault in the header of a signer within the whole', () => {
    const bytes = encodeTagged(98, bad(3, [[Uint8Array.of(0x18, 0x01), empty, kid]]));
    // Behind it: the head of the signature (2 bytes), 32 bytes, the empty map, and the header's other byte.
    expect(thrown(() => decodeCoseSign(bytes, TYP.keyset))).toMatchObject({
      place: { offset: bytes.length - 32 - 2 - 1 - 2 },
    });
  });

  it('is signed over the structure of RFC 9052', () => {
    expect(signerStructure(Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4))).toEqual(
      concatBytes(
        Uint8Array.of(0x85, 0x69),
        Buffer.from('Signature'),
        Uint8Array.of(0x41, 1, 0x42, 2, 3, 0x40, 0x41, 4),
      ),
    );
  });
});
