/** The meaning of a keyset's payload, and its bounds (docs/keysets.md). Values are frozen. */
import type { CoseKey } from '../cose-key.ts';

/** `pre-published`, `active` and `retired` keys all verify: these words bind signers. */
export const KEY_STATUSES: readonly ['pre-published', 'active', 'retired', 'revoked'] = Object.freeze([
  'pre-published',
  'active',
  'retired',
  'revoked',
] as const);

export type KeyStatus = (typeof KEY_STATUSES)[number];

/** What an issuing key may sign: license files, or license keys (JWT). */
export const ISSUING_PURPOSES: readonly ['license', 'license-key'] = Object.freeze(['license', 'license-key'] as const);

export type IssuingPurpose = (typeof ISSUING_PURPOSES)[number];

export interface IssuingKey extends CoseKey {
  readonly purpose: IssuingPurpose;
  readonly status: KeyStatus;
  /** The products (aud) that it may sign for, sorted, at least one; absent: every product. */
  readonly products?: readonly string[];
  /** The tiers, likewise. */
  readonly tiers?: readonly string[];
  /** Seconds since 1970: when signers begin to use it. Binds signers only. */
  readonly from?: number;
  /** Seconds since 1970: when signers stop using it. Binds signers only. */
  readonly until?: number;
  /**
   * Of a revoked key only: the SHA-256 digests of the payloads that it signed and that still count, as 64 lower-case
   * hex digits each, sorted, at least one.
   */
  readonly honored?: readonly string[];
}

export interface Keyset {
  /** The vendor: the same in every version. */
  readonly iss: string;
  /** 1 … 2^53-1. Higher versions replace lower ones. */
  readonly version: number;
  /** Seconds since 1970. */
  readonly made: number;
  /** Seconds since 1970, after `made`. Only warns. */
  readonly expires?: number;
  /** Sorted by the bytes of their COSE_Key, each once, at least one. */
  readonly roots: readonly CoseKey[];
  /** How many of the roots have to sign: 1 … the number of roots. */
  readonly threshold: number;
  /** Sorted like the roots; may be empty. */
  readonly keys: readonly IssuingKey[];
  /** Policy: no license with only an Ed25519 signature is in force. */
  readonly requireComposite: boolean;
  /** Policy: the same, from this time on (seconds since 1970, the time of verifying). */
  readonly ed25519Until?: number;
  /** License ids, lower-case UUIDs, sorted. */
  readonly revokedLicenses: readonly string[];
  /** Lineage (`iss/aud/sub` or `iss/aud/sub/dep`) → the lowest counter that is still in force. */
  readonly lowestCounters: ReadonlyMap<string, number>;
}

/** Decoded bytes of one block. */
export const MAX_KEYSET_BYTES = 524_288;
/** Bytes of a chain as read, blanks included. */
export const MAX_CHAIN_BYTES = 16_777_216;
/** Blocks of a chain. */
export const MAX_CHAIN_BLOCKS = 4096;
export const MAX_ROOTS = 16;
export const MAX_ISSUING_KEYS = 128;
/** Products, and tiers, of one key. */
export const MAX_SCOPE_ITEMS = 64;
/** Of one key. */
export const MAX_HONORED = 12_288;
export const MAX_REVOKED_LICENSES = 16_384;
export const MAX_LOWEST_COUNTERS = 8192;
export const DIGEST_BYTES = 32;
