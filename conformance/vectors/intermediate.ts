/**
 * The values between the files of a case and what is expected of it. Nothing here judges: of a file with a fault there
 * are the values that can be read.
 */
import { dearmor } from '../../formats/armor.ts';
import { fromHex, toHex } from '../../formats/bytes.ts';
import {
  decodeCbor,
  decodeTaggedCbor,
  isCborArray,
  isCborBytes,
  isCborMap,
  type CborMap,
  type CborValue,
} from '../../formats/cbor/index.ts';
import { algorithmOfWire } from '../../formats/cose-algorithm.ts';
import { encodeCoseKey } from '../../formats/cose-key.ts';
import { signerStructure } from '../../formats/cose-sign.ts';
import { HEADER_ALG, HEADER_KID, sigStructure } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { armoredBlocks, openKeysetBlock, type ArmoredBlock } from '../../formats/keyset/blocks.ts';
import { CLAIM_KEYS } from '../../formats/license/license.ts';
import { sha256Hex } from '../../files/index.ts';
import { compositeMessage } from '../../keys/public/composite.ts';
import { parsePublicKeys } from '../../keys/public/encodings/public-key-file.ts';
import type {
  BlockValues,
  Case,
  CaseFolder,
  CaseKey,
  FileValues,
  Intermediate,
  KeyValues,
  LicenseValues,
} from './case.ts';
import { bytesOfInput } from './files.ts';

/** Larger values would only make the case hard to read. */
const MAX_VALUE_BYTES = 2048;
/** Of a file with more blocks than these there are no values. */
const MAX_BLOCKS = 16;

/** What `read` returns; undefined where the bytes have a fault. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof VtlicError) return undefined;
    throw error;
  }
}

function mapIn(bytes: Uint8Array): CborMap {
  const value = readable(() => decodeCbor(bytes));
  return isCborMap(value) ? value : new Map<CborValue, CborValue>();
}

/** Signer of a `COSE_Sign1`, or one of a `COSE_Sign`. */
function headerIn(protectedBytes: Uint8Array): Pick<LicenseValues, 'alg' | 'kid'> {
  const header = mapIn(protectedBytes);
  const alg = algorithmOfWire(header.get(HEADER_ALG) ?? 0);
  const kid = header.get(HEADER_KID);
  return { ...(alg === undefined ? {} : { alg }), ...(isCborBytes(kid) ? { kid: toHex(kid) } : {}) };
}

/** The values of a license; only `decoded` where it is no `COSE_Sign1`; undefined where it is not armored. */
export function intermediateOf(license: Uint8Array): LicenseValues | undefined {
  const decoded = readable(() => dearmor('VTLIC', license));
  if (decoded === undefined) return undefined;
  const value = readable(() => decodeTaggedCbor(decoded).value);
  const [protectedBytes, , payload, signature] = isCborArray(value) ? value : [];
  if (!isCborBytes(protectedBytes) || !isCborBytes(payload) || !isCborBytes(signature))
    return decoded.length > MAX_VALUE_BYTES ? undefined : { decoded: toHex(decoded) };
  const header = headerIn(protectedBytes);
  const signed = sigStructure(protectedBytes, payload);
  const isShort = payload.length <= MAX_VALUE_BYTES;
  return {
    ...header,
    protected: toHex(protectedBytes),
    ...(isShort ? { payload: toHex(payload) } : {}),
    payloadSha256: sha256Hex(payload),
    ...(isShort ? { sigStructure: toHex(signed) } : {}),
    ...(header.alg === 'ed25519+ml-dsa-65' ? { compositeMessage: toHex(compositeMessage(signed)) } : {}),
    signature: toHex(signature),
  };
}

/** A case with its values; the rows of `verify` have theirs already. */
export function withIntermediate({ value, files }: CaseFolder): CaseFolder {
  if (value.operation === 'verify') return { value, files };
  const intermediate = intermediateOfSetting(value, files);
  return { value: intermediate === undefined ? value : { ...value, intermediate }, files };
}

function intermediateOfSetting(value: Case, files: CaseFolder['files']): Intermediate | undefined {
  const keys = keysIn(value, files).map(keyValues);
  const found = [...files.keys()].sort().map((file) => blocksIn(file, files));
  const blocks = found.flatMap((one) => one.blocks);
  const licenses = found.flatMap((one) => one.licenses);
  if (keys.length + blocks.length + licenses.length === 0) return undefined;
  return {
    ...(keys.length === 0 ? {} : { keys }),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(licenses.length === 0 ? {} : { licenses }),
  };
}

type Key = Pick<CaseKey, 'alg' | 'publicKey'>;

/** The keys of an accepted trust or file, in the order of what is expected. */
function keysIn(value: Case, files: CaseFolder['files']): readonly Key[] {
  if (!('expected' in value) || value.expected.verdict !== 'accepted') return [];
  if (value.operation === 'trust') return value.trust.keys;
  if (value.operation === 'override' && 'trust' in value.expected) return value.expected.trust.keys;
  if (value.operation !== 'key-file') return [];
  const keys = parsePublicKeys(bytesOfInput(value.keyFile, files));
  return keys.map(({ alg, bytes }) => ({ alg, publicKey: toHex(bytes) }));
}

function keyValues({ alg, publicKey }: Key): KeyValues {
  const coseKey = encodeCoseKey(alg, fromHex(publicKey) ?? new Uint8Array());
  return { alg, coseKey: toHex(coseKey), kid: sha256Hex(coseKey) };
}

interface Found {
  readonly blocks: readonly BlockValues[];
  readonly licenses: readonly FileValues[];
}

function blocksIn(file: string, files: CaseFolder['files']): Found {
  const bytes = bytesOfInput({ file }, files);
  const found = (readable(() => [...armoredBlocks(bytes)]) ?? []).slice(0, MAX_BLOCKS + 1);
  if (found.length > MAX_BLOCKS) return { blocks: [], licenses: [] };
  const of = (label: ArmoredBlock['label']): readonly ArmoredBlock[] => found.filter((one) => one.label === label);
  return {
    blocks: of('VTLIC KEYSET').flatMap((block) => keysetValues(file, block)),
    licenses: of('VTLIC').flatMap(({ text }) => fileValues(file, text)),
  };
}

function keysetValues(file: string, block: ArmoredBlock): readonly BlockValues[] {
  const value = readable(() => decodeTaggedCbor(openKeysetBlock(block)).value);
  const [body, , payload, signatures] = isCborArray(value) ? value : [];
  if (!isCborBytes(body) || !isCborBytes(payload) || !isCborArray(signatures)) return [];
  const version = mapIn(payload).get('version');
  const signers = signatures.flatMap((one) => {
    const own = isCborArray(one) ? one[0] : undefined;
    if (!isCborBytes(own)) return [];
    return [{ ...headerIn(own), sigStructureSha256: sha256Hex(signerStructure(body, own, payload)) }];
  });
  return [{ file, ...(typeof version === 'number' ? { version } : {}), payloadSha256: sha256Hex(payload), signers }];
}

function fileValues(file: string, text: Uint8Array): readonly FileValues[] {
  const { kid, payload = '', payloadSha256 } = intermediateOf(text) ?? {};
  if (payloadSha256 === undefined) return [];
  const claims = mapIn(fromHex(payload) ?? new Uint8Array());
  const { iss, aud, sub, dep, ctr } = CLAIM_KEYS;
  const lineage = [iss, aud, sub, dep].flatMap((key) => claims.get(key) ?? []);
  const counter = claims.get(ctr);
  return [
    {
      file,
      ...(kid === undefined ? {} : { kid }),
      ...(lineage.every((part) => typeof part === 'string') ? { lineage: lineage.join('/') } : {}),
      ...(typeof counter === 'number' ? { counter } : {}),
      payloadSha256,
    },
  ];
}
