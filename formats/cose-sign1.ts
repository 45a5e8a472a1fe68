/**
 * `COSE_Sign1` as this format uses it (RFC 9052 §4.2): tag 18, three protected parameters, no unprotected ones, the
 * payload inside, no external data.
 */
import { fromHex, toHex } from './bytes.ts';
import {
  cborTypeInWords,
  decodeTaggedCbor,
  encodeCbor,
  encodeTagged,
  headLength,
  isCborArray,
  isCborBytes,
  isCborMap,
  MAJOR_BYTES,
  writeHead,
  type CborValue,
} from './cbor/index.ts';
import { cleanText } from './clean-text.ts';
import { ALGORITHMS, algorithmOfWire, type Algorithm } from './cose-algorithm.ts';
import { VtlicError } from './error.ts';

/**
 * Header `typ` (RFC 9596): one text for each kind of signed document, so that a signature on one kind is never valid
 * for another.
 */
export type Kind = 'license' | 'keyset' | 'approval' | 'transcript' | 'counters' | 'release';

export type Typ = `application/vnd.vtlic.${Kind}+cose`;

export const TYP: { readonly [K in Kind]: `application/vnd.vtlic.${K}+cose` } = Object.freeze({
  license: 'application/vnd.vtlic.license+cose',
  keyset: 'application/vnd.vtlic.keyset+cose',
  approval: 'application/vnd.vtlic.approval+cose',
  transcript: 'application/vnd.vtlic.transcript+cose',
  counters: 'application/vnd.vtlic.counters+cose',
  release: 'application/vnd.vtlic.release+cose',
});

/**
 * Well formed, and for the kind that was expected. Nothing in it may be believed before its signature is verified. Byte
 * fields are views of one private copy.
 */
export interface CoseSign1 {
  readonly alg: Algorithm;
  /** SHA-256 of the public key's COSE_Key form: 64 lower-case hex digits. Names a key; proves nothing. */
  readonly kid: string;
  readonly typ: Typ;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** Of any length: the signature check refuses a wrong length. */
  readonly signature: Uint8Array;
}

const TAG_SIGN1 = 18;
export const HEADER_ALG = 1;
export const HEADER_KID = 4;
export const HEADER_TYP = 16;
export const KID_BYTES = 32;

/** An array of 4 and the text "Signature1". */
const SIGNATURE1 = Uint8Array.of(0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31);

/**
 * The bytes of the protected header `{1: alg, 4: kid, 16: typ}`.
 *
 * @param kid 64 hex digits
 * @throws VtlicError `internal` for a kid of another form
 */
export function encodeProtected(alg: Algorithm, kid: string, typ: Typ): Uint8Array {
  const kidBytes = fromHex(kid);
  if (kidBytes?.length !== KID_BYTES)
    throw new VtlicError('internal', `a kid has ${2 * KID_BYTES} hex digits, not "${cleanText(kid)}"`);
  return encodeCbor(
    new Map<CborValue, CborValue>([
      [HEADER_ALG, ALGORITHMS[alg].wire],
      [HEADER_KID, kidBytes],
      [HEADER_TYP, typ],
    ]),
  );
}

/** What is signed: the encoded `["Signature1", protected, external_aad = h'', payload]` (RFC 9052 §4.4). */
export function sigStructure(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(
    SIGNATURE1.length +
      headLength(protectedBytes.length) +
      protectedBytes.length +
      1 +
      headLength(payload.length) +
      payload.length,
  );
  out.set(SIGNATURE1);
  const externalAad = writeByteString(out, SIGNATURE1.length, protectedBytes);
  out[externalAad] = 0x40;
  writeByteString(out, externalAad + 1, payload);
  return out;
}

/** Tag 18 around `[protected, {}, payload, signature]`. */
export function encodeCoseSign1(protectedBytes: Uint8Array, payload: Uint8Array, signature: Uint8Array): Uint8Array {
  return encodeTagged(TAG_SIGN1, [protectedBytes, new Map<CborValue, CborValue>(), payload, signature]);
}

/**
 * Decodes a signed document whose kind the caller knows. Does not decode the payload.
 *
 * @throws VtlicError in this order: `cbor_malformed` or `cbor_not_deterministic` (the protected bytes are walked too,
 *   at their place), `cose_malformed` (tag, shape, the exact header and its types), `typ_wrong` (another kind of
 *   thing), `alg_unknown`
 */
export function decodeCoseSign1(bytes: Uint8Array, expectedTyp: Typ): CoseSign1 {
  const { tag, value, embedded } = decodeTaggedCbor(bytes, { embeddedFirst: true, shallow: true });
  if (tag !== TAG_SIGN1)
    throw malformed(`expected tag 18 (COSE_Sign1) at the top, found ${tag === undefined ? 'no tag' : `tag ${tag}`}`);
  if (!isCborArray(value)) throw malformed(`an array should follow the tag, but ${cborTypeInWords(value)} does`);
  const [protectedBytes, unprotected, payload, signature] = value;
  if (value.length !== 4) throw malformed(`the array should have 4 items, but it has ${value.length}`);
  if (!isCborBytes(protectedBytes))
    throw malformed(`the protected header should be a byte string, but it is ${cborTypeInWords(protectedBytes)}`);
  if (!isCborMap(unprotected))
    throw malformed(`the unprotected header should be the empty map, but it is ${cborTypeInWords(unprotected)}`);
  if (unprotected.size > 0) throw malformed('the unprotected header should be the empty map, but it has entries');
  if (!isCborBytes(payload))
    throw malformed(`the payload should be a byte string, but it is ${cborTypeInWords(payload)}`);
  if (!isCborBytes(signature))
    throw malformed(`the signature should be a byte string, but it is ${cborTypeInWords(signature)}`);

  if (!isCborMap(embedded))
    throw malformed(`the protected bytes should contain a map, but they contain ${cborTypeInWords(embedded)}`);
  const alg = embedded.get(HEADER_ALG);
  const kid = embedded.get(HEADER_KID);
  const typ = embedded.get(HEADER_TYP);
  if (embedded.size !== 3 || alg === undefined || kid === undefined || typ === undefined) {
    throw malformed('the protected header should have exactly alg (1), kid (4) and typ (16)');
  }
  if (typeof alg !== 'number' && typeof alg !== 'string')
    throw malformed(`alg should be an integer or a text, but it is ${cborTypeInWords(alg)}`);
  if (!isCborBytes(kid)) throw malformed(`kid should be a byte string, but it is ${cborTypeInWords(kid)}`);
  if (kid.length !== KID_BYTES) throw malformed(`kid should have ${KID_BYTES} bytes, but it has ${kid.length}`);
  if (typeof typ !== 'string') throw malformed(`typ should be a text, but it is ${cborTypeInWords(typ)}`);

  if (typ !== expectedTyp) throw wrongTyp(typ, expectedTyp);
  const algorithm = algorithmOfWire(alg);
  if (algorithm === undefined) throw unknownAlgorithm(alg);
  return Object.freeze({ alg: algorithm, kid: toHex(kid), typ: expectedTyp, protectedBytes, payload, signature });
}

/** @returns the offset behind the string */
export function writeByteString(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const content = writeHead(out, at, MAJOR_BYTES, bytes.length);
  out.set(bytes, content);
  return content + bytes.length;
}

export function malformed(fault: string): VtlicError {
  return new VtlicError('cose_malformed', `the COSE structure is malformed: ${fault}`);
}

export function wrongTyp(typ: string, expected: Typ): VtlicError {
  return new VtlicError(
    'typ_wrong',
    `expected a signed ${kindOf(expected) ?? expected}, ` +
      `but it is a ${kindOf(typ) ?? `document of type "${cleanText(typ)}"`}`,
  );
}

function kindOf(typ: string): string | undefined {
  for (const [kind, text] of Object.entries(TYP)) if (text === typ) return kind;
  return undefined;
}

export function unknownAlgorithm(alg: number | string): VtlicError {
  const came = typeof alg === 'number' ? String(alg) : `"${cleanText(alg)}"`;
  return new VtlicError('alg_unknown', `alg should be -19 (Ed25519) or "ed25519+ml-dsa-65", but it is ${came}`);
}
