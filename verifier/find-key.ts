import type { CoseSign1 } from '../formats/cose-sign1.ts';
import type { TrustedKey, TrustIndex } from './trust.ts';
import { refuse, type Refused } from './verdict.ts';

/** The key step: nothing here depends on a key's status, which is said of genuine licenses alone. */
export function findKey(cose: CoseSign1, { byKid, compositeOfComponent }: TrustIndex): TrustedKey | Refused {
  const trusted = byKid.get(cose.kid);
  if (trusted === undefined) {
    const composite = compositeOfComponent.get(cose.kid);
    if (composite === undefined) return refuse('key_unknown', `the key ${cose.kid} is not among the trusted ones`);
    return refuse(
      'key_composite_only',
      `the key ${cose.kid} is the Ed25519 component of the composite key ${composite}`,
    );
  }
  if (trusted.key.alg === cose.alg) return trusted;
  return refuse(
    'key_algorithm_mismatch',
    `the license says ${cose.alg}, but the key ${cose.kid} is one for ${trusted.key.alg}`,
  );
}
