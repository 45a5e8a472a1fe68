/** Changes of CBOR, header and signature (sections 4 to 6 of docs/format.md). */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { concatBytes, fromHex, utf8 } from '../../../formats/bytes.ts';
import { sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { kidOf } from '../../../keys/public/public-key.ts';
import { encode, head } from '../../model/cbor.ts';
import { Pairs, Raw, type Item } from '../../model/walk.ts';
import type { Draft } from '../draft.ts';
import { COMPOSITE, OTHER_COMPOSITE, SECOND, STRANGER, type SigningKey } from '../keys.ts';
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

/** Values for one of the four items. */
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

/** Signed headers with a fault in their bytes. */
const HEADER_BYTES: readonly (readonly [string, (bytes: Bytes) => Bytes])[] = [
  ['a byte behind the map', (bytes) => concatBytes(bytes, Uint8Array.of(0))],
  ['keys in another order', (bytes) => reversed(bytes)],
  ['a key twice', (bytes) => concatBytes(Uint8Array.of(0xa4), bytes.subarray(1), Uint8Array.of(0x10, 0x00))],
  ['the key 1 in two bytes', (bytes) => concatBytes(bytes.subarray(0, 1), Uint8Array.of(0x18, 1), bytes.subarray(2))],
  ['a map of indefinite length', (bytes) => concatBytes(Uint8Array.of(0xbf), bytes.subarray(1), Uint8Array.of(0xff))],
  ['a tag', (bytes) => concatBytes(Uint8Array.of(0xd2), bytes)],
  ['an array instead of a map', () => encode([1, 4, 16])],
];

/** The pair of `typ` first. */
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
];

/** Who signs in place of the key that the header names, and what. */
const FORGED: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['by a key that is not trusted', (draft) => signAs(draft, STRANGER, false)],
  ['by a key that is not trusted, under the kid of one that is', (draft) => signAs(draft, STRANGER, true)],
  ['by another trusted key', (draft) => trustToo(draft, SECOND, () => signAs(draft, SECOND, true))],
  ['with one other bit in it', (draft) => draft.signatureEdits.push((bytes) => flip(bytes, 7))],
  [
    'with one other bit in its last byte',
    (draft) => draft.signatureEdits.push((bytes) => flip(bytes, bytes.length - 1)),
  ],
  ['of zeros', (draft) => draft.signatureEdits.push((bytes) => new Uint8Array(bytes.length))],
  ['of no bytes', (draft) => draft.signatureEdits.push(() => new Uint8Array())],
  ['with a byte too many', (draft) => draft.signatureEdits.push((bytes) => concatBytes(bytes, Uint8Array.of(0)))],
  ['with a byte too few', (draft) => draft.signatureEdits.push((bytes) => bytes.subarray(0, -1))],
  ['whose s is not reduced (s + L)', (draft) => draft.signatureEdits.push(addOrder)],
  ['whose R is of small order, and whose equation is true', (draft) => identityR(draft)],
  [
    'over header and payload, one after the other',
    (draft) => signOther(draft, (header, payload) => concatBytes(header, payload)),
  ],
  ['over the payload only', (draft) => signOther(draft, (_header, payload) => payload)],
  [
    'over the context "Signature"',
    (draft) => signOther(draft, (header, payload) => encode(['Signature', header, new Uint8Array(), payload])),
  ],
  [
    'over external data',
    (draft) => signOther(draft, (header, payload) => encode(['Signature1', header, utf8('vtlic'), payload])),
  ],
  [
    'over a structure without external data',
    (draft) => signOther(draft, (header, payload) => encode(['Signature1', header, payload])),
  ],
  [
    'over external data of one zero byte',
    (draft) => signOther(draft, (header, payload) => encode(['Signature1', header, new Uint8Array(1), payload])),
  ],
  [
    'over the typ as external data',
    (draft) => signOther(draft, (header, payload) => encode(['Signature1', header, utf8(TYP.license), payload])),
  ],
  [
    'over the structure as a byte string',
    (draft) => signOther(draft, (header, payload) => encode(sigStructure(header, payload))),
  ],
  [
    'over an empty header',
    (draft) =>
      signOther(draft, (_header, payload) => encode(['Signature1', new Uint8Array(), new Uint8Array(), payload])),
  ],
  [
    'of another payload',
    (draft) => signOther(draft, (header, payload) => sigStructure(header, concatBytes(payload, Uint8Array.of(0)))),
  ],
];

function signAs(draft: Draft, key: SigningKey, keepsKid: boolean): void {
  draft.signer = key;
  draft.header.set(1, key.publicKey.alg === 'ed25519' ? -19 : 'ed25519+ml-dsa-65');
  if (!keepsKid) draft.header.set(4, fromHex(key.publicKey.kid) ?? new Uint8Array());
}

function trustToo(draft: Draft, { publicKey }: SigningKey, then: () => void): void {
  if (!draft.trust.keys.some(({ key }) => key.kid === publicKey.kid))
    draft.trust.keys.push({ key: publicKey, purpose: 'license', status: 'active' });
  then();
}

function signOther(draft: Draft, message: (header: Bytes, payload: Bytes) => Bytes): void {
  const { signer } = draft;
  draft.sign = (header, payload) => signer.sign(message(header, payload));
}

function flip(bytes: Bytes, at: number): Bytes {
  const out = Uint8Array.from(bytes);
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same signature, spelled with s + L: libraries that do not compare s with L accept it. */
function addOrder(signature: Bytes): Bytes {
  const s = littleEndian(signature.subarray(-32)) + ORDER;
  return concatBytes(signature.subarray(0, -32), toLittleEndian(s));
}

/** R is the neutral element, and s = k·a: the equation is true, and criterion 5 of section 6.4 refuses it. */
function identityR(draft: Draft): void {
  const { signer } = draft;
  draft.sign = (header, payload) => {
    const structure = sigStructure(header, payload);
    const genuine = signer.sign(structure);
    const message = genuine.length === 64 ? structure : right(structure);
    const r = new Uint8Array(32);
    r[0] = 1;
    const k = littleEndian(hash('sha512', concatBytes(r, signer.publicKey.ed25519, message))) % ORDER;
    const scalar = hash('sha512', utf8(signer.ed25519Seed)).subarray(0, 32);
    scalar[0] = (scalar[0] ?? 0) & 248;
    scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
    const s = (k * littleEndian(scalar)) % ORDER;
    return concatBytes(genuine.subarray(0, -64), r, toLittleEndian(s));
  };
}

function littleEndian(bytes: Bytes): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function toLittleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

const MLDSA = 3309;
const PREFIX = utf8('CompositeAlgorithmSignatures2025');
const LABEL = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');
const OTHER_PREFIX = utf8('CompositeAlgorithmSignatures2024');
const OTHER_LABEL = utf8('COMPSIG-MLDSA44-Ed25519-SHA512');
const hash = (name: string, message: Bytes): Bytes => Uint8Array.from(createHash(name).update(message).digest());

/** Composite licenses that only a verifier with a shortcut accepts. */
const COMPOSITES: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['whose ML-DSA component is not valid', (draft) => draft.signatureEdits.push((bytes) => flip(bytes, 100))],
  ['whose Ed25519 component is not valid', (draft) => draft.signatureEdits.push((bytes) => flip(bytes, MLDSA + 10))],
  [
    'whose components are in the other order',
    (draft) => draft.signatureEdits.push((bytes) => concatBytes(bytes.subarray(MLDSA), bytes.subarray(0, MLDSA))),
  ],
  ['with only the Ed25519 component', (draft) => draft.signatureEdits.push((bytes) => bytes.subarray(MLDSA))],
  ['with only the ML-DSA component', (draft) => draft.signatureEdits.push((bytes) => bytes.subarray(0, MLDSA))],
  ['whose Ed25519 component is by another key', (draft) => mixed(draft, false)],
  ['whose ML-DSA component is by another key', (draft) => mixed(draft, true)],
  ['whose Ed25519 component is over the bare Sig_structure', (draft) => bareComponent(draft, true)],
  ['whose ML-DSA component is over the bare Sig_structure', (draft) => bareComponent(draft, false)],
  ['over the bare Sig_structure', (draft) => composite(draft, (message) => message, LABEL)],
  ['without the prefix', (draft) => composite(draft, (m) => prefixed([LABEL, zero, hash('sha512', m)]), LABEL)],
  ["without the label in M'", (draft) => composite(draft, (m) => prefixed([PREFIX, zero, hash('sha512', m)]), LABEL)],
  ["with SHA-256 in M'", (draft) => composite(draft, (m) => prefixed([PREFIX, LABEL, zero, hash('sha256', m)]), LABEL)],
  [
    "without the zero byte in M'",
    (draft) => composite(draft, (m) => prefixed([PREFIX, LABEL, hash('sha512', m)]), LABEL),
  ],
  ['with an empty context of ML-DSA', (draft) => composite(draft, right, new Uint8Array())],
  ['with another context of ML-DSA', (draft) => composite(draft, right, utf8('COMPSIG-MLDSA65-Ed25519-SHA51'))],
  [
    'with another year in the prefix',
    (draft) => composite(draft, (m) => prefixed([OTHER_PREFIX, LABEL, zero, hash('sha512', m)]), LABEL),
  ],
  [
    'with the label of ML-DSA-44',
    (draft) => composite(draft, (m) => prefixed([PREFIX, OTHER_LABEL, zero, hash('sha512', m)]), LABEL),
  ],
  [
    'with the length of the label before it',
    (draft) =>
      composite(draft, (m) => prefixed([PREFIX, Uint8Array.of(LABEL.length), LABEL, zero, hash('sha512', m)]), LABEL),
  ],
  [
    'with an application context',
    (draft) =>
      composite(draft, (m) => prefixed([PREFIX, LABEL, Uint8Array.of(5), utf8('vtlic'), hash('sha512', m)]), LABEL),
  ],
  [
    'over the structure without its hash',
    (draft) => composite(draft, (m) => prefixed([PREFIX, LABEL, zero, m]), LABEL),
  ],
];

const zero = Uint8Array.of(0);
const prefixed = (parts: readonly Bytes[]): Bytes => concatBytes(...parts);
const right = (message: Bytes): Bytes => prefixed([PREFIX, LABEL, zero, hash('sha512', message)]);

function composite(draft: Draft, message: (structure: Bytes) => Bytes, context: Bytes): void {
  const { signer } = draft;
  draft.sign = (header, payload) => signer.signParts(message(sigStructure(header, payload)), context);
}

/** One component over M', and the other one over the Sig_structure itself. */
function bareComponent(draft: Draft, isEd25519: boolean): void {
  const { signer } = draft;
  draft.sign = (header, payload) => {
    const structure = sigStructure(header, payload);
    const [genuine, bare] = [signer.sign(structure), signer.signParts(structure, LABEL)];
    const [first, second] = isEd25519 ? [genuine, bare] : [bare, genuine];
    return concatBytes(first.subarray(0, MLDSA), second.subarray(MLDSA));
  };
}

function mixed(draft: Draft, foreignMldsa: boolean): void {
  const { signer } = draft;
  draft.sign = (header, payload) => {
    const message = sigStructure(header, payload);
    const [own, other] = [signer.sign(message), OTHER_COMPOSITE.sign(message)];
    const [first, second] = foreignMldsa ? [other, own] : [own, other];
    return concatBytes(first.subarray(0, MLDSA), second.subarray(MLDSA));
  };
}

function composites(values: typeof COMPOSITES): Changes {
  return each('a composite signature', values, (draft, edit) => {
    becomeComposite(draft);
    edit(draft);
  });
}

function becomeComposite(draft: Draft): void {
  signAs(draft, COMPOSITE, false);
  trustToo(draft, COMPOSITE, () => undefined);
}

/** The Ed25519 component of the composite, as a key of its own. */
const COMPONENT_KID = kidOf('ed25519', COMPOSITE.publicKey.ed25519);

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
  one('the alg of the other algorithm', (draft) =>
    draft.header.set(1, draft.signer.publicKey.alg === 'ed25519' ? 'ed25519+ml-dsa-65' : -19),
  ),
  each('a signature', FORGED, (draft, edit) => edit(draft)),
  composites(COMPOSITES),
  one('the Ed25519 component of a trusted composite as its signer', (draft) => {
    trustToo(draft, COMPOSITE, () => undefined);
    draft.signer = COMPOSITE.ed25519Component;
    draft.header.set(1, -19);
    draft.header.set(4, fromHex(COMPONENT_KID) ?? new Uint8Array());
  }),
  one('the Ed25519 component of a trusted composite as its signer, under the kid of the composite', (draft) => {
    trustToo(draft, COMPOSITE, () => undefined);
    draft.signer = COMPOSITE.ed25519Component;
    draft.header.set(1, -19);
    draft.header.set(4, fromHex(COMPOSITE.publicKey.kid) ?? new Uint8Array());
  }),
  one('the kid of the Ed25519 component of a trusted composite, by which it is signed', (draft) => {
    becomeComposite(draft);
    draft.header.set(4, fromHex(COMPONENT_KID) ?? new Uint8Array());
  }),
  one('another trusted key beside its own', (draft) => trustToo(draft, SECOND, () => undefined)),
  one('the composite beside its own key', (draft) => trustToo(draft, COMPOSITE, () => undefined)),
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
