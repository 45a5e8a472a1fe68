/** Changes of the signature (section 6 of docs/format.md), of one component of a composite, and of the key that signs. */
import { createHash } from 'node:crypto';
import { concatBytes, fromHex, utf8 } from '../../../formats/bytes.ts';
import { sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { kidOf } from '../../../keys/public/public-key.ts';
import { smallOrderSignature, torsionSignature } from '../../examples/ed25519-scalar.ts';
import { respelledHint, type HintSpelling } from '../../examples/ml-dsa-hint.ts';
import { cofactoredSignature, smallRSignature } from '../../examples/mixed-order.ts';
import { encode, sortedPairs } from '../../model/cbor.ts';
import type { Draft } from '../draft.ts';
import {
  COMPOSITE,
  MIXED_ORDER,
  MIXED_ORDER_AND_R,
  mixedOrderOf,
  OTHER_COMPOSITE,
  SECOND,
  STRANGER,
  type SigningKey,
} from '../keys.ts';
import { each, one, type Changes } from './change.ts';

type Bytes = Uint8Array;

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
  ['whose R is of small order, and whose equation is true', (draft) => identityR(draft, NEUTRAL)],
  ['whose R is the neutral element in another spelling (y = p + 1)', (draft) => identityR(draft, NEUTRAL_RESPELLED)],
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

const NEUTRAL: Bytes = Uint8Array.of(1, ...new Uint8Array(31));
const NEUTRAL_RESPELLED: Bytes = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f);

/** R is the neutral element, and s = k·a: the equation is true, and section 6.4 refuses it all the same. */
function identityR(draft: Draft, spelledR: Bytes): void {
  craftEd25519(draft, (seed, key, message) => smallOrderSignature(seed, key, message, spelledR));
}

/** Another Ed25519 signature, or another component, over what the right one covers. */
function craftEd25519(draft: Draft, craft: (seed: string, key: Bytes, message: Bytes) => Bytes): void {
  const { signer } = draft;
  draft.sign = (header, payload) => {
    const structure = sigStructure(header, payload);
    const genuine = signer.sign(structure);
    const message = genuine.length === 64 ? structure : right(structure);
    return concatBytes(genuine.subarray(0, -64), craft(signer.ed25519Seed, signer.publicKey.ed25519, message));
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
  ['whose hint has its indices in another order', (draft) => respell(draft, 'unsorted')],
  ['whose hint has an index twice', (draft) => respell(draft, 'repeated')],
  ['whose hint has an index that is not used', (draft) => respell(draft, 'unused')],
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

function respell({ signatureEdits }: Draft, spelling: HintSpelling): void {
  signatureEdits.push((bytes) => respelledHint(bytes, spelling));
}

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

/** The license by a key of mixed order, whose torsion part makes no difference to the verdict. */
function becomeMixedOrder(draft: Draft, key: SigningKey): void {
  signAs(draft, key, false);
  trustToo(draft, key, () => undefined);
}

/**
 * R is a point of order 2, 4 or 8 and the equation is true, which no other key makes possible. It depends on the whole
 * license, so a `ref` is looked for; a later change of the license makes the equation false.
 */
function smallR(draft: Draft, place: number): void {
  becomeMixedOrder(draft, MIXED_ORDER);
  const key = mixedOrderOf(MIXED_ORDER);
  const craft = (header: Bytes, payload: Bytes): Bytes | undefined =>
    smallRSignature(key, sigStructure(header, payload), place);
  let i = 1;
  do draft.claims.set('ref', `order ${i++}`);
  while (craft(encoded(draft.header), encoded(draft.claims)) === undefined);
  draft.sign = (header, payload) => craft(header, payload) ?? new Uint8Array(64);
}

const encoded = (map: Draft['claims']): Bytes => encode(sortedPairs([...map]));

/** By the place in `torsionPoints()`. */
const SMALL_R: readonly (readonly [string, number])[] = [
  ['2', 4],
  ['4', 2],
  ['4, of the other sign', 6],
  ['8', 1],
  ['8, of another y', 3],
];

/** The Ed25519 component of the composite, as a key of its own. */
const COMPONENT_KID = kidOf('ed25519', COMPOSITE.publicKey.ed25519);

/** The gray zone of section 6.4, where honest libraries differ: for searches that want the whole of the criteria. */
export const GRAY_CHANGES: readonly Changes[] = [
  one('a signature whose R has a torsion part', (draft) => craftEd25519(draft, torsionSignature)),
  one('a composite signature whose R has a torsion part', (draft) => {
    becomeComposite(draft);
    craftEd25519(draft, torsionSignature);
  }),
  one('a signature by a key of mixed order, whose equation is true only with the cofactor', (draft) => {
    becomeMixedOrder(draft, MIXED_ORDER);
    draft.sign = (header, payload) => cofactoredSignature(mixedOrderOf(MIXED_ORDER), sigStructure(header, payload));
  }),
];

export const SIGNATURE_CHANGES: readonly Changes[] = [
  each('a signature', FORGED, (draft, edit) => edit(draft)),
  composites(COMPOSITES),
  one('a key of mixed order as its signer', (draft) => becomeMixedOrder(draft, MIXED_ORDER)),
  one('a key of mixed order as its signer, and an R with the torsion part that fits it', (draft) =>
    becomeMixedOrder(draft, MIXED_ORDER_AND_R),
  ),
  each('a signature by a key of mixed order, whose equation is true, and whose R has the order', SMALL_R, smallR),
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
];
