/**
 * Why a license is refused: a closed list, in the order in which a verifier judges (docs/format.md, "The order, and
 * the reasons").
 */

export type Layer =
  'size' | 'armor' | 'cbor' | 'cose' | 'key' | 'signature' | 'claims' | 'policy' | 'binding' | 'lineage' | 'counter';

export type Reason =
  | 'too_large'
  | 'armor_malformed'
  | 'cbor_malformed'
  | 'cbor_not_deterministic'
  | 'cose_malformed'
  | 'typ_wrong'
  | 'alg_unknown'
  | 'key_composite_only'
  | 'key_unknown'
  | 'key_algorithm_mismatch'
  | 'signature_invalid'
  | 'claims_malformed'
  | 'claims_unknown'
  | 'key_revoked'
  | 'key_wrong_purpose'
  | 'algorithm_not_allowed'
  | 'license_revoked'
  | 'superseded'
  | 'issuer_mismatch'
  | 'product_mismatch'
  | 'deployment_mismatch'
  | 'host_mismatch'
  | 'build_not_covered'
  | 'lineage_not_newer'
  | 'counter_rolled_back'
  | 'counter_conflict';

export interface ReasonFacts {
  readonly layer: Layer;
  /** For the person who installs the license. */
  readonly sentence: string;
  /** What to do next. */
  readonly remedy: string;
}

const COPY_AGAIN = 'Copy the file again exactly as the vendor sent it, or ask the vendor to send it once more.';
const ASK_VENDOR = 'Ask the vendor for a license that this product can read, and send the detail along.';
const NEW_VENDOR_KEY =
  'Check that the license is for this product; if it is, update the product so that it knows the key, ' +
  'or ask the vendor for a license by a current key.';
const NEWEST_FILE = 'Install the newest license that the vendor sent for this deployment.';

export const REASONS: Readonly<Record<Reason, ReasonFacts>> = Object.freeze({
  too_large: {
    layer: 'size',
    sentence: 'The file is larger than any license.',
    remedy: 'Check that this is the license file; if it is, ask the vendor for a smaller one.',
  },
  armor_malformed: { layer: 'armor', sentence: 'The file is not one whole license block.', remedy: COPY_AGAIN },
  cbor_malformed: { layer: 'cbor', sentence: 'The content of the license block is damaged.', remedy: COPY_AGAIN },
  cbor_not_deterministic: {
    layer: 'cbor',
    sentence: 'The content of the license block is not encoded in the form that the format requires.',
    remedy: ASK_VENDOR,
  },
  cose_malformed: {
    layer: 'cose',
    sentence: 'The license block does not contain a signed license.',
    remedy: ASK_VENDOR,
  },
  typ_wrong: {
    layer: 'cose',
    sentence: 'The file is signed, but it is not a license.',
    remedy: 'Install the license file; this one is something else that the vendor signs.',
  },
  alg_unknown: {
    layer: 'cose',
    sentence: 'The license is signed with an algorithm that this product does not know.',
    remedy: 'Update the product, or ask the vendor for a license with an algorithm that it knows.',
  },
  key_composite_only: {
    layer: 'key',
    sentence: 'The license is signed by only one component of a composite key, and both are needed.',
    remedy: 'Treat this file as a forgery and report it to the vendor.',
  },
  key_unknown: {
    layer: 'key',
    sentence: 'The license is signed by a key that this product does not trust.',
    remedy: NEW_VENDOR_KEY,
  },
  key_algorithm_mismatch: {
    layer: 'key',
    sentence: 'The license names an algorithm that is not the one of its key.',
    remedy: ASK_VENDOR,
  },
  signature_invalid: {
    layer: 'signature',
    sentence: 'The signature is not valid: the license is altered or forged.',
    remedy: COPY_AGAIN,
  },
  claims_malformed: {
    layer: 'claims',
    sentence: 'The license is genuine, but a claim in it is malformed.',
    remedy: ASK_VENDOR,
  },
  claims_unknown: {
    layer: 'claims',
    sentence: 'The license is genuine, but contains a claim that this product does not understand.',
    remedy: 'Update the product, or ask the vendor for a license for this version.',
  },
  key_revoked: {
    layer: 'policy',
    sentence: 'The vendor revoked the key that signed the license.',
    remedy: 'Ask the vendor for a license by a current key.',
  },
  key_wrong_purpose: {
    layer: 'policy',
    sentence: 'The key that signed the license may not sign licenses of this product and tier.',
    remedy: 'Report this file to the vendor and ask for another one.',
  },
  algorithm_not_allowed: {
    layer: 'policy',
    sentence: 'This product no longer accepts licenses with only an Ed25519 signature.',
    remedy: 'Ask the vendor for a license with the composite signature (ed25519+ml-dsa-65).',
  },
  license_revoked: {
    layer: 'policy',
    sentence: 'The vendor revoked this license.',
    remedy: 'Ask the vendor which license replaces it.',
  },
  superseded: { layer: 'policy', sentence: 'The vendor replaced this license by a later one.', remedy: NEWEST_FILE },
  issuer_mismatch: {
    layer: 'binding',
    sentence: 'The license is by another vendor.',
    remedy: 'Install a license by the vendor of this product.',
  },
  product_mismatch: {
    layer: 'binding',
    sentence: 'The license is for another product.',
    remedy: 'Install the license for this product.',
  },
  deployment_mismatch: {
    layer: 'binding',
    sentence: 'The license is for another deployment.',
    remedy: 'Install the license for this deployment, or correct the deployment that is configured here.',
  },
  host_mismatch: {
    layer: 'binding',
    sentence: 'The license is bound to other hosts.',
    remedy: 'Send the fingerprint of this host to the vendor and ask for a license that names it.',
  },
  build_not_covered: {
    layer: 'binding',
    sentence: 'The license does not cover this build of the product.',
    remedy:
      'Install a build that the license covers: the detail says up to which date. ' +
      'Or ask the vendor for a license that covers this build.',
  },
  lineage_not_newer: {
    layer: 'lineage',
    sentence: 'The license belongs to another customer or deployment and is no newer than the one last accepted.',
    remedy: 'Put the previous file back, or ask the vendor to issue this license anew.',
  },
  counter_rolled_back: {
    layer: 'counter',
    sentence: 'The license is older than one that was accepted here before.',
    remedy: NEWEST_FILE,
  },
  counter_conflict: {
    layer: 'counter',
    sentence: 'Another license with the same counter was accepted here before; a vendor uses each counter only once.',
    remedy: 'Put the previous file back, or ask the vendor for a license with a higher counter.',
  },
});

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
