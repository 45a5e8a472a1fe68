/** One thread's share of a signature check: it takes stretches of the record until there are no more. */
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { isCborBytes, isCborMap } from '../../../formats/cbor/value.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { importPublicKey, type PublicKey } from '../../../keys/public/public-key.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { openReadOnly } from '../store/open-database.ts';
import { encodeFault, ISSUES, NEXT, STOP, type SignatureJob } from './signature-job.ts';
import { ledgerFault } from '../store/sqlite-faults.ts';
import { blob, integer, type Row } from '../store/rows.ts';

const STRETCH = 96;

/** Yields after each stretch: a fault, or undefined where it had none. */
export function* signatureFaults(job: SignatureJob): Generator<string | undefined, void> {
  const keys = new Map(job.keys.map(({ alg, bytes }) => importPublicKey(alg, bytes)).map((key) => [key.kid, key] as const));
  const db = openReadOnly(job.file);
  try {
    const statement = db.prepare("SELECT seq, body FROM entry WHERE seq > ? AND seq <= ? AND kind IN ('issue', 'adopt')");
    statement.setReturnArrays(true);
    while (Atomics.load(job.shared, STOP) === 0) {
      const from = Atomics.add(job.shared, NEXT, STRETCH);
      if (from >= job.entries) return;
      for (const row of statement.all(from, Math.min(from + STRETCH, job.entries)) as unknown as readonly Row[]) {
        const fault = faultOf(blob(row[1]), keys);
        if (fault === 'no license') continue;
        if (fault === undefined) Atomics.add(job.shared, ISSUES, 1);
        else {
          Atomics.store(job.shared, STOP, 1);
          yield encodeFault(integer(row[0]), fault);
        }
      }
      yield undefined;
    }
  } catch (error) {
    throw ledgerFault(error, job.file, 'read');
  } finally {
    db.close();
  }
}

function faultOf(body: Uint8Array, keys: ReadonlyMap<string, PublicKey>): string | undefined {
  try {
    const map = decodeCbor(body, { views: true });
    const cose = isCborMap(map) ? map.get('cose') : undefined;
    if (!isCborBytes(cose)) return 'no license';
    const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(cose, TYP.license);
    const key = keys.get(kid);
    if (key === undefined) return `the license is signed by the key ${kid}, which is none of the site's license keys`;
    return key.alg === alg && verifySignature(key, sigStructure(protectedBytes, payload), signature) ? undefined : 'the signature of the license does not hold';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}
