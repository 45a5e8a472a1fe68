/** A trust value as plain data, which any verifier can read. */
import { fromHex } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { KeyStatus } from '../../formats/keyset/keyset.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { makeTrust, type Trust } from '../../verifier/trust.ts';
import { compositeKey, ed25519Key, otherKey, sharedComponentKey } from './example-keys.ts';

/** The public keys that the examples name. `shared-half` holds the Ed25519 example key as its Ed25519 component. */
export type KeyName = 'ed25519' | 'composite' | 'shared-half' | 'other';

export const NAMED_KEYS: Readonly<Record<KeyName, PublicKey>> = Object.freeze({
  ed25519: ed25519Key.publicKey,
  composite: compositeKey.publicKey,
  'shared-half': sharedComponentKey,
  other: otherKey,
});

/** A key that has no name, since it may be none: hex. */
interface GivenKey {
  readonly alg: Algorithm;
  readonly publicKey: string;
}

export interface ExampleTrustedKey {
  readonly key: KeyName | GivenKey;
  /** A purpose, or a text that is none. */
  readonly purpose: string;
  /** A status, or a text that is none. */
  readonly status: string;
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly honored?: readonly string[];
}

export interface ExampleTrust {
  readonly keys: readonly ExampleTrustedKey[];
  readonly requireComposite?: boolean;
  readonly ed25519Until?: number;
  readonly revokedLicenses?: readonly string[];
  /** Lineage as `iss/aud/sub` or `iss/aud/sub/dep` → lowest counter. */
  readonly lowestCounters?: Readonly<Record<string, number>>;
}

export const active = (key: KeyName | GivenKey): ExampleTrustedKey => ({ key, purpose: 'license', status: 'active' });

/** @throws VtlicError as `importPublicKey` and `makeTrust` */
export function trustOf({ keys, lowestCounters, ...rest }: ExampleTrust): Trust {
  return makeTrust({
    ...rest,
    // What is no purpose and no status is for makeTrust to refuse.
    keys: keys.map(({ key, purpose, status, ...scope }) => ({
      ...scope,
      key: publicKeyOf(key),
      purpose: purpose as KeyPurpose,
      status: status as KeyStatus,
    })),
    lowestCounters: Object.entries(lowestCounters ?? {}),
  });
}

function publicKeyOf(key: KeyName | GivenKey): PublicKey {
  return typeof key === 'string'
    ? NAMED_KEYS[key]
    : importPublicKey(key.alg, fromHex(key.publicKey) ?? new Uint8Array());
}
