/**
 * Keysets for tests and vectors, signed by the keys that a test names. Keys come from their names and signatures are
 * deterministic, so that the same keyset always has the same bytes.
 */
import { sign } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { armor } from '../../formats/armor.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import {
  encodeBodyProtected,
  encodeCoseSign,
  encodeSignerProtected,
  signerStructure,
  type CoseSigner,
} from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';
import { sha256Hex } from '../../files/index.ts';
import { ed25519Component } from '../../keys/private/software/private-key-objects.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../keys/public/composite.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';

/** A key pair that its name determines. */
export interface TestKey {
  readonly name: string;
  /** 32 characters of ASCII each: the bytes of the seed. */
  readonly ed25519Seed: string;
  readonly mldsa65Seed?: string;
  readonly publicKey: PublicKey;
  /** 64 or 3373 bytes, the same for the same message. */
  sign(message: Uint8Array): Uint8Array;
}

const made = new Map<string, TestKey>();

/** @param name of an Ed25519 key, or of a composite where it begins with `composite` */
export function testKey(name: string): TestKey {
  const known = made.get(name);
  if (known !== undefined) return known;
  const key = name.startsWith('composite') ? compositeTestKey(name) : ed25519TestKey(name);
  made.set(name, key);
  return key;
}

function seedOf(name: string, part: string): string {
  return sha256Hex(`${part} of the test key ${name}`).slice(0, 32);
}

function ed25519TestKey(name: string): TestKey {
  const ed25519Seed = seedOf(name, 'ed25519');
  const { privateKey, publicBytes } = ed25519Component(utf8(ed25519Seed));
  return {
    name,
    ed25519Seed,
    publicKey: importPublicKey('ed25519', publicBytes),
    sign: (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}

function compositeTestKey(name: string): TestKey {
  const ed25519Seed = seedOf(name, 'ed25519');
  const mldsa65Seed = seedOf(name, 'ml-dsa-65');
  const { privateKey, publicBytes } = ed25519Component(utf8(ed25519Seed));
  const mldsa65 = ml_dsa65.keygen(utf8(mldsa65Seed));
  return {
    name,
    ed25519Seed,
    mldsa65Seed,
    publicKey: importPublicKey('ed25519+ml-dsa-65', concatBytes(mldsa65.publicKey, publicBytes)),
    sign: (message) => {
      const both = compositeMessage(message);
      return concatBytes(
        ml_dsa65.sign(both, mldsa65.secretKey, { context: COMPOSITE_LABEL, extraEntropy: false }),
        sign(null, both, privateKey),
      );
    },
  };
}

export function coseKeyOf({ publicKey }: TestKey): CoseKey {
  return { alg: publicKey.alg, publicBytes: publicKey.bytes };
}

export function issuingKey(name: string, changes: Partial<IssuingKey> = {}): IssuingKey {
  return { ...coseKeyOf(testKey(name)), purpose: 'license', status: 'active', ...changes };
}

/** What a test says about a version; the rest is ordinary. */
export type KeysetValues = Partial<Omit<Keyset, 'roots'>> & {
  readonly version: number;
  /** Names of root keys. */
  readonly roots: readonly string[];
};

export const KEYSET_ISSUER = 'example-vendor';
/** 2026-12-01T00:00:00Z */
export const KEYSET_MADE = 1_796_083_200;

export function keysetOf({ roots, ...values }: KeysetValues): Keyset {
  return {
    iss: KEYSET_ISSUER,
    made: KEYSET_MADE,
    threshold: 1,
    keys: [],
    requireComposite: false,
    revokedLicenses: [],
    lowestCounters: new Map(),
    ...values,
    roots: roots.map((name) => coseKeyOf(testKey(name))),
  };
}

/** What an honest signer never does. */
export interface KeysetBend {
  /** In the place of the body's protected header. */
  readonly protectedBytes?: Uint8Array;
  /** Changes the signature of one signer. */
  readonly signature?: (name: string, signature: Uint8Array) => Uint8Array;
  /** What the header of a signer says in the place of its own algorithm. */
  readonly alg?: Algorithm;
}

/** The COSE_Sign of a payload. @param signers names of keys */
export function signKeyset(payload: Uint8Array, signers: readonly string[], bend: KeysetBend = {}): Uint8Array {
  const protectedBytes = bend.protectedBytes ?? encodeBodyProtected(TYP.keyset);
  const signatures = signers.map((name): CoseSigner => {
    const key = testKey(name);
    const { publicKey } = key;
    const alg = bend.alg ?? publicKey.alg;
    const signerProtected = encodeSignerProtected(alg, publicKey.kid);
    const signature = key.sign(signerStructure(protectedBytes, signerProtected, payload));
    return {
      alg,
      kid: publicKey.kid,
      protectedBytes: signerProtected,
      signature: bend.signature?.(name, signature) ?? signature,
    };
  });
  return encodeCoseSign({ protectedBytes, payload, signers: signatures });
}

/** One block of a chain: a version, signed by these keys. */
export function keysetBlock(values: KeysetValues, signers: readonly string[], bend?: KeysetBend): Uint8Array {
  return armor('VTLIC KEYSET', signKeyset(encodeKeyset(keysetOf(values)), signers, bend));
}

/** A chain: the blocks one after the other. */
export function chainOf(...blocks: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...blocks);
}
