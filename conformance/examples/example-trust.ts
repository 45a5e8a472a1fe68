/** A trust value as plain data, which any verifier can read. */
import { fromHex } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import type { Trust } from '../../verifier/trust.ts';
import { compositeKey, ed25519Key, otherKey, sharedComponentKey } from './example-keys.ts';
import { trustFrom, type KeyEntry, type PlainTrust } from './plain-values.ts';

/** The public keys that the examples name. `shared-half` has the Ed25519 example key as its Ed25519 component. */
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

export interface ExampleTrustedKey extends KeyEntry {
  readonly key: KeyName | GivenKey;
  /** What the trust says the kid is, where that is wrong. */
  readonly kid?: string;
}

export type ExampleTrust = PlainTrust<ExampleTrustedKey>;

export const active = (key: KeyName | GivenKey): ExampleTrustedKey => ({ key, purpose: 'license', status: 'active' });

/** @throws VtlicError as `importPublicKey` and `makeTrust` */
export function trustOf(trust: ExampleTrust): Trust {
  return trustFrom(trust, ({ key }) => publicKeyOf(key));
}

function publicKeyOf(key: KeyName | GivenKey): PublicKey {
  return typeof key === 'string'
    ? NAMED_KEYS[key]
    : importPublicKey(key.alg, fromHex(key.publicKey) ?? new Uint8Array());
}
