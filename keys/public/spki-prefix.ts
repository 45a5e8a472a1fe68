/** The DER of a SubjectPublicKeyInfo up to the key's own bytes: fixed, since no algorithm has parameters. */
import { fromHex } from '../../formats/bytes.ts';

/** OID 1.3.101.112 (RFC 8410); 32 bytes follow. */
export const ED25519_SPKI_PREFIX: Uint8Array = fromHex('302a300506032b6570032100') ?? new Uint8Array();

/** OID 2.16.840.1.101.3.4.3.18 (RFC 9881); 1952 bytes follow. */
export const MLDSA65_SPKI_PREFIX: Uint8Array =
  fromHex('308207b2300b0609608648016503040312038207a100') ?? new Uint8Array();

/**
 * OID 1.3.6.1.5.5.7.6.48, id-MLDSA65-Ed25519-SHA512 (draft-ietf-lamps-pq-composite-sigs-19); 1984 bytes follow, the
 * ML-DSA-65 key and then the Ed25519 key.
 */
export const COMPOSITE_SPKI_PREFIX: Uint8Array =
  fromHex('308207d1300a06082b06010505070630038207c100') ?? new Uint8Array();
