import type { License } from '../formats/license/license.ts';
import { lineageKey } from './rollback.ts';
import type { Trust, TrustedKey, TrustIndex } from './trust.ts';
import { refuse, type Refused } from './verdict.ts';

/**
 * The policy of the vendor about a genuine license: whether its key is revoked or out of scope, whether its algorithm
 * is still accepted, and whether its id is revoked or its counter superseded.
 *
 * @param payloadDigest SHA-256 of the payload: a license by a revoked key counts only if the trust honors it
 * @param now the effective time of verifying, never a time that the license gives: a forger writes any
 */
export function judgePolicy(
  license: License,
  payloadDigest: string,
  { key, purpose, status, products, tiers }: TrustedKey,
  trust: Trust,
  index: TrustIndex,
  now: number,
): Refused | undefined {
  if (status === 'revoked' && index.honored.get(key.kid)?.has(payloadDigest) !== true)
    return refuse(
      'key_revoked',
      `the key ${key.kid} is revoked, and this license is not among those still honored`,
      {},
      { kid: key.kid },
    );
  if (purpose !== 'license')
    return refuse('key_wrong_purpose', `the key ${key.kid} has the purpose ${purpose}`, {}, { kid: key.kid });
  if (products?.includes(license.aud) === false)
    return refuse(
      'key_wrong_purpose',
      `the key ${key.kid} does not sign for the product ${license.aud}`,
      {
        field: 'aud',
      },
      { kid: key.kid },
    );
  if (tiers?.includes(license.tier) === false)
    return refuse(
      'key_wrong_purpose',
      `the key ${key.kid} does not sign for the tier ${license.tier}`,
      {
        field: 'tier',
      },
      { kid: key.kid },
    );
  if (key.alg === 'ed25519') {
    if (trust.requireComposite)
      return refuse(
        'algorithm_not_allowed',
        'the composite signature is required here, and this license has only Ed25519',
      );
    if (trust.ed25519Until !== undefined && now >= trust.ed25519Until) {
      return refuse(
        'algorithm_not_allowed',
        `licenses with only Ed25519 were in force until ${new Date(trust.ed25519Until * 1000).toISOString()}`,
      );
    }
  }
  if (index.revokedLicenses.has(license.cti))
    return refuse('license_revoked', `the license ${license.cti} is revoked`, { field: 'cti' }, { id: license.cti });
  const lowest = index.lowestCounters.get(lineageKey(license));
  if (lowest !== undefined && license.ctr < lowest) {
    return refuse(
      'superseded',
      `its counter is ${license.ctr}, and the lowest that the vendor allows here is ${lowest}`,
      { field: 'ctr' },
      { counter: license.ctr, lowest },
    );
  }
  return undefined;
}
