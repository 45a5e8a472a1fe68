/** Licenses signed by real keys, whole or bent, for the tests of the verifier. */
import { armor } from '../../../formats/armor.ts';
import { concatBytes } from '../../../formats/bytes.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP, type Typ } from '../../../formats/cose-sign1.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import type { License } from '../../../formats/license/license.ts';
import { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import type { VerifyContext } from '../../../verifier/context.ts';
import { makeTrust, type Trust, type TrustedKey, type TrustValues } from '../../../verifier/trust.ts';

export const NBF = 1_798_761_600; // 2027-01-01
export const EXP = 1_830_297_600; // 2028-01-01
export const IAT = 1_796_083_200; // 2026-12-01
export const GRACE = 2_592_000;
export const HOST: string = 'ab'.repeat(32);
export const OTHER_HOST: string = 'cd'.repeat(32);

const seeds = (fill: number, length: number): Uint8Array => new Uint8Array(length).fill(fill);

/** Made once: the same in every test. */
export const compositeKey: SoftwareKey = new SoftwareKey(
  'ed25519+ml-dsa-65',
  'license',
  concatBytes(seeds(1, 32), seeds(2, 32)),
);
export const ed25519Key: SoftwareKey = new SoftwareKey('ed25519', 'license', seeds(3, 32));
/** The Ed25519 component of `compositeKey`, misused as a key of its own. */
export const componentKey: SoftwareKey = new SoftwareKey('ed25519', 'license', seeds(2, 32));
export const strangeKey: SoftwareKey = new SoftwareKey('ed25519', 'license', seeds(4, 32));

const noLimits = Object.freeze(Object.create(null) as Record<string, number>);

export const license: License = Object.freeze({
  iss: 'example-vendor',
  sub: 'acme-gmbh',
  aud: 'vaultdesk',
  exp: EXP,
  nbf: NBF,
  iat: IAT,
  cti: '0193817a-6c00-7000-8000-000000000001',
  ctr: 7,
  tier: 'enterprise',
  seats: 250,
  features: Object.freeze(['audit-export', 'sso']),
  limits: noLimits,
});

export const context: VerifyContext = Object.freeze({
  issuer: 'example-vendor',
  product: 'vaultdesk',
  now: NBF,
  defaultGrace: GRACE,
});

export function trusted(key: SoftwareKey, changes: Partial<TrustedKey> = {}): TrustedKey {
  return { key: key.publicKey, purpose: 'license', status: 'active', ...changes };
}

export function trust(changes: Partial<TrustValues> = {}): Trust {
  return makeTrust({ keys: [trusted(compositeKey), trusted(ed25519Key)], ...changes });
}

export interface Bend {
  /** What the header says, where it is not what the key is. */
  readonly alg?: Algorithm;
  readonly kid?: string;
  readonly typ?: Typ;
  readonly protectedBytes?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
}

/** The file of any payload bytes, signed, as armored text. */
export async function fileOf(payload: Uint8Array, key: SoftwareKey = ed25519Key, bend: Bend = {}): Promise<Uint8Array> {
  return armor('VTLIC', await coseOf(payload, key, bend));
}

export async function coseOf(payload: Uint8Array, key: SoftwareKey = ed25519Key, bend: Bend = {}): Promise<Uint8Array> {
  const protectedBytes =
    bend.protectedBytes ??
    encodeProtected(bend.alg ?? key.publicKey.alg, bend.kid ?? key.publicKey.kid, bend.typ ?? TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, payload));
  return encodeCoseSign1(protectedBytes, payload, bend.signature?.(signature) ?? signature);
}

export function licenseFile(
  changes: Partial<License> = {},
  key: SoftwareKey = ed25519Key,
  bend: Bend = {},
): Promise<Uint8Array> {
  return fileOf(encodeLicense({ ...license, ...changes }), key, bend);
}

/** A payload that `encodeLicense` would not write. */
export function rawPayload(entries: readonly (readonly [CborValue, CborValue])[]): Uint8Array {
  return encodeCbor(new Map(entries));
}

/** The file of the license, signed by any key that signs at once. */
export function licenseFileOf(
  key: { readonly publicKey: PublicKey; sign(message: Uint8Array): Uint8Array },
  changes: Partial<License> = {},
): Uint8Array {
  const payload = encodeLicense({ ...license, ...changes });
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.license);
  return armor('VTLIC', encodeCoseSign1(protectedBytes, payload, key.sign(sigStructure(protectedBytes, payload))));
}
