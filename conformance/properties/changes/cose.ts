/** Changes of the CBOR of a license, and of its protected header (sections 4 and 5 of docs/format.md). */
import fc from 'fast-check';
import { concatBytes } from '../../../formats/bytes.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { encode, head, sortedPairs } from '../../model/cbor.ts';
import { Pairs, Raw, type Item } from '../../model/walk.ts';
import type { Draft } from '../draft.ts';
import { each, free, one, type Changes } from './change.ts';

type Bytes = Uint8Array;
/** Faults of the outer bytes. The signature covers none of them. */
const OUTER: readonly (readonly [string, (cose: Bytes) => Bytes])[] = [
  ['a byte behind the outermost item', (cose) => concatBytes(cose, Uint8Array.of(0))],
  ['the last byte missing', (cose) => cose.subarray(0, -1)],
  ['tag 18 in two bytes', (cose) => concatBytes(Uint8Array.of(0xd8, 18), cose.subarray(1))],
  ['an array head in two bytes', (cose) => concatBytes(cose.subarray(0, 1), Uint8Array.of(0x98, 4), cose.subarray(2))],
  [
    'an array of indefinite length',
    (cose) => concatBytes(cose.subarray(0, 1), Uint8Array.of(0x9f), cose.subarray(2), Uint8Array.of(0xff)),
  ],
  ['a tag within the array', (cose) => concatBytes(cose.subarray(0, 2), Uint8Array.of(0xc2), cose.subarray(2))],
  ['two tags', (cose) => concatBytes(cose.subarray(0, 1), cose)],
  ['tag 55799 before it (self-described CBOR)', (cose) => concatBytes(Uint8Array.of(0xd9, 0xd9, 0xf7), cose)],
];

/** Faults of the array of the COSE_Sign1, and of each of its four items. */
const ITEMS: readonly (readonly [string, (items: Item[]) => Item[]])[] = [
  ['five items', (items) => [...items, 0]],
  ['three items', (items) => items.slice(0, 3)],
  ['an entry in the unprotected header', (items) => items.map((item, i) => (i === 1 ? new Pairs([[1, 1]]) : item))],
  ['an array as unprotected header', (items) => items.map((item, i) => (i === 1 ? [] : item))],
  ['null as payload', (items) => items.map((item, i) => (i === 2 ? new Raw(Uint8Array.of(0xf6)) : item))],
  ['a text as payload', (items) => items.map((item, i) => (i === 2 ? 'payload' : item))],
  ['a text as signature', (items) => items.map((item, i) => (i === 3 ? 'signature' : item))],
  ['no bytes as protected header', (items) => items.map((item, i) => (i === 0 ? new Uint8Array() : item))],
  ['a map as protected header', (items) => items.map((item, i) => (i === 0 ? new Pairs([]) : item))],
  [
    'a payload with a head that is too long',
    (items) =>
      items.map((item, i) =>
        i === 2 && item instanceof Uint8Array ? new Raw(concatBytes(head(2, item.length, 1), item)) : item,
      ),
  ],
  [
    'a signature of indefinite length',
    (items) =>
      items.map((item, i) =>
        i === 3 && item instanceof Uint8Array
          ? new Raw(concatBytes(Uint8Array.of(0x5f), head(2, item.length), item, Uint8Array.of(0xff)))
          : item,
      ),
  ],
  [
    'a float beside the header',
    (items) => items.map((item, i) => (i === 1 ? new Raw(Uint8Array.of(0xf9, 0x3c, 0x00)) : item)),
  ],
];

/** Faults in the bytes of the protected header. The signature covers them. */
const HEADER_BYTES: readonly (readonly [string, (bytes: Bytes) => Bytes])[] = [
  ['a byte behind the map', (bytes) => concatBytes(bytes, Uint8Array.of(0))],
  ['keys in another order', (bytes) => reversed(bytes)],
  ['a key twice', (bytes) => concatBytes(Uint8Array.of(0xa4), bytes.subarray(1), Uint8Array.of(0x10, 0x00))],
  ['the key 1 in two bytes', (bytes) => concatBytes(bytes.subarray(0, 1), Uint8Array.of(0x18, 1), bytes.subarray(2))],
  ['a map of indefinite length', (bytes) => concatBytes(Uint8Array.of(0xbf), bytes.subarray(1), Uint8Array.of(0xff))],
  ['a tag', (bytes) => concatBytes(Uint8Array.of(0xd2), bytes)],
  ['an array instead of a map', () => encode([1, 4, 16])],
];

/** Moves the pair of `typ` to the front of the map. */
function reversed(bytes: Bytes): Bytes {
  const at = Buffer.from(bytes).lastIndexOf(0x10, bytes.length - 30);
  return at < 0 ? bytes : concatBytes(bytes.subarray(0, 1), bytes.subarray(at), bytes.subarray(1, at));
}

const TYPES: readonly string[] = [
  TYP.keyset,
  'application/vnd.vtlic.rehearsal.license+cose',
  'application/vnd.vtlic.approval+cose',
  'application/vnd.vtlic.counters+cose',
  'application/vnd.vtlic.release+cose',
  'application/vnd.vtlic.License+cose',
  'vnd.vtlic.license+cose',
  `${TYP.license} `,
  `${TYP.license}; v=2`,
  '',
];

const ALGS: readonly (readonly [string, Item])[] = [
  ['-8 (EdDSA)', -8],
  ['-49 (ML-DSA-65)', -49],
  ['-7 (ES256)', -7],
  ['5 (HMAC)', 5],
  ['the text EdDSA', 'EdDSA'],
  ['the text ed25519', 'ed25519'],
  ['237 (-19 in one byte)', 237],
  ['65517 (-19 in two bytes)', 65_517],
  ['2^32-19 (-19 in four bytes)', 2 ** 32 - 19],
  ['the text -19', '-19'],
  ['true', true],
  ['a list', [-19]],
];

const HEADER: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['no alg', (draft) => draft.header.delete(1)],
  ['no kid', (draft) => draft.header.delete(4)],
  ['no typ', (draft) => draft.header.delete(16)],
  ['a parameter that is not in the table', (draft) => draft.header.set(3, 'application/cbor')],
  ['a crit', (draft) => draft.header.set(2, [1])],
  ['a kid of 31 bytes', (draft) => draft.header.set(4, new Uint8Array(31))],
  ['a kid that is a text', (draft) => draft.header.set(4, draft.signer.publicKey.kid)],
  ['a typ that is a number', (draft) => draft.header.set(16, 16)],
  ['the kid of nobody', (draft) => draft.header.set(4, new Uint8Array(32))],
  ['alg and kid of the right key as texts', (draft) => draft.header.set('1', -19)],
  ...[1, 4, 16].map((label): (typeof HEADER)[number] => [
    `the label ${label} as a text`,
    (draft) => relabel(draft, label, String(label)),
  ]),
  ['all labels as texts', (draft) => [1, 4, 16].forEach((label) => relabel(draft, label, String(label)))],
  ['true for the label 1', (draft) => relabel(draft, 1, true)],
];

function relabel({ header }: Draft, from: number, to: Item): void {
  const value = header.get(from);
  if (value !== undefined && header.delete(from)) header.set(to, value);
}

export const COSE_CHANGES: readonly Changes[] = [
  each('CBOR with a fault', OUTER, (draft, edit) => draft.coseEdits.push(edit)),
  each('a COSE_Sign1 with a fault', ITEMS, (draft, edit) => draft.itemEdits.push(edit)),
  each('a protected header with a fault in its bytes', HEADER_BYTES, (draft, edit) => draft.headerEdits.push(edit)),
  each('a protected header with a fault', HEADER, (draft, edit) => edit(draft)),
  each(
    'another tag',
    [
      ['none', new Uint8Array()],
      ['98 (COSE_Sign)', head(6, 98)],
      ['17 (COSE_Mac0)', head(6, 17)],
      ['61 (CWT)', head(6, 61)],
    ],
    (draft, tag) => {
      draft.tag = tag;
    },
  ),
  each(
    'the typ',
    TYPES.map((typ) => [`"${typ}"`, typ] as const),
    (draft, typ) => void draft.header.set(16, typ),
  ),
  each('the alg', ALGS, (draft, alg) => void draft.header.set(1, alg)),
  each(
    'a payload, valid but for what is missing, of a length at the bound of a head',
    [23, 24].map((size) => [`${size} bytes`, size]),
    (draft, size) => draft.payloadEdits.push(() => encode(new Pairs([[1, 'x'.repeat(size - 3)]]))),
  ),
  each(
    'a valid payload of a length at the bound of a head',
    [255, 256].map((size) => [`${size} bytes`, size]),
    ({ claims }, size) => {
      const name = 'x'.repeat(30);
      claims.set('name', name);
      claims.set('name', name + 'x'.repeat(Math.max(0, size - encode(sortedPairs([...claims])).length)));
    },
  ),
  one('the alg of the other algorithm', (draft) =>
    draft.header.set(1, draft.signer.publicKey.alg === 'ed25519' ? 'ed25519+ml-dsa-65' : -19),
  ),
  free(
    fc.record({ at: fc.nat({ max: 400 }), bit: fc.nat({ max: 7 }) }).map(({ at, bit }) => ({
      name: 'one bit of the COSE_Sign1',
      words: `one other bit in the COSE_Sign1 (bit ${bit} of byte ${at})`,
      apply: (draft) => draft.coseEdits.push((cose) => flipBit(cose, at, bit)),
    })),
  ),
];

function flipBit(bytes: Bytes, at: number, bit: number): Bytes {
  const out = Uint8Array.from(bytes);
  const i = at % out.length;
  out[i] = (out[i] ?? 0) ^ (1 << bit);
  return out;
}
