/**
 * The bounds of a license's claims: the maximum of each number, length and count (docs/vtlic.cddl). The size limits of
 * the file are `LICENSE_LIMITS` in `formats/armor.ts`; the claim `limits` is the vendor's, and is in `license.ts`.
 */

/** 9999-12-31T23:59:59Z, in seconds since 1970: the last time that has a four-digit year. */
export const MAX_TIME = 253_402_300_799;

export const DAY_SECONDS = 86_400;

/** The `exp` of a perpetual license. To a verifier it is a time like any other. */
export const PERPETUAL_EXP: number = MAX_TIME;

/** The values of `use`. */
export const LICENSE_USES: readonly ['non-production', 'trial', 'emergency'] = Object.freeze([
  'non-production',
  'trial',
  'emergency',
] as const);

/** 366 days. */
export const MAX_GRACE_SECONDS = 31_622_400;

/** As long as the times reach: adding it to any time stays far below 2^53. */
export const MAX_OFFLINE_SECONDS: number = MAX_TIME;

/** 2^53-1, for seats, limits, instances and the counter. */
export const MAX_COUNT: number = Number.MAX_SAFE_INTEGER;

export const MAX_ID_CHARACTERS = 128;
export const MAX_FEATURES = 256;
export const MAX_LIMITS = 256;
export const MAX_HOSTS = 1024;
export const MAX_EXT_KEYS = 64;

export const HOST_BYTES = 32;

/** Counted in Unicode code points. */
export const MAX_NAME_CODE_POINTS = 200;
export const MAX_REF_CODE_POINTS = 100;
