/**
 * What a key signed, as another ledger has it: a file (strict JSON, `vtlic-signed-licenses/1`) with each license and
 * the proof that the log of that ledger contains it. If keysets are published for several ledgers, a revocation
 * honors the licenses of each.
 *
 * The signature of a license proves nothing here, since the thief of the key can make as many as he wants. The proof of
 * the log does: its checkpoint is signed by a key with the purpose `ledger`, which is another one.
 */
import { decodeBase64, encodeBase64 } from '../../formats/base64.ts';
import { toHex, utf8 } from '../../formats/bytes.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeInclusionProof } from '../../formats/tlog-proof.ts';
import { uuidToBytes } from '../../formats/license/id.ts';
import { parseJsonFile, readLimited } from '../../files/index.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { kidOfKey } from '../keyset/changes.ts';
import { readDigest } from '../keyset/draft.ts';
import { checkInclusion, findLeaf, issuedCose, type LedgerView, type LogKey, sha256 } from '../ledger/index.ts';
import type { LogInfo } from '../ledger/index.ts';
import type { SignedByKey } from './signed-by-key.ts';

const SCHEMA = 'vtlic-signed-licenses/1';
/** As many composite licenses as a keyset honors, each with its proof. */
const MAX_BYTES: number = 256 * 1024 * 1024;

/** A log, and the signed checkpoint that the proofs are made to. */
export interface SignedHead {
  readonly log: LogInfo;
  readonly size: number;
  readonly note: string;
}

/**
 * @throws VtlicError `request_invalid` for a license of a log that ended, to which no new checkpoint is signed
 */
export function encodeSignedLicenses(
  ledger: LedgerView,
  kid: string,
  { licenses }: SignedByKey,
  head: SignedHead,
): Uint8Array {
  const proved = licenses.map(({ cti }) => {
    const id = uuidToBytes(cti) ?? new Uint8Array();
    const leaf = findLeaf(ledger, id);
    const cose = issuedCose(ledger, id);
    const hashes =
      leaf.log.number === head.log.number ? ledger.inclusionProof(leaf.index, head.size, head.log.logId) : undefined;
    if (hashes === undefined || cose === undefined)
      throw new VtlicError(
        'request_invalid',
        `the license ${cti} is in a log that ended when the ledger was restored`,
        {
          hint: 'reissue it with another key: vtlic renew',
        },
      );
    const proof = encodeInclusionProof({ extra: leaf.data, index: leaf.index, hashes, checkpoint: head.note });
    return { license: encodeBase64(cose), proof };
  });
  return utf8(`${JSON.stringify({ schema: SCHEMA, kid, licenses: proved })}\n`);
}

/** What a file proves that a key signed. */
export interface ProvedLicenses {
  readonly kid: string;
  /** SHA-256 of the payloads, 64 hex digits each. */
  readonly digests: readonly string[];
  /** The log that has them, and the number of its leaves. */
  readonly origin: string;
  readonly size: number;
}

export interface HonoringContext {
  readonly issuer: string;
  /** The keys that are revoked. */
  readonly keys: readonly CoseKey[];
  /** Of the logs that are trusted. */
  readonly logKeys: readonly LogKey[];
}

/**
 * @throws VtlicError `checks_failed` for a license or a proof that is not valid, or is of something else;
 *   `request_invalid`, `json_malformed`, `file_unreadable` for a file of another form
 */
export function readSignedLicenses(file: string, { issuer, keys, logKeys }: HonoringContext): ProvedLicenses {
  const bytes = readLimited(file, MAX_BYTES, 'json_malformed');
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA)
    throw schema.fault(`should be "${SCHEMA}"`, 'Make the file at the other site: vtlic rotation signed-by KEY.');
  const named = root.required('kid');
  const kid = readDigest(named);
  const key = keys.find((candidate) => kidOfKey(candidate) === kid);
  if (key === undefined)
    throw named.fault(`should be a key that is revoked: ${keys.map(kidOfKey).join(', ') || 'none'}`);
  const publicKey = importPublicKey(key.alg, key.publicBytes);
  const digests = new Set<string>();
  let origin = '';
  let size = 0;
  for (const value of root.array('licenses')) {
    const reader = value.object();
    const text = reader.required('license');
    const cose = decodeBase64(text.string());
    if (cose === undefined) throw text.fault('should be canonical base64');
    const proof = utf8(reader.required('proof').string());
    reader.end();
    try {
      const { checkpoint, leaf } = checkInclusion(proof, logKeys, cose);
      if (leaf.kind !== 'issued') throw new VtlicError('checks_failed', 'its counter is void in that log');
      const { alg, kid: signer, protectedBytes, payload, signature } = decodeCoseSign1(cose, TYP.license);
      if (signer !== kid || alg !== publicKey.alg)
        throw new VtlicError('checks_failed', `the key ${signer} signed it, and not ${kid}`);
      if (!verifySignature(publicKey, sigStructure(protectedBytes, payload), signature))
        throw new VtlicError('checks_failed', 'its signature is not valid');
      const { iss } = decodeLicense(payload);
      if (iss !== issuer) throw new VtlicError('checks_failed', `it is by ${iss}, and this site is ${issuer}`);
      digests.add(toHex(sha256(payload)));
      ({ origin, size } = checkpoint);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      throw new VtlicError(
        'checks_failed',
        `license ${digests.size + 1} of the file does not count: ${error.message}`,
        {
          file,
          hint: 'do not honor it; ask the other site for the file again, and compare the log key by telephone',
          cause: error,
        },
      );
    }
  }
  root.end();
  return Object.freeze({ kid, digests: Object.freeze([...digests].toSorted()), origin, size });
}
