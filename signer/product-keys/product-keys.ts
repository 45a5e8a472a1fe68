/**
 * What a product team takes from a published keyset chain: the keys by which licenses are verified, and the chain.
 *
 * The keys are those of the newest version with the purpose `license` that are not revoked. A pre-published key and a
 * retired one are among them: both verify (docs/keysets.md, K6).
 */
import { encodeBase64 } from '../../formats/base64.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { encodeCbor, type CborValue } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import type { KeyStatus } from '../../formats/keyset/keyset.ts';
import { encodeJwkSet } from '../../keys/public/encodings/jwk.ts';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { chainFile, trustOfChain, type Chain } from '../../verifier/keyset/index.ts';

export interface ProductKey {
  readonly publicKey: PublicKey;
  readonly status: Exclude<KeyStatus, 'revoked'>;
  /** The products that it may sign for; absent: every one. */
  readonly products?: readonly string[];
  /** The tiers, likewise. */
  readonly tiers?: readonly string[];
}

export interface ProductKeys {
  readonly issuer: string;
  /** Version of the newest keyset. */
  readonly version: number;
  /** SHA-256 of its payload, 64 lower-case hex digits. */
  readonly payloadDigest: string;
  /** The whole chain as a file. */
  readonly chain: Uint8Array;
  readonly keys: readonly ProductKey[];
}

/** @throws VtlicError `checks_failed` for a chain without a key for licenses */
export function productKeysOf(chain: Chain): ProductKeys {
  const keys = trustOfChain(chain).keys.flatMap(({ key, purpose, status, products, tiers }): ProductKey[] =>
    purpose !== 'license' || status === 'revoked'
      ? []
      : [
          Object.freeze({
            publicKey: key,
            status,
            ...(products === undefined ? {} : { products }),
            ...(tiers === undefined ? {} : { tiers }),
          }),
        ],
  );
  const newest = chain.versions.at(-1);
  if (keys.length === 0 || newest === undefined)
    throw new VtlicError('checks_failed', `version ${chain.newest.version} has no key that verifies licenses`, {
      hint: 'add one to the next keyset: vtlic keyset draft',
    });
  return Object.freeze({
    issuer: chain.issuer,
    version: newest.version,
    payloadDigest: newest.payloadDigest,
    chain: chainFile(chain),
    keys: Object.freeze(keys),
  });
}

/** The lines of the environment that replace a product's built-in keys (docs/format.md, section 11.3). */
export function environmentLines({ issuer, version, payloadDigest, keys }: ProductKeys): Uint8Array {
  const isComposite = keys.some(({ publicKey }) => publicKey.mldsa65 !== undefined);
  const ed25519 = keys.map(({ publicKey }) => encodeBase64(publicKey.ed25519));
  const mldsa65 = keys.map(({ publicKey }) => (publicKey.mldsa65 === undefined ? '' : encodeBase64(publicKey.mldsa65)));
  const comments = [
    `keys of ${issuer} for licenses, from version ${version} of its keysets (payload ${payloadDigest})`,
    ...keys.map(({ publicKey, status }) => `${publicKey.kid} ${publicKey.alg} ${status}`),
  ];
  return utf8(
    `${comments.map((line) => `# ${line}\n`).join('')}LICENSE_PUBLIC_KEY=${ed25519.join(',')}\n` +
      (isComposite ? `LICENSE_MLDSA_PUBLIC_KEY=${mldsa65.join(',')}\n` : ''),
  );
}

/** SPKI PEM blocks, a composite as two, ML-DSA-65 first: a file of public keys (docs/format.md), which has no text. */
export function pemBlocks({ keys }: ProductKeys): Uint8Array {
  return concatBytes(...keys.map(({ publicKey }) => exportPublicKey(publicKey, 'pem')));
}

/**
 * The same with explanatory text before the blocks (RFC 7468 §2): version and thumbprints, for people. OpenSSL and the
 * libraries of most languages skip the text; a verifier of the license format refuses it in a file of public keys.
 */
export function explainedPemBlocks({ issuer, version, payloadDigest, keys }: ProductKeys): Uint8Array {
  const head = `Keys of ${issuer} for licenses, from version ${version} of its keysets`;
  return concatBytes(
    utf8(`${head}\npayload SHA-256 ${payloadDigest}\n`),
    ...keys.flatMap(({ publicKey, status }) => {
      const { kid, alg } = publicKey;
      const blocks =
        publicKey.mldsa65 === undefined ? 'one block' : 'two blocks, its ML-DSA-65 and its Ed25519 component';
      return [utf8(`\nkey ${kid}\n${alg}, ${status}: ${blocks}\n`), exportPublicKey(publicKey, 'pem')];
    }),
  );
}

/** A JWK Set (RFC 7517 §5), each key with its kid, and the issuer and version as further members of the set. */
export function jwkSet({ issuer, version, payloadDigest, keys }: ProductKeys): Uint8Array {
  return utf8(
    encodeJwkSet(
      keys.map(({ publicKey }) => publicKey),
      { iss: issuer, keyset_version: version, keyset_payload_sha256: payloadDigest },
    ),
  );
}

// Labels of COSE_Key (RFC 9052 §7.1, RFC 9964 §3).
const KTY = 1;
const KID = 2;
const ALG = 3;
const CURVE_OR_PUB = -1;
const X = -2;
const OKP = 1;
const AKP = 7;
const ED25519_CURVE = 6;
/** A label of ours: the version of the keyset. */
const VERSION = 'keyset_version';

/**
 * A COSE_KeySet (RFC 9052 §7): an array of COSE_Keys, each with its kid of 32 bytes. The array has no place for the
 * version, so that each key has it, under a text label.
 */
export function coseKeySet({ version, keys }: ProductKeys): Uint8Array {
  return encodeCbor(
    keys.map(({ publicKey }): CborValue => {
      const kid = fromHex(publicKey.kid) ?? new Uint8Array();
      return new Map<CborValue, CborValue>(
        publicKey.alg === 'ed25519'
          ? [
              [KTY, OKP],
              [KID, kid],
              [CURVE_OR_PUB, ED25519_CURVE],
              [X, publicKey.bytes],
              [VERSION, version],
            ]
          : [
              [KTY, AKP],
              [KID, kid],
              [ALG, publicKey.alg],
              [CURVE_OR_PUB, publicKey.bytes],
              [VERSION, version],
            ],
      );
    }),
  );
}
