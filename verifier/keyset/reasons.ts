/**
 * Why a version of a keyset is not taken: a closed list, in the order in which it is judged (docs/keysets.md). None of
 * them is fatal for a product: the keyset that it has stays in force.
 */
import type { FormatFault } from '../../formats/error.ts';

/** A fault of the file, of the chain, or a notice about a chain that counts. */
export type KeysetLayer = 'format' | 'chain' | 'signature' | 'keys' | 'notice';

export type KeysetReason =
  | `keyset_${FormatFault}`
  | 'keyset_issuer_mismatch'
  | 'keyset_not_ascending'
  | 'keyset_conflict'
  | 'keyset_key_invalid'
  | 'keyset_signature_invalid'
  | 'keyset_threshold_previous'
  | 'keyset_threshold_own'
  | 'keyset_purpose_changed'
  | 'keyset_component_shared'
  | 'keyset_key_removed'
  | 'keyset_older'
  | 'keyset_expired';

export interface KeysetReasonFacts {
  readonly layer: KeysetLayer;
  /** For the operator of the product. */
  readonly sentence: string;
  /** What to do next. */
  readonly remedy: string;
}

const COPY_AGAIN = 'Copy the keyset file again exactly as the vendor published it.';
const ASK_VENDOR = 'Ask the vendor for a keyset file that this product can read, and send the detail along.';
const REPORT = 'Do not use this keyset file, and report it to the vendor.';

export const KEYSET_REASONS: Readonly<Record<KeysetReason, KeysetReasonFacts>> = Object.freeze({
  keyset_too_large: {
    layer: 'format',
    sentence: 'The keyset file, or one keyset in it, is larger than is allowed.',
    remedy: 'Check that this is the keyset file; if it is, ask the vendor for a shorter chain.',
  },
  keyset_armor_malformed: {
    layer: 'format',
    sentence: 'The keyset file is not a sequence of whole keyset blocks.',
    remedy: COPY_AGAIN,
  },
  keyset_cbor_malformed: {
    layer: 'format',
    sentence: 'The content of a keyset block is damaged.',
    remedy: COPY_AGAIN,
  },
  keyset_cbor_not_deterministic: {
    layer: 'format',
    sentence: 'The content of a keyset block is not encoded in the form that the format requires.',
    remedy: ASK_VENDOR,
  },
  keyset_cose_malformed: {
    layer: 'format',
    sentence: 'A keyset block does not contain a signed keyset.',
    remedy: ASK_VENDOR,
  },
  keyset_typ_wrong: {
    layer: 'format',
    sentence: 'A keyset block contains a signed document that is not a keyset.',
    remedy: 'Install the keyset file; this one contains something else that the vendor signs.',
  },
  keyset_alg_unknown: {
    layer: 'format',
    sentence: 'A keyset is signed with an algorithm that this product does not know.',
    remedy: 'Update the product.',
  },
  keyset_claims_malformed: {
    layer: 'format',
    sentence: 'A member of a keyset is missing or malformed.',
    remedy: ASK_VENDOR,
  },
  keyset_claims_unknown: {
    layer: 'format',
    sentence: 'A keyset has a member that this product does not understand.',
    remedy: 'Update the product.',
  },
  keyset_issuer_mismatch: {
    layer: 'chain',
    sentence: 'The keyset is by another vendor.',
    remedy: 'Install the keyset file of the vendor of this product.',
  },
  keyset_not_ascending: {
    layer: 'chain',
    sentence: 'The versions of the keyset file are not in ascending order.',
    remedy: ASK_VENDOR,
  },
  keyset_conflict: {
    layer: 'chain',
    sentence: 'The keyset file has another content for a version that is already known here.',
    remedy: 'Report both files to the vendor at once; only a new build of the product can change a known version.',
  },
  keyset_key_invalid: {
    layer: 'keys',
    sentence: 'A public key in the keyset is not usable.',
    remedy: ASK_VENDOR,
  },
  keyset_signature_invalid: {
    layer: 'signature',
    sentence: 'A signature of a known root key on the keyset is not valid: the keyset is altered or forged.',
    remedy: COPY_AGAIN,
  },
  keyset_threshold_previous: {
    layer: 'signature',
    sentence: 'The keyset is not signed by enough root keys of the keyset that is in force here.',
    remedy: 'Install the whole keyset chain that the vendor published, or update the product.',
  },
  keyset_threshold_own: {
    layer: 'signature',
    sentence: 'The keyset is not signed by enough of its own root keys.',
    remedy: REPORT,
  },
  keyset_purpose_changed: {
    layer: 'keys',
    sentence: 'The keyset gives a known key another purpose.',
    remedy: REPORT,
  },
  keyset_component_shared: {
    layer: 'keys',
    sentence: 'Two keys of the keyset chain share a component.',
    remedy: REPORT,
  },
  keyset_key_removed: {
    layer: 'keys',
    sentence: 'The keyset lacks an issuing key that an earlier version has.',
    remedy: REPORT,
  },
  keyset_older: {
    layer: 'notice',
    sentence: 'The keyset file is older than the keyset that is in force here, which stays in force.',
    remedy: 'Install the newest keyset file, or remove the old one.',
  },
  keyset_expired: {
    layer: 'notice',
    sentence: 'The keyset is past its date of expiry, which is only a reminder. It stays in force.',
    remedy: 'Ask the vendor for the newest keyset file.',
  },
});

export function isKeysetReason(text: string): text is KeysetReason {
  return Object.hasOwn(KEYSET_REASONS, text);
}
