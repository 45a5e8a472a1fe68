/** The signatures of licenses, stretch by stretch. */
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { isCborBytes, isCborMap } from '../../../formats/cbor/value.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isCryptoUnavailable } from '../../../keys/public/crypto-unavailable.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { ledgerCorrupt } from '../record/corrupt.ts';
import { blob, integer, type Row } from '../store/rows.ts';
import { countSignature, type OpenStretches, type StretchJob } from './stretch-job.ts';

/** @param keys that may have signed */
export function signatureStretches(job: StretchJob, keys: readonly PublicKey[]): OpenStretches {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  return (db) => {
    const statement = db.prepare(
      "SELECT seq, body FROM entry WHERE seq > ? AND seq <= ? AND kind IN ('issue', 'adopt')",
    );
    statement.setReturnArrays(true);
    return ({ from, to }, at) => {
      for (const row of statement.all(from, to) as unknown as readonly Row[]) {
        const seq = integer(row[0]);
        at(seq);
        const fault = signatureFault(byKid, blob(row[1]));
        if (fault === NO_LICENSE) continue;
        if (fault !== undefined) throw ledgerCorrupt(`entry ${seq}: ${fault}`);
        countSignature(job);
      }
    };
  };
}

const NO_LICENSE = Symbol('an entry without a license');

function signatureFault(
  keys: ReadonlyMap<string, PublicKey>,
  body: Uint8Array,
): string | typeof NO_LICENSE | undefined {
  try {
    const map = decodeCbor(body, { views: true });
    const cose = isCborMap(map) ? map.get('cose') : undefined;
    if (!isCborBytes(cose)) return NO_LICENSE;
    const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(cose, TYP.license);
    const key = keys.get(kid);
    if (key === undefined) return `the license is signed by the key ${kid}, which is none of the site's license keys`;
    return key.alg === alg && verifySignature(key, sigStructure(protectedBytes, payload), signature)
      ? undefined
      : 'the signature of the license does not hold';
  } catch (error) {
    if (error instanceof VtlicError && !isCryptoUnavailable(error)) return error.message;
    throw error;
  }
}
