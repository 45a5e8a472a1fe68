/**
 * The claims of a license (CWT, RFC 8392) as values. The values are frozen at every depth, and each function that makes
 * one checks every bound.
 */
import type { CborValue } from '../cbor/index.ts';
import { VtlicError } from '../error.ts';
import type { LICENSE_USES } from './bounds.ts';

/** What `ext` may carry: the profile's types. A byte string is an `ExtBytes`, because byte arrays cannot be frozen. */
export type ExtValue = number | string | boolean | ExtBytes | readonly ExtValue[] | ExtMap;

/** A map of `ext`, without a prototype; every key is an id. */
export interface ExtMap {
  readonly [id: string]: ExtValue;
}

/** A byte string inside `ext`, as lower-case hex digits. */
export class ExtBytes {
  readonly hex: string;

  constructor(hex: string) {
    this.hex = hex;
    Object.freeze(this);
  }
}

/** What a license that is not for production is for. No claim means production. */
export type LicenseUse = (typeof LICENSE_USES)[number];

export interface License {
  /** CWT claim 1: the vendor. */
  readonly iss: string;
  /** 2: the customer, never renamed. */
  readonly sub: string;
  /** 3: the product. */
  readonly aud: string;
  /** 4: seconds since 1970; from then on it has expired. */
  readonly exp: number;
  /** 5: seconds since 1970; before, it is not yet valid. */
  readonly nbf: number;
  /** 6: seconds since 1970. */
  readonly iat: number;
  /** 7: the license id, a lower-case UUID of version 7. */
  readonly cti: string;
  /** The anti-rollback counter of the lineage (iss, aud, sub, dep). */
  readonly ctr: number;
  readonly tier: string;
  readonly seats: number | 'unlimited';
  /** Sorted and unique; empty where the payload has none. */
  readonly features: readonly string[];
  /** Without a prototype; empty where the payload has none. */
  readonly limits: Readonly<Record<string, number>>;
  /** Hosts at once. */
  readonly instances?: number;
  /** Fingerprints as 64 lower-case hex digits, sorted and unique, at least one. */
  readonly hosts?: readonly string[];
  /** Seconds; absent: the product's own grace. */
  readonly grace?: number;
  /** Seconds: the window of a product that normally calls home. */
  readonly offline?: number;
  /** The deployment. */
  readonly dep?: string;
  /** The customer's name: shown, means nothing. Untrusted text, to be cleaned before it is shown. */
  readonly name?: string;
  /** The vendor's order: shown, means nothing. Untrusted text, to be cleaned before it is shown. */
  readonly ref?: string;
  /** Seconds since 1970: the license covers builds of the product that are dated before it. Absent: every build. */
  readonly upd?: number;
  /** Absent: production. A value for the product and for people to see. */
  readonly use?: LicenseUse;
  /** Lowers the time floor once. */
  readonly clk?: true;
  /** Carried and shown, means nothing; at least one key. */
  readonly ext?: ExtMap;
}

/**
 * One sentence about one claim.
 *
 * @param fault what was expected of the claim and what was found: "it should be an id, but it is an integer"
 */
export function claimFault(field: string, fault: string): VtlicError {
  return new VtlicError('claims_malformed', `the claim "${field}" is malformed: ${fault}`, { field });
}

/** Registered claims have their number (RFC 8392 §3.1), the others their own name. */
export const CLAIM_KEYS: { readonly [Field in keyof License]-?: number | string } = Object.freeze({
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  ctr: 'ctr',
  tier: 'tier',
  seats: 'seats',
  features: 'features',
  limits: 'limits',
  instances: 'instances',
  hosts: 'hosts',
  grace: 'grace',
  offline: 'offline',
  dep: 'dep',
  name: 'name',
  ref: 'ref',
  upd: 'upd',
  use: 'use',
  clk: 'clk',
  ext: 'ext',
});

const KNOWN: ReadonlySet<CborValue> = new Set<CborValue>(Object.values(CLAIM_KEYS));

export function isClaimKey(key: CborValue): boolean {
  return KNOWN.has(key);
}
