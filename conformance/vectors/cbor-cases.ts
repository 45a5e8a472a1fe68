/** Genuine licenses that break one rule of CBOR and no other rule: in the envelope, in the header, in the payload. */
import { armor } from '../../formats/armor.ts';
import { concatBytes } from '../../formats/bytes.ts';
import { encodeHead, type CborValue } from '../../formats/cbor/index.ts';
import { ed25519License } from '../examples/example-licenses.ts';
import { minimalPayload, payloadOf } from '../examples/minimal-payload.ts';
import { bytesOf, hex } from '../examples/small-example.ts';
import {
  headerOf,
  KEYS,
  licenseFile,
  mapOf,
  signedFile,
  utf8Hex,
  verifyCases,
  type VerifyRow,
} from './verify-cases.ts';
import type { CaseFolder } from './case.ts';

const { protectedBytes, payload, signature } = ed25519License;

/** The encoded parts of the envelope. */
interface Envelope {
  readonly tag: string;
  readonly array: string;
  readonly protectedHead: Uint8Array;
  readonly unprotected: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly end: string;
}

const bytesItem = (content: Uint8Array): Uint8Array => concatBytes(encodeHead(2, content.length), content);

function envelope(changes: Partial<Envelope>): Uint8Array {
  const parts: Envelope = {
    tag: 'd2',
    array: '84',
    protectedHead: encodeHead(2, protectedBytes.length),
    unprotected: 'a0',
    payload: bytesItem(payload),
    signature: bytesItem(signature),
    end: '',
    ...changes,
  };
  return armor(
    'VTLIC',
    concatBytes(
      bytesOf(parts.tag + parts.array),
      parts.protectedHead,
      protectedBytes,
      bytesOf(parts.unprotected),
      parts.payload,
      parts.signature,
      bytesOf(parts.end),
    ),
  );
}

/** The head of a byte string with an argument of this many bytes. */
function longHead(length: number, argumentBytes: 2 | 4 | 8): Uint8Array {
  const head = new Uint8Array(1 + argumentBytes);
  head[0] = { 2: 0x59, 4: 0x5a, 8: 0x5b }[argumentBytes];
  new DataView(head.buffer).setUint16(argumentBytes - 1, length);
  return head;
}

const eightDigits = (length: number): string => length.toString(16).padStart(8, '0');

const chunked = (content: Uint8Array): Uint8Array =>
  concatBytes(bytesOf('5f'), bytesItem(content.slice(0, 20)), bytesItem(content.slice(20)), bytesOf('ff'));

type Row = readonly [id: string, title: string, file: Uint8Array];

const NOT_DETERMINISTIC: readonly Row[] = [
  ['envelope-long-tag', 'tag 18 in two bytes, around a genuine license', envelope({ tag: 'd812' })],
  ['envelope-long-tag-8', 'tag 18 in nine bytes', envelope({ tag: 'db0000000000000012' })],
  ['envelope-long-tag-4', 'tag 18 in five bytes', envelope({ tag: 'da00000012' })],
  ['envelope-long-array', 'the length of the array in two bytes', envelope({ array: '9804' })],
  ['envelope-long-array-2', 'the length of the array in three bytes', envelope({ array: '990004' })],
  ['envelope-long-array-4', 'the length of the array in five bytes', envelope({ array: '9a00000004' })],
  ['envelope-long-array-8', 'the length of the array in nine bytes', envelope({ array: '9b0000000000000004' })],
  [
    'envelope-long-protected',
    'the length of the protected bytes in three bytes',
    envelope({ protectedHead: longHead(protectedBytes.length, 2) }),
  ],
  ['envelope-long-unprotected', 'the length of the unprotected map in two bytes', envelope({ unprotected: 'b800' })],
  [
    'envelope-long-unprotected-2',
    'the length of the unprotected map in three bytes',
    envelope({ unprotected: 'b90000' }),
  ],
  [
    'envelope-long-payload',
    'the length of the payload in five bytes',
    envelope({ payload: concatBytes(longHead(payload.length, 4), payload) }),
  ],
  [
    'envelope-long-signature',
    'the length of the signature in three bytes',
    envelope({ signature: concatBytes(longHead(64, 2), signature) }),
  ],
  [
    'envelope-long-signature-8',
    'the length of the signature in nine bytes',
    envelope({ signature: concatBytes(longHead(64, 8), signature) }),
  ],
  ['envelope-indefinite-array', 'an array of indefinite length', envelope({ array: '9f', end: 'ff' })],
  ['envelope-indefinite-map', 'an unprotected map of indefinite length', envelope({ unprotected: 'bfff' })],
  ['envelope-indefinite-payload', 'a payload in two chunks', envelope({ payload: chunked(payload) })],
  ['envelope-indefinite-signature', 'a signature in two chunks', envelope({ signature: chunked(signature) })],
];

const MALFORMED: readonly Row[] = [
  ['envelope-array-32-bits', 'an array of 2^32+4 items around the four', envelope({ array: '9b0000000100000004' })],
  [
    'envelope-payload-32-bits',
    'a payload whose length is 2^32 too large',
    envelope({ payload: concatBytes(bytesOf(`5b00000001${eightDigits(payload.length)}`), payload) }),
  ],
  [
    'envelope-signature-32-bits',
    'a signature of 2^32+64 bytes, of which 64 are there',
    envelope({ signature: concatBytes(bytesOf('5b0000000100000040'), signature) }),
  ],
  ['envelope-tag-reserved', 'tag 18 with the additional information 28', envelope({ tag: 'dc12' })],
  ['envelope-trailing', 'a byte behind a genuine license', envelope({ end: '00' })],
  ['envelope-trailing-item', 'a second item behind a genuine license', envelope({ end: 'a0' })],
  ['envelope-two-tags', 'a CWT tag (61) around tag 18 and a genuine license', envelope({ tag: 'd83dd2' })],
  ['envelope-self-described', 'the tag of self-described CBOR (55799) around tag 18', envelope({ tag: 'd9d9f7d2' })],
  ['envelope-null-unprotected', 'null for the unprotected map of a genuine license', envelope({ unprotected: 'f6' })],
  ['envelope-undefined-unprotected', 'undefined for the unprotected map', envelope({ unprotected: 'f7' })],
  [
    'envelope-tagged-payload',
    'tag 24 before the payload',
    envelope({ payload: concatBytes(bytesOf('d818'), bytesItem(payload)) }),
  ],
];

const { alg: ALG, kid: KID, typ: TYP } = headerOf(KEYS.ed25519);
const signedHeader = (bytes: Uint8Array | string): Uint8Array =>
  signedFile(KEYS.ed25519, typeof bytes === 'string' ? bytesOf(bytes) : bytes, minimalPayload);

const HEADER_NOT_DETERMINISTIC: readonly Row[] = [
  ['header-unsorted', 'the protected header unsorted: typ, kid, alg', signedHeader(mapOf(TYP, KID, ALG))],
  ['header-unsorted-last', 'the protected header unsorted: alg, typ, kid', signedHeader(mapOf(ALG, TYP, KID))],
  ['header-repeated', 'alg twice in the protected header', signedHeader(`a4${ALG}${ALG}${KID}${TYP}`)],
  ['header-long-map', 'the length of the protected header in two bytes', signedHeader(`b803${ALG}${KID}${TYP}`)],
  ['header-long-map-2', 'the length of the protected header in three bytes', signedHeader(`b90003${ALG}${KID}${TYP}`)],
  ['header-long-map-4', 'the length of the header in five bytes', signedHeader(`ba00000003${ALG}${KID}${TYP}`)],
  ['header-long-map-8', 'the length of the header in nine bytes', signedHeader(`bb0000000000000003${ALG}${KID}${TYP}`)],
  ['header-long-typ-2', 'the length of the typ in three bytes', signedHeader(`a3${ALG}${KID}107900${TYP.slice(4)}`)],
  ['header-long-typ-4', 'the length of the typ in five bytes', signedHeader(`a3${ALG}${KID}107a000000${TYP.slice(4)}`)],
  [
    'header-long-typ-8',
    'the length of the typ in nine bytes',
    signedHeader(`a3${ALG}${KID}107b00000000000000${TYP.slice(4)}`),
  ],
  ['header-long-key', 'a key of the protected header in two bytes', signedHeader(`a3${ALG}${KID}18${TYP}`)],
  ['header-long-alg', 'alg -19 in two bytes', signedHeader(`a3013812${KID}${TYP}`)],
  ['header-long-kid', 'the length of the kid in three bytes', signedHeader(`a3${ALG}04590020${KID.slice(6)}${TYP}`)],
  ['header-indefinite', 'a protected header of indefinite length', signedHeader(`bf${ALG}${KID}${TYP}ff`)],
];

const HEADER_MALFORMED: readonly Row[] = [
  [
    'header-trailing',
    'a byte behind the protected header',
    signedHeader(concatBytes(mapOf(ALG, KID, TYP), Uint8Array.of(0))),
  ],
  [
    'header-tag',
    'a tag around the protected header',
    signedHeader(concatBytes(bytesOf('d9d9f7'), mapOf(ALG, KID, TYP))),
  ],
  [
    'header-map-32-bits',
    'a protected header of 2^32+3 pairs, of which three are there',
    signedHeader(`bb0000000100000003${ALG}${KID}${TYP}`),
  ],
  [
    'header-typ-32-bits',
    'a typ whose length is 2^32 too large',
    signedHeader(`a3${ALG}${KID}107b00000001000000${TYP.slice(4)}`),
  ],
  ['header-typ-tag', 'a tag before the typ', signedHeader(`a3${ALG}${KID}10c0${TYP.slice(2)}`)],
];

/**
 * A license with one entry of `ext`.
 *
 * @param value its encoded value, as hex digits
 */
function withExt(value: string): Uint8Array {
  return licenseFile(payloadOf([{ key: hex('ext'), value: `a1${hex('a')}${value.replaceAll(' ', '')}` }]));
}

/** Of this many bytes: `name` takes what is missing. */
function payloadOfSize(size: number): Uint8Array {
  const named = (length: number): Uint8Array => payloadOf([{ key: hex('name'), value: hex('x'.repeat(length)) }]);
  return named(30 + size - named(30).length);
}

const nested = (open: string, depth: number, inner: string): string => open.repeat(depth) + inner;

/** Values of `ext.a` in an encoding that the profile does not allow, as hex digits. */
const VALUES_REFUSED: readonly (readonly [id: string, title: string, value: string])[] = [
  ['long-1', 'the integer 23 in two bytes', '1817'],
  ['long-2', 'the integer 255 in three bytes', '1900ff'],
  ['long-4', 'the integer 65535 in five bytes', '1a0000ffff'],
  ['long-8', 'the integer 2^32-1 in nine bytes', '1b00000000ffffffff'],
  ['long-negative', 'the integer -1 in two bytes', '3800'],
  ['long-negative-8', 'the integer -2^32 in nine bytes', '3b00000000ffffffff'],
  ['long-bytes', 'a byte string whose length is in two bytes', '5801ff'],
  ['long-text', 'a text whose length is in two bytes', '780161'],
  ['long-text-2', 'a text whose length is in three bytes', '79000161'],
  ['long-text-4', 'a text whose length is in five bytes', '7a0000000161'],
  ['long-text-8', 'a text whose length is in nine bytes', '7b000000000000000161'],
  ['long-array', 'an array whose length is in two bytes', '980100'],
  ['long-array-2', 'an array whose length is in three bytes', '99000100'],
  ['long-array-8', 'an array whose length is in nine bytes', '9b000000000000000100'],
  ['long-map', 'a map whose length is in two bytes', 'b801616100'],
  ['long-map-2', 'a map whose length is in three bytes', 'b90001616100'],
  ['long-map-8', 'a map whose length is in nine bytes', 'bb0000000000000001616100'],
  ['reserved-28', 'the additional information 28 before eight bytes', '1c0000000100000000'],
  ['reserved-29', 'the additional information 29 before eight bytes', '1d0000000100000000'],
  ['reserved-30', 'the additional information 30 before eight bytes', '3e0000000100000000'],
  ['reserved-31', 'an integer of indefinite length before eight bytes', '1f0000000100000000'],
  ['bytes-32-bits', 'a byte string of 2^32 bytes, of which none is there', '5b0000000100000000'],
  ['text-32-bits', 'a text of 2^32 bytes, of which none is there', '7b0000000100000000'],
  ['array-32-bits', 'an array of 2^32 items', '9b0000000100000000'],
  ['array-largest', 'an array of 2^64-1 items, which is -1 with a sign', '9bffffffffffffffff'],
  ['map-63-bits', 'a map of 2^63 pairs: that count, doubled, is 0 in 64 bits', 'bb8000000000000000'],
  ['text-largest', 'a text of 2^64-1 bytes, which is -1 with a sign', '7bffffffffffffffff'],
  ['indefinite-bytes', 'a byte string of indefinite length', '5f4100ff'],
  ['indefinite-text', 'a text of indefinite length', '7f6161ff'],
  ['indefinite-array', 'an array of indefinite length', '9f00ff'],
  ['indefinite-map', 'a map of indefinite length', 'bf616100ff'],
  ['unsorted', 'a map with the keys b, a', 'a2616200616100'],
  ['unsorted-length', 'a map with the keys ab, c: sorted by their letters, not by their encodings', 'a262616200616300'],
  ['repeated', 'a map with the key a twice', 'a2616100616100'],
  ['half', '1.0 in half precision', 'f93c00'],
  ['single', '0.1 in single precision', 'fa3dcccccd'],
  ['double', '1.1 in double precision', 'fb3ff199999999999a'],
  ['double-whole', '1.0 in double precision', 'fb3ff0000000000000'],
  ['nan', 'NaN', 'f97e00'],
  ['infinity', 'infinity', 'f97c00'],
  ['null', 'null', 'f6'],
  ['undefined', 'undefined', 'f7'],
  ['simple-0', 'the simple value 0', 'e0'],
  ['simple-19', 'the simple value 19', 'f3'],
  ['simple-255', 'the simple value 255', 'f8ff'],
  ['long-true', 'true in two bytes', 'f815'],
  ['tag-time', 'tag 0 before a text', 'c0 6a 323032362d31322d3031'],
  ['tag-bignum', 'a bignum (tag 2)', 'c2 49 010000000000000000'],
  ['tag-cbor', 'embedded CBOR (tag 24)', 'd818 41 00'],
  ['integer-large', 'the integer 2^53', '1b0020000000000000'],
  ['integer-largest', 'the integer 2^64-1', '1bffffffffffffffff'],
  ['integer-small', 'the integer -2^53', '3b001fffffffffffff'],
  ['integer-smallest', 'the integer -2^64', '3bffffffffffffffff'],
  ['utf8-byte', 'a text with the byte ff', '61ff'],
  ['utf8-cut', 'a text that ends within a code point', '62e282'],
  ['utf8-overlong', 'an overlong U+0000', '62c080'],
  ['utf8-overlong-slash', 'an overlong slash in three bytes', '63e080af'],
  ['utf8-surrogate', 'the surrogate U+D800', '63eda080'],
  ['utf8-surrogate-pair', 'a surrogate pair of CESU-8', '66eda0bdedb491'],
  ['utf8-large', 'a code point above U+10FFFF', '64f4908080'],
  ['depth-array', 'an array at depth 9', nested('81', 6, '80')],
  ['depth-map', 'a map at depth 9', nested('81', 6, 'a0')],
  ['depth-map-value', 'an array at depth 9, in maps', nested('a16161', 6, '80')],
];

const LENGTHS = [23, 24, 255, 256, 4096];
const atBounds = hex(LENGTHS.flatMap((length) => ['x'.repeat(length), new Uint8Array(length)]));
const pairs = (count: number): CborValue =>
  new Map(Array.from({ length: count }, (_, i): [CborValue, CborValue] => [`k${i}`, i]));
const countsAtBounds = hex(LENGTHS.flatMap((count) => [new Array<CborValue>(count).fill(0), pairs(count % 4096)]));

const VALUES_ACCEPTED: readonly (readonly [id: string, title: string, value: string])[] = [
  ['integer-last', 'the integer 2^53-1', '1b001fffffffffffff'],
  ['integer-first', 'the integer -(2^53-1)', '3b001ffffffffffffe'],
  ['depth-8', 'an array at depth 8', nested('81', 5, '80')],
  ['text-nul', 'a text with U+0000', '6100'],
  ['text-mark', 'a text with U+FEFF, which no decoder may drop', `63${utf8Hex('\ufeff')}`],
  ['text-noncharacter', 'a text with U+FFFF', `63${utf8Hex('\uffff')}`],
  ['text-wide', 'a text with a code point of four bytes', `64${utf8Hex('\u{1f511}')}`],
  ['text-decomposed', 'a text that is not in NFC', `63${utf8Hex('e\u0301')}`],
  ['key-order', 'a map with the keys a, b, ab: the order is that of the encodings', 'a361610061620062616200'],
  ['false', 'false', 'f4'],
  ['lengths', 'texts and byte strings of 23, 24, 255, 256 and 4096 bytes', atBounds],
  ['counts', 'arrays of 23, 24, 255, 256 and 4096 items, and maps of 23, 24, 255 and 256 pairs', countsAtBounds],
  ['empty', 'an empty byte string, text, array and map', '84406080a0'],
];

function rows(
  list: readonly Row[],
  expected: VerifyRow['expected'],
  ...clause: readonly string[]
): readonly VerifyRow[] {
  return list.map(([id, title, file]) => ({ id, title, clause, file, expected }));
}

export function cborCases(): readonly CaseFolder[] {
  return verifyCases([
    ...rows(NOT_DETERMINISTIC, 'cbor_not_deterministic', '4', '5.1'),
    ...rows(MALFORMED, 'cbor_malformed', '4', '5.1'),
    ...rows(HEADER_NOT_DETERMINISTIC, 'cbor_not_deterministic', '5.1', '4'),
    ...rows(HEADER_MALFORMED, 'cbor_malformed', '5.1', '4'),
    ...rows(
      VALUES_REFUSED.map(([id, title, value]) => [`payload-${id}`, `payload: ${title} in ext`, withExt(value)]),
      'claims_malformed',
      '7.3',
      '4',
    ),
    ...rows(
      VALUES_ACCEPTED.map(([id, title, value]) => [`payload-${id}`, `payload: ${title} in ext`, withExt(value)]),
      'active',
      '4',
    ),
    ...rows(
      [23, 24].map((size) => [
        `payload-size-${size}`,
        `payload: ${size} bytes that are signed, a map with nothing but iss`,
        licenseFile(concatBytes(bytesOf('a101'), bytesOf(hex('x'.repeat(size - 3))))),
      ]),
      'claims_malformed',
      '5.3',
      '7.2',
    ),
    ...rows(
      [255, 256].map((size) => [`payload-size-${size}`, `payload: ${size} bytes`, licenseFile(payloadOfSize(size))]),
      'active',
      '5.3',
    ),
    ...rows(
      [
        [
          'payload-indefinite',
          'payload: claims in a map of indefinite length',
          licenseFile(concatBytes(bytesOf('bf'), minimalPayload.slice(1), bytesOf('ff'))),
        ],
        [
          'payload-tagged',
          'payload: a CWT tag (61) around the claims',
          licenseFile(concatBytes(bytesOf('d83d'), minimalPayload)),
        ],
        [
          'payload-trailing-map',
          'payload: an empty map behind the claims',
          licenseFile(concatBytes(minimalPayload, bytesOf('a0'))),
        ],
      ],
      'claims_malformed',
      '7.3',
    ),
  ]);
}
