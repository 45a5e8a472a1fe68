/**
 * COSE_Key (RFC 9052 §7): the public form, which is also the input of the thumbprint (RFC 9679), and the private form
 * inside a key file.
 *
 * Every form has fixed bytes around the key, so reading is a comparison with them: one spelling a key, and no second
 * copy of a private key is left behind by a parser.
 *
 * | | fixed bytes |
 * |---|---|
 * | Ed25519 public | `a3 01 01 20 06 21 58 20` x |
 * | Ed25519 private | `a4 01 01 20 06 21 58 20` x `23 58 20` d |
 * | composite public | `a3 01 07 03 71` "ed25519+ml-dsa-65" `20 59 07 c0` pub |
 * | composite private | `a4 01 07 03 71` "ed25519+ml-dsa-65" `20 59 07 c0` pub `21 58 40` priv |
 */
import { concatBytes, copyBytes, utf8 } from './bytes.ts';
import { ALGORITHMS, type Algorithm } from './cose-algorithm.ts';
import { VtlicError } from './error.ts';
import { explainCoseKey } from './explain-cose-key.ts';

export interface CoseKey {
  readonly alg: Algorithm;
  /** 32 bytes, or 1984 (ML-DSA, then Ed25519). */
  readonly publicBytes: Uint8Array;
}

export interface PrivateCoseKey extends CoseKey {
  /** 32 bytes, or 64 (ML-DSA seed, then Ed25519 seed). Whoever reads it wipes it. */
  readonly privateBytes: Uint8Array;
}

interface Frame {
  /** The bytes between the map's head and the public key. */
  readonly beforePublic: Uint8Array;
  readonly beforePrivate: Uint8Array;
}

const FRAMES: Readonly<Record<Algorithm, Frame>> = {
  // 1 (kty): 1 (OKP), -1 (crv): 6 (Ed25519), -2 (x), -4 (d)
  ed25519: {
    beforePublic: Uint8Array.of(0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20),
    beforePrivate: Uint8Array.of(0x23, 0x58, 0x20),
  },
  // 1 (kty): 7 (AKP), 3 (alg), -1 (pub), -2 (priv)
  'ed25519+ml-dsa-65': {
    beforePublic: concatBytes(
      Uint8Array.of(0x01, 0x07, 0x03, 0x71),
      utf8('ed25519+ml-dsa-65'),
      Uint8Array.of(0x20, 0x59, 0x07, 0xc0),
    ),
    beforePrivate: Uint8Array.of(0x21, 0x58, 0x40),
  },
};

const ALGORITHM_NAMES: readonly Algorithm[] = ['ed25519', 'ed25519+ml-dsa-65'];

const PUBLIC_HEAD = 0xa3;
const PRIVATE_HEAD = 0xa4;

/**
 * The public form: 40 bytes for Ed25519, 2010 for the composite. Its SHA-256 is the kid (RFC 9679).
 *
 * @throws VtlicError `key_invalid` for a key of another length
 */
export function encodeCoseKey(alg: Algorithm, publicBytes: Uint8Array): Uint8Array {
  requireLength('public', alg, publicBytes, ALGORITHMS[alg].publicKeyBytes);
  return concatBytes(Uint8Array.of(PUBLIC_HEAD), FRAMES[alg].beforePublic, publicBytes);
}

/**
 * Reads the public form, and only it. Whether the bytes are a point of the curve is for the import of a key to say.
 *
 * @throws VtlicError `key_invalid`
 */
export function decodeCoseKey(bytes: Uint8Array): CoseKey {
  for (const alg of ALGORITHM_NAMES) {
    const { beforePublic } = FRAMES[alg];
    const { publicKeyBytes } = ALGORITHMS[alg];
    if (
      bytes.length !== 1 + beforePublic.length + publicKeyBytes ||
      bytes[0] !== PUBLIC_HEAD ||
      !hasBytesAt(bytes, 1, beforePublic)
    )
      continue;
    return Object.freeze({ alg, publicBytes: copyBytes(bytes, 1 + beforePublic.length) });
  }
  throw explainCoseKey(bytes);
}

/**
 * The private form: 75 bytes for Ed25519, 2077 for the composite. The result is a secret: whoever asked wipes it.
 *
 * @throws VtlicError `key_invalid` for a key of another length
 */
export function encodePrivateCoseKey(alg: Algorithm, publicBytes: Uint8Array, privateBytes: Uint8Array): Uint8Array {
  requireLength('public', alg, publicBytes, ALGORITHMS[alg].publicKeyBytes);
  requireLength('private', alg, privateBytes, ALGORITHMS[alg].privateKeyBytes);
  return concatBytes(
    Uint8Array.of(PRIVATE_HEAD),
    FRAMES[alg].beforePublic,
    publicBytes,
    FRAMES[alg].beforePrivate,
    privateBytes,
  );
}

/**
 * Reads the private form, and only it. That the components belong together is for the opener of the key to prove.
 *
 * @throws VtlicError `key_invalid`, which never says a byte of the key
 */
export function decodePrivateCoseKey(bytes: Uint8Array): PrivateCoseKey {
  for (const alg of ALGORITHM_NAMES) {
    const { beforePublic, beforePrivate } = FRAMES[alg];
    const { publicKeyBytes, privateKeyBytes } = ALGORITHMS[alg];
    const publicFrom = 1 + beforePublic.length;
    const publicTo = publicFrom + publicKeyBytes;
    const privateFrom = publicTo + beforePrivate.length;
    if (bytes.length !== privateFrom + privateKeyBytes || bytes[0] !== PRIVATE_HEAD) continue;
    if (!hasBytesAt(bytes, 1, beforePublic) || !hasBytesAt(bytes, publicTo, beforePrivate)) continue;
    return Object.freeze({
      alg,
      publicBytes: copyBytes(bytes, publicFrom, publicTo),
      privateBytes: copyBytes(bytes, privateFrom),
    });
  }
  throw new VtlicError(
    'key_invalid',
    'this is not a COSE_Key of an Ed25519 or composite private key with its public key, deterministically encoded',
  );
}

function hasBytesAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

function requireLength(part: 'public' | 'private', alg: Algorithm, bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  throw new VtlicError('key_invalid', `a ${part} key for ${alg} has ${expected} bytes, not ${bytes.length}`);
}
