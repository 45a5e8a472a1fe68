/**
 * `COSE_Sign` as this format uses it (RFC 9052 §4.1): one payload that several keys sign. Tag 98, `{16: typ}` in the
 * body's protected header, `{1: alg, 4: kid}` in each signer's, no unprotected parameters, no external data.
 */
import { fromHex, toHex } from './bytes.ts';
import {
  cborTypeInWords,
  decodeCbor,
  decodeTaggedCbor,
  encodeCbor,
  encodeTagged,
  isCborArray,
  isCborBytes,
  isCborMap,
  type CborValue,
} from './cbor/index.ts';
import { ALGORITHMS, algorithmOfWire, type Algorithm } from './cose-algorithm.ts';
import {
  HEADER_ALG,
  HEADER_KID,
  HEADER_TYP,
  KID_BYTES,
  malformed,
  unknownAlgorithm,
  wrongTyp,
  type Typ,
} from './cose-sign1.ts';
import { VtlicError } from './error.ts';

/** One signature. Nothing about it is true before it was checked. */
export interface CoseSigner {
  readonly alg: Algorithm;
  /** 64 lower-case hex digits. */
  readonly kid: string;
  readonly protectedBytes: Uint8Array;
  /** Of any length. */
  readonly signature: Uint8Array;
}

/** Well formed, and of the expected kind. Byte fields are views of one private copy. */
export interface CoseSign {
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** Sorted by kid, each kid once, at least one. */
  readonly signers: readonly CoseSigner[];
}

/** Room for two full sets of roots, where old and new roots both sign, and for as many unknown signers. */
export const MAX_SIGNERS = 64;

const TAG_SIGN = 98;
const SIGNATURE = 'Signature';

/** The bytes of the body's protected header. */
export function encodeBodyProtected(typ: Typ): Uint8Array {
  return encodeCbor(new Map<CborValue, CborValue>([[HEADER_TYP, typ]]));
}

/** @throws VtlicError `internal` for a kid of another form */
export function encodeSignerProtected(alg: Algorithm, kid: string): Uint8Array {
  const kidBytes = fromHex(kid);
  if (kidBytes?.length !== KID_BYTES) throw new VtlicError('internal', `a kid has ${2 * KID_BYTES} hex digits`);
  return encodeCbor(
    new Map<CborValue, CborValue>([
      [HEADER_ALG, ALGORITHMS[alg].wire],
      [HEADER_KID, kidBytes],
    ]),
  );
}

/** What one signer signs: `["Signature", body_protected, sign_protected, external_aad = h'', payload]` (§4.4). */
export function signerStructure(
  bodyProtected: Uint8Array,
  signerProtected: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return encodeCbor([SIGNATURE, bodyProtected, signerProtected, new Uint8Array(), payload]);
}

/** Tag 98 around `[protected, {}, payload, [[protected, {}, signature], …]]`, with the signers sorted by kid. */
export function encodeCoseSign({ protectedBytes, payload, signers }: CoseSign): Uint8Array {
  const sorted = [...signers].sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const empty = new Map<CborValue, CborValue>();
  return encodeTagged(TAG_SIGN, [
    protectedBytes,
    empty,
    payload,
    sorted.map((signer) => [signer.protectedBytes, empty, signer.signature]),
  ]);
}

/**
 * Reads a document whose kind the caller knows. The payload is not read.
 *
 * @throws VtlicError in this order: `cbor_malformed` or `cbor_not_deterministic` (the whole, with the body's
 *   protected bytes at their place), `cose_malformed` (the shape), a fault of the CBOR of the signers' protected bytes,
 *   `cose_malformed` (their content), `typ_wrong`, `alg_unknown`, `cose_malformed` (the order of the signers)
 */
export function decodeCoseSign(bytes: Uint8Array, expectedTyp: Typ): CoseSign {
  const { tag, value, embedded } = decodeTaggedCbor(bytes, { embeddedFirst: true });
  if (tag !== TAG_SIGN)
    throw malformed(`tag 98 (COSE_Sign) should be at the top, but ${tag === undefined ? 'no tag' : `tag ${tag}`} is`);
  if (!isCborArray(value)) throw malformed(`an array should follow the tag, but ${cborTypeInWords(value)} does`);
  if (value.length !== 4) throw malformed(`the array should have 4 items, but it has ${value.length}`);
  const [protectedBytes, unprotected, payload, signatures] = value;
  if (!isCborBytes(protectedBytes)) throw wrongItem('the protected header', 'a byte string', protectedBytes);
  requireEmptyMap('the unprotected header', unprotected);
  if (!isCborBytes(payload)) throw wrongItem('the payload', 'a byte string', payload);
  if (!isCborArray(signatures)) throw wrongItem('the list of signatures', 'an array', signatures);
  if (signatures.length === 0 || signatures.length > MAX_SIGNERS)
    throw malformed(`there should be 1 to ${MAX_SIGNERS} signatures, but there are ${signatures.length}`);
  if (!isCborMap(embedded)) throw wrongItem('the content of the protected header', 'a map', embedded);
  const typ = embedded.get(HEADER_TYP);
  if (embedded.size !== 1 || typeof typ !== 'string')
    throw malformed('the protected header of the body should have exactly a text typ (16)');
  const opened = signatures.map(openSigner);
  const headers = opened.map(({ protectedBytes: bytes }) => decodeCbor(bytes, { offsetBase: bytes.byteOffset }));
  const shaped = opened.map((signer, i) => ({ ...signer, ...signerHeader(headers[i]) }));
  if (typ !== expectedTyp) throw wrongTyp(typ, expectedTyp);
  const signers = shaped.map(({ wire, ...signer }) => {
    const alg = algorithmOfWire(wire);
    if (alg === undefined) throw unknownAlgorithm(wire);
    return Object.freeze<CoseSigner>({ alg, ...signer });
  });
  for (const [i, { kid }] of signers.entries()) {
    const before = signers[i - 1];
    if (before !== undefined && kid <= before.kid)
      throw malformed('the signatures should be sorted by kid, each kid once, but they are not');
  }
  return Object.freeze({ protectedBytes, payload, signers: Object.freeze(signers) });
}

function openSigner(item: CborValue): Pick<CoseSigner, 'protectedBytes' | 'signature'> {
  if (!isCborArray(item)) throw wrongItem('each signature', 'an array', item);
  if (item.length !== 3) throw malformed(`each signature should have 3 items, but one has ${item.length}`);
  const [protectedBytes, unprotected, signature] = item;
  if (!isCborBytes(protectedBytes))
    throw wrongItem('the protected header of a signer', 'a byte string', protectedBytes);
  if (protectedBytes.length === 0) throw malformed('the protected header of a signer should not be empty');
  requireEmptyMap('the unprotected header of a signer', unprotected);
  if (!isCborBytes(signature)) throw wrongItem('a signature', 'a byte string', signature);
  return { protectedBytes, signature };
}

function signerHeader(header: CborValue | undefined): { readonly wire: number | string; readonly kid: string } {
  if (!isCborMap(header)) throw wrongItem('the content of the protected header of a signer', 'a map', header);
  const wire = header.get(HEADER_ALG);
  const kid = header.get(HEADER_KID);
  if (header.size !== 2 || wire === undefined || kid === undefined)
    throw malformed('the protected header of a signer should have exactly alg (1) and kid (4)');
  if (typeof wire !== 'number' && typeof wire !== 'string') throw wrongItem('alg', 'an integer or a text', wire);
  if (!isCborBytes(kid)) throw wrongItem('kid', 'a byte string', kid);
  if (kid.length !== KID_BYTES) throw malformed(`kid should have ${KID_BYTES} bytes, but it has ${kid.length}`);
  return { wire, kid: toHex(kid) };
}

function requireEmptyMap(what: string, value: CborValue | undefined): void {
  if (!isCborMap(value)) throw wrongItem(what, 'the empty map', value);
  if (value.size > 0) throw malformed(`${what} should be the empty map, but it has entries`);
}

function wrongItem(what: string, expected: string, came: CborValue | undefined): VtlicError {
  return malformed(`${what} should be ${expected}, but it is ${cborTypeInWords(came)}`);
}
