/** The keys of generated licenses. Their names determine them: NOT FOR PRODUCTION. */
import { sign } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { ed25519Component } from '../../keys/private/software/private-key-objects.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { testKey, type TestKey } from '../examples/keysets.ts';
import { exactSignature, mixedOrderKey, type MixedOrderKey } from '../examples/mixed-order.ts';

export interface SigningKey extends TestKey {
  /** Both components of a composite over any message, with any context of ML-DSA. */
  signParts(message: Uint8Array, context: Uint8Array): Uint8Array;
  /** Of a composite; an Ed25519 key is its own. */
  readonly ed25519Component: SigningKey;
}

const made = new Map<string, SigningKey>();

/** @param name of an Ed25519 key, or of a composite where it begins with `composite` */
export function keyNamed(name: string): SigningKey {
  const key = made.get(name) ?? signingKey(name);
  made.set(name, key);
  return key;
}

export const ED25519: SigningKey = keyNamed('generated ed25519');
export const SECOND: SigningKey = keyNamed('generated second ed25519');
export const COMPOSITE: SigningKey = keyNamed('composite generated');
export const OTHER_COMPOSITE: SigningKey = keyNamed('composite generated other');
export const ROOT: SigningKey = keyNamed('generated root');
export const STRANGER: SigningKey = keyNamed('generated stranger');

/**
 * Keys with a torsion part, which a verifier takes (sections 6.4 and 12.2 of docs/format.md), and their signatures whose
 * equation is true: of the first one R has no torsion part, of the second one it has one.
 */
export const MIXED_ORDER: SigningKey = mixedOrderSigningKey('generated mixed order', 0);
export const MIXED_ORDER_AND_R: SigningKey = mixedOrderSigningKey('generated mixed order and R', 3);

/** The same key, for signatures that its `sign` does not make. */
export function mixedOrderOf({ ed25519Seed }: SigningKey): MixedOrderKey {
  return mixedOrderKey(ed25519Seed, 1);
}

function mixedOrderSigningKey(name: string, torsionOfR: number): SigningKey {
  const honest = testKey(name);
  const mixed = mixedOrderKey(honest.ed25519Seed, 1);
  const signEd25519 = remembered((message) => exactSignature(mixed, message, torsionOfR));
  return asComponent({
    ...honest,
    publicKey: importPublicKey('ed25519', mixed.publicKey),
    sign: signEd25519,
    signParts: signEd25519,
  });
}

function asComponent(key: Omit<SigningKey, 'ed25519Component'>): SigningKey {
  const ed25519: SigningKey = Object.defineProperty({ ...key } as SigningKey, 'ed25519Component', {
    get: () => ed25519,
  });
  return ed25519;
}

function signingKey(name: string): SigningKey {
  const key = testKey(name);
  const { privateKey, publicBytes } = ed25519Component(utf8(key.ed25519Seed));
  const signEd25519 = remembered((message) => Uint8Array.from(sign(null, message, privateKey)));
  const ed25519 = asComponent({
    ...key,
    publicKey: importPublicKey('ed25519', publicBytes),
    sign: signEd25519,
    signParts: signEd25519,
  });
  if (key.mldsa65Seed === undefined) return ed25519;
  const { secretKey } = ml_dsa65.keygen(utf8(key.mldsa65Seed));
  return {
    ...key,
    sign: remembered((message) => key.sign(message)),
    signParts: (message, context) =>
      concatBytes(ml_dsa65.sign(message, secretKey, { context, extraEntropy: false }), signEd25519(message)),
    ed25519Component: ed25519,
  };
}

const MAX_REMEMBERED = 5000;

/** ML-DSA signs slowly, and a search signs the same payload many times. */
function remembered(make: (message: Uint8Array) => Uint8Array): (message: Uint8Array) => Uint8Array {
  const signatures = new Map<string, Uint8Array>();
  return (message) => {
    const text = Buffer.from(message).toString('latin1');
    const known = signatures.get(text);
    if (known !== undefined) return known;
    if (signatures.size > MAX_REMEMBERED) signatures.clear();
    const signature = make(message);
    signatures.set(text, signature);
    return signature;
  };
}
