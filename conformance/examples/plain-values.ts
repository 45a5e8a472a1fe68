/**
 * What a verifier is given besides a file, as plain data: the shapes that the examples, the cases, the protocol and the
 * model share.
 */
import type { KeyStatus } from '../../formats/keyset/keyset.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import type { VerifyContext } from '../../verifier/context.ts';
import { makeTrust, type Trust } from '../../verifier/trust.ts';

/** What a trust says of a key. A verifier refuses texts that are no purpose or no status. */
export interface KeyEntry {
  readonly purpose: string;
  readonly status: string;
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly honored?: readonly string[];
}

/** Section 8.1 of docs/format.md. */
export interface PlainTrust<Key extends KeyEntry> {
  readonly keys: readonly Key[];
  readonly requireComposite?: boolean;
  readonly ed25519Until?: number;
  readonly revokedLicenses?: readonly string[];
  /** Lineage as `iss/aud/sub` or `iss/aud/sub/dep` → lowest counter. */
  readonly lowestCounters?: Readonly<Record<string, number>>;
}

/** A context without what the state and the clock of an installation give. */
export interface PlainInstallation {
  readonly issuer: string;
  readonly product: string;
  readonly deployment?: string;
  readonly hosts?: readonly string[];
  /** The date of the build. */
  readonly buildDate?: number;
  readonly defaultGrace: number;
}

export interface PlainAccepted {
  readonly counter: number;
  readonly payloadDigest: string;
}

/** Section 9 of docs/format.md. Times are seconds since 1970. @typeParam Lineages lineage → what was accepted in it */
export interface PlainContext<Lineages = Readonly<Record<string, PlainAccepted>>> extends PlainInstallation {
  /** The effective time. */
  readonly now: number;
  /** The plain clock. */
  readonly clock?: number;
  readonly seen?: {
    readonly current: string;
    readonly highestIat: number;
    readonly lineages: Lineages;
  };
}

export function contextFrom({ seen, ...rest }: PlainContext): VerifyContext {
  return seen === undefined ? rest : { ...rest, seen: { ...seen, lineages: new Map(Object.entries(seen.lineages)) } };
}

/** @throws VtlicError as `makeTrust`, and what `publicKeyOf` throws */
export function trustFrom<Key extends KeyEntry>(
  { keys, lowestCounters, ...policy }: PlainTrust<Key>,
  publicKeyOf: (key: Key) => PublicKey,
): Trust {
  return makeTrust({
    ...policy,
    keys: keys.map((entry) => {
      const { purpose, status, products, tiers, honored } = entry;
      return {
        key: publicKeyOf(entry),
        // What is no purpose and no status is for makeTrust to refuse.
        purpose: purpose as KeyPurpose,
        status: status as KeyStatus,
        ...(products === undefined ? {} : { products }),
        ...(tiers === undefined ? {} : { tiers }),
        ...(honored === undefined ? {} : { honored }),
      };
    }),
    lowestCounters: Object.entries(lowestCounters ?? {}),
  });
}
