/**
 * Signed → self-checked: what will leave is read back from its bytes, by our decoder and by another's, and its
 * signature is verified by a provider that did not make it.
 */
import { armor } from '../../formats/armor.ts';
import { equalBytes, utf8 } from '../../formats/bytes.ts';
import { decodeCbor, decodeTaggedCbor } from '../../formats/cbor/decode.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { otherProvider } from '../../keys/public/second-opinion.ts';
import { makeTrust } from '../../verifier/trust.ts';
import { verify } from '../../verifier/verify.ts';
import { secondDecoderAgrees } from './second-decoder.ts';
import type { CheckedLicense, SignedLicense } from './stages.ts';

const COSE_SIGN1_TAG = 18;

function refuse(why: string, cause?: unknown): VtlicError {
  return new VtlicError('self_check_failed', `our own output failed its check and was not released: ${why}`, { hint: 'keep this ledger as it is and report it (SECURITY.md); the counter is void', cause });
}

/** @throws VtlicError `self_check_failed` naming the check. */
export function selfCheck(signed: SignedLicense, key: SigningKey): CheckedLicense {
  const { item } = signed.intended;
  const file = utf8(armor('VTLIC', signed.cose));
  let fault: string | undefined;
  try {
    fault = findFault(file, signed.cose, item.payload, item.license, key);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : 'it cannot be read back', error);
  }
  if (fault !== undefined) throw refuse(fault);
  return Object.freeze({ stage: 'self-checked', intended: signed.intended, cose: signed.cose, file });
}

function findFault(file: Uint8Array, cose: Uint8Array, payload: Uint8Array, license: SignedLicense['intended']['item']['license'], key: SigningKey): string | undefined {
  const parsed = decodeCoseSign1(cose, TYP.license);
  if (!equalBytes(parsed.payload, payload)) return 'the payload is not the one that was planned';
  if (parsed.kid !== key.publicKey.kid || parsed.alg !== key.publicKey.alg) return 'the header names another key';
  if (!secondDecoderAgrees(cose, decodeTaggedCbor(cose).value, COSE_SIGN1_TAG)) return 'cbor-x reads the file differently';
  if (!secondDecoderAgrees(parsed.payload, decodeCbor(parsed.payload))) return 'cbor-x reads the claims differently';
  if (!secondDecoderAgrees(parsed.protectedBytes, decodeCbor(parsed.protectedBytes))) return 'cbor-x reads the header differently';
  const trust = makeTrust({ keys: [{ key: key.publicKey, job: 'license', status: 'active' }] });
  const verdict = verify(file, trust, {
    issuer: license.iss,
    product: license.aud,
    ...(license.dep === undefined ? {} : { deployment: license.dep }),
    ...(license.hosts === undefined ? {} : { hosts: license.hosts }),
    now: license.nbf,
    defaultGrace: 0,
    provider: otherProvider(key.signedBy),
  });
  if (!verdict.ok) return `the verifier says ${verdict.reason}`;
  return verdict.state === 'active' ? undefined : `the verifier says ${verdict.state} at its first second`;
}
