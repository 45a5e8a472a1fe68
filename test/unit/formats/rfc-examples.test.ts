/** What the RFCs print, against what we read and write. Sources: test/data/cose/NOTICE.md. */
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCbor, decodeTaggedCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

type Json = number | string | boolean | readonly Json[] | { readonly [name: string]: Json };

interface Examples {
  readonly cborAppendixA: {
    readonly inProfile: readonly { readonly hex: string; readonly json: Json }[];
    readonly inProfileNotJson: readonly { readonly hex: string }[];
    readonly outOfProfile: readonly string[];
  };
  readonly cborNotWellFormed: readonly string[];
  readonly cborKeyOrder: readonly string[];
  readonly coseSign1: {
    readonly key: JsonWebKey;
    readonly protected: string;
    readonly payload: string;
    readonly signature: string;
    readonly message: string;
  };
  readonly cwt: {
    readonly claims: string;
    readonly claimValues: Readonly<Record<string, string | number>>;
    readonly key: JsonWebKey;
    readonly signed: string;
  };
  readonly thumbprint: { readonly x: string; readonly y: string; readonly input: string; readonly sha256: string };
}

const examples = JSON.parse(
  readFileSync(new URL('../../data/cose/rfc-examples.json', import.meta.url), 'utf8'),
) as Examples;

function fromJson(json: Json): CborValue {
  if (Array.isArray(json)) return (json as readonly Json[]).map(fromJson);
  if (typeof json !== 'object') return json;
  return new Map(Object.entries(json).map(([name, value]) => [name, fromJson(value)]));
}

function verifiesEs256(key: JsonWebKey, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(
    'sha256',
    message,
    { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    signature,
  );
}

describe('RFC 8949', () => {
  it.each(examples.cborAppendixA.inProfile)('Appendix A: $hex is $json, and back', ({ hex: bytes, json }) => {
    expect(decodeCbor(hex(bytes))).toEqual(fromJson(json));
    expect(toHex(encodeCbor(fromJson(json)))).toBe(bytes);
  });

  it.each(examples.cborAppendixA.inProfileNotJson)('Appendix A: $hex comes back as it was', ({ hex: bytes }) => {
    expect(toHex(encodeCbor(decodeCbor(hex(bytes))))).toBe(bytes);
  });

  it.each(examples.cborAppendixA.outOfProfile)('Appendix A: %s is not part of the profile', (bytes) => {
    expect(thrown(() => decodeCbor(hex(bytes))).code).toMatch(/^cbor_/);
  });

  it.each(examples.cborNotWellFormed)('Appendix F.1: %s is refused', (bytes) => {
    expect(thrown(() => decodeCbor(hex(bytes))).code).toMatch(/^cbor_/);
    expect(thrown(() => decodeTaggedCbor(hex(bytes))).code).toMatch(/^cbor_/);
  });

  it('section 4.2.1: the order of keys', () => {
    const encoded = `a8${examples.cborKeyOrder.map((key) => `${key}00`).join('')}`;
    expect(toHex(encodeCbor(decodeCbor(hex(encoded))))).toBe(encoded);
    const keys = examples.cborKeyOrder.map((key) => decodeCbor(hex(key)));
    expect(toHex(encodeCbor(new Map(keys.toReversed().map((key) => [key, 0]))))).toBe(encoded);
  });
});

describe('RFC 9052, Appendix C.2.1', () => {
  const { key, message, payload, protected: header, signature } = examples.coseSign1;

  it('the signature is valid for our Sig_structure', () => {
    expect(verifiesEs256(key, sigStructure(hex(header), hex(payload)), hex(signature))).toBe(true);
    expect(verifiesEs256(key, sigStructure(hex(header), hex(`${payload}00`)), hex(signature))).toBe(false);
  });

  it('the message is read and written byte for byte', () => {
    const read = decodeTaggedCbor(hex(message));
    expect(read).toEqual({
      tag: 18,
      value: [hex(header), new Map([[4, utf8('11')]]), hex(payload), hex(signature)],
      embedded: undefined,
    });
    expect(toHex(encodeTagged(18, read.value))).toBe(message);
  });

  it('the message is none of ours: it has an unprotected header', () => {
    expect(thrown(() => decodeCoseSign1(hex(message), TYP.license))).toMatchObject({
      code: 'cose_malformed',
      message: expect.stringContaining('empty map') as string,
    });
  });
});

describe('RFC 8392, Appendix A', () => {
  const { claims, claimValues, key, signed } = examples.cwt;

  it('A.1: the claims set is read and written', () => {
    const { cti, ...values } = claimValues;
    const read = decodeCbor(hex(claims));
    expect(read).toEqual(
      new Map<number, CborValue>([
        ...Object.values(values).map((value, i): [number, CborValue] => [i + 1, value]),
        [7, hex(String(cti))],
      ]),
    );
    expect(toHex(encodeCbor(read))).toBe(claims);
  });

  it('A.1: is not a license (its issuer is not an id)', () => {
    expect(thrown(() => decodeLicense(hex(claims)))).toMatchObject({
      code: 'claims_malformed',
      place: { field: 'iss' },
    });
  });

  it('A.3: the signature is valid for our Sig_structure', () => {
    const { value } = decodeTaggedCbor(hex(signed));
    const [header, , payload, signature] = value as readonly Uint8Array[];
    if (header === undefined || payload === undefined || signature === undefined) throw new Error('no COSE_Sign1');
    expect(toHex(payload)).toBe(claims);
    expect(verifiesEs256(key, sigStructure(header, payload), signature)).toBe(true);
  });
});

describe('RFC 9679, section 6', () => {
  it('the thumbprint is the SHA-256 of our encoding of the required members', () => {
    const { input, sha256, x, y } = examples.thumbprint;
    const encoded = encodeCbor(
      new Map<CborValue, CborValue>([
        [-3, hex(y)],
        [-2, hex(x)],
        [-1, 1],
        [1, 2],
      ]),
    );
    expect(toHex(encoded)).toBe(input);
    expect(createHash('sha256').update(encoded).digest('hex')).toBe(sha256);
  });
});
