/**
 * The two keys of the worked examples in docs/format.md. NOT FOR PRODUCTION: their seeds are published.
 *
 * ML-DSA signs deterministically here, so that every byte of the examples can be made again.
 */
import { sign } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { ed25519Component } from '../../keys/private/software/private-key-objects.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../keys/public/composite.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';

export type KeyName = 'ed25519' | 'composite';

export interface ExampleKey {
  readonly name: KeyName;
  readonly alg: Algorithm;
  /** 32 characters of ASCII each: the bytes of the seed. */
  readonly ed25519Seed: string;
  readonly mldsa65Seed?: string;
  readonly publicKey: PublicKey;
  /** 64 or 3373 bytes, the same for the same message. */
  sign(message: Uint8Array): Uint8Array;
}

const ED25519_SEED = 'vtlic format example key ed25519';
const COMPOSITE_MLDSA65_SEED = 'vtlic format example ml-dsa seed';
export const COMPOSITE_ED25519_SEED = 'vtlic format example edhalf seed';

function ed25519Signature(seed: string, message: Uint8Array): Uint8Array {
  return Uint8Array.from(sign(null, message, ed25519Component(utf8(seed)).privateKey));
}

export const ed25519Key: ExampleKey = Object.freeze<ExampleKey>({
  name: 'ed25519',
  alg: 'ed25519',
  ed25519Seed: ED25519_SEED,
  publicKey: importPublicKey('ed25519', ed25519Component(utf8(ED25519_SEED)).publicBytes, { forSite: true }),
  sign: (message) => ed25519Signature(ED25519_SEED, message),
});

const mldsa65 = ml_dsa65.keygen(utf8(COMPOSITE_MLDSA65_SEED));

export const compositeKey: ExampleKey = Object.freeze<ExampleKey>({
  name: 'composite',
  alg: 'ed25519+ml-dsa-65',
  ed25519Seed: COMPOSITE_ED25519_SEED,
  mldsa65Seed: COMPOSITE_MLDSA65_SEED,
  publicKey: importPublicKey(
    'ed25519+ml-dsa-65',
    concatBytes(mldsa65.publicKey, ed25519Component(utf8(COMPOSITE_ED25519_SEED)).publicBytes),
    { forSite: true },
  ),
  sign: (message) => {
    const both = compositeMessage(message);
    return concatBytes(
      ml_dsa65.sign(both, mldsa65.secretKey, { context: COMPOSITE_LABEL, extraEntropy: false }),
      ed25519Signature(COMPOSITE_ED25519_SEED, both),
    );
  },
});

/** A composite that misuses the Ed25519 example key as its component. No honest signer makes one. */
export const sharedComponentKey: PublicKey = importPublicKey(
  'ed25519+ml-dsa-65',
  concatBytes(mldsa65.publicKey, ed25519Key.publicKey.bytes),
);

/** One more Ed25519 key, for examples that need one. */
export const otherKey: PublicKey = importPublicKey(
  'ed25519',
  ed25519Component(utf8('vtlic format example key another')).publicBytes,
  { forSite: true },
);
