/** What cases are made of: trust and keys as plain data, verdicts, what a wrong verifier forgets. */
import { toHex } from '../../formats/bytes.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { REASONS, type Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { NAMED_KEYS, type ExampleTrust, type ExampleTrustedKey } from '../examples/example-trust.ts';
import type { CaseKey, CaseTrust, CaseVerdict } from './case.ts';

/** A key with the values that another language needs. */
export function keyValues({ alg, bytes, kid }: PublicKey): Pick<CaseKey, 'alg' | 'publicKey' | 'kid'> {
  return { alg, publicKey: toHex(bytes), kid };
}

export function trustValues({ keys, ...rest }: ExampleTrust): CaseTrust {
  return { keys: keys.map(trustedKeyValues), ...rest };
}

function trustedKeyValues({ key, ...rest }: ExampleTrustedKey): CaseKey {
  return typeof key === 'string' ? { ...keyValues(NAMED_KEYS[key]), ...rest } : { ...key, ...rest };
}

/** @param scored `verdict` where the file has several faults */
export function verdictOf(expected: Reason | State, scored: 'reason' | 'verdict' = 'reason'): CaseVerdict {
  return isState(expected)
    ? { verdict: 'accepted', state: expected }
    : { verdict: 'refused', layer: REASONS[expected].layer, reason: expected, scored };
}

export function isState(expected: Reason | State): expected is State {
  return !Object.hasOwn(REASONS, expected);
}

/** What a verifier that disagrees has forgotten, where the case does not say it more exactly. */
export const FORGETS: Readonly<Record<Reason, string>> = Object.freeze({
  too_large: 'the bounds of size, before and after the armor',
  armor_malformed: 'the strict armor: one block is the whole file, and its base64 is canonical',
  cbor_malformed: 'the profile of CBOR, walked from the first byte to the last',
  cbor_not_deterministic: 'deterministic encoding: one spelling for each value',
  cose_malformed: 'the exact shape and header of COSE_Sign1',
  typ_wrong: 'the typ, which separates licenses from all else that a vendor signs',
  alg_unknown: 'the closed list of two algorithms',
  key_composite_only: 'that a component of a composite key is not a key',
  key_unknown: 'that only trusted keys sign licenses',
  key_algorithm_mismatch: 'that the algorithm is that of the trusted key, not that of the file',
  signature_invalid: 'a part of the signature check',
  claims_malformed: 'the types, bounds and orders of the claims',
  claims_unknown: 'that a claim which is not understood refuses the license',
  key_revoked: 'the status of the key',
  key_wrong_purpose: 'the purpose or the scope of the key',
  algorithm_not_allowed: 'the policy of algorithms, at the time of verifying',
  license_revoked: 'the list of revoked licenses',
  superseded: 'the lowest counters',
  issuer_mismatch: 'the issuer',
  product_mismatch: 'the product',
  deployment_mismatch: 'the deployment, also where none is given',
  host_mismatch: 'the hosts, also where none is given',
  build_not_covered: 'the end of updates, also where no build date is given',
  lineage_not_newer: 'that a license of another lineage has to be newer than all accepted before',
  counter_rolled_back: 'the highest counter of the lineage',
  counter_conflict: 'that one counter belongs to one payload',
});
