/** The two worked examples of docs/format.md, with every value between the claims and the file. */
import { sha512 } from '@noble/hashes/sha2.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { armoredText } from './armored-text.ts';
import { compareBytes, concatBytes, fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { encodeCoseKey } from '../../formats/cose-key.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import { ExtBytes, type License } from '../../formats/license/license.ts';
import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from '../../keys/public/composite.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import { compositeKey, ed25519Key, type ExampleKey } from './example-keys.ts';
import { littleEndian, scalarBytes, GROUP_ORDER } from './ed25519-scalar.ts';

export interface ExampleLicense {
  readonly key: ExampleKey;
  readonly license: License;
  readonly coseKey: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** SHA-256 of the payload. */
  readonly payloadDigest: Uint8Array;
  readonly sigStructure: Uint8Array;
  readonly signature: Uint8Array;
  readonly ed25519: Ed25519Parts;
  readonly composite?: CompositeParts;
  readonly cose: Uint8Array;
  readonly file: string;
}

/** What the Ed25519 check computes: over the Sig_structure, or over M'. */
interface Ed25519Parts {
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  /** SHA-512(R || A || M) modulo L, little-endian. */
  readonly k: Uint8Array;
}

interface CompositeParts {
  readonly sigStructureSha512: Uint8Array;
  /** M'. */
  readonly message: Uint8Array;
  /** SHAKE256 of the ML-DSA public key, 64 bytes (FIPS 204). */
  readonly tr: Uint8Array;
  /** SHAKE256(tr || 00 || 1e || label || M'), 64 bytes: for libraries that take only mu. */
  readonly mu: Uint8Array;
  readonly mldsa65Signature: Uint8Array;
  readonly ed25519Signature: Uint8Array;
}

const random = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();
const limitsOf = (limits: Record<string, number>): Readonly<Record<string, number>> =>
  Object.freeze(Object.assign(Object.create(null) as Record<string, number>, limits));

/** 2026-12-01T09:00:00Z and a year later. */
const FIRST_IAT = 1_796_115_600;
const SECOND_IAT = 1_827_651_600;

const fingerprint = (host: string): Uint8Array => nodeProvider.sha256(utf8(host));
const fingerprints = [fingerprint('vtlic example host 1'), fingerprint('vtlic example host 2')]
  .sort(compareBytes)
  .map(toHex);

const first: License = Object.freeze<License>({
  iss: 'example-vendor',
  sub: 'acme-gmbh',
  aud: 'vaultdesk',
  exp: 1_830_297_600,
  nbf: 1_798_761_600,
  iat: FIRST_IAT,
  cti: makeUuidV7(FIRST_IAT * 1000, random('00112233445566778899')),
  ctr: 1,
  tier: 'enterprise',
  seats: 250,
  features: ['audit-export', 'sso'],
  limits: limitsOf({ vaults: 50 }),
  grace: 2_592_000,
  dep: 'prod-eu',
  name: 'Acme GmbH',
  ref: 'PO-4711',
});

const second: License = Object.freeze<License>({
  iss: 'example-vendor',
  sub: 'acme-gmbh',
  aud: 'vaultdesk',
  exp: 1_861_920_000,
  nbf: 1_830_297_600,
  iat: SECOND_IAT,
  cti: makeUuidV7(SECOND_IAT * 1000, random('99887766554433221100')),
  ctr: 2,
  tier: 'enterprise',
  seats: 'unlimited',
  features: ['audit-export', 'legal-hold', 'sso'],
  limits: limitsOf({ 'api-calls': 1_000_000_000_000, vaults: 200 }),
  instances: 3,
  hosts: fingerprints,
  grace: 2_592_000,
  offline: 604_800,
  dep: 'prod-eu',
  name: 'Acme Zürich GmbH',
  ref: 'PO-5203',
  ext: Object.freeze({
    reseller: 'Überseehandel',
    support: Object.freeze({ level: 2, weekend: true }),
    'x.tag': new ExtBytes('c0ffee'),
  }),
});

export function sealed(
  key: ExampleKey,
  payload: Uint8Array,
): Pick<ExampleLicense, 'protectedBytes' | 'sigStructure' | 'signature' | 'cose' | 'file'> {
  const protectedBytes = encodeProtected(key.alg, key.publicKey.kid, TYP.license);
  const toBeSigned = sigStructure(protectedBytes, payload);
  const signature = key.sign(toBeSigned);
  const cose = encodeCoseSign1(protectedBytes, payload, signature);
  return { protectedBytes, sigStructure: toBeSigned, signature, cose, file: armoredText('VTLIC', cose) };
}

function exampleOf(key: ExampleKey, license: License): ExampleLicense {
  const payload = encodeLicense(license);
  const parts = sealed(key, payload);
  const composite = key.alg === 'ed25519' ? undefined : compositeParts(key, parts.sigStructure, parts.signature);
  return Object.freeze<ExampleLicense>({
    key,
    license,
    coseKey: encodeCoseKey(key.alg, key.publicKey.bytes),
    payload,
    payloadDigest: nodeProvider.sha256(payload),
    ...parts,
    ed25519: ed25519Parts(
      key,
      composite?.message ?? parts.sigStructure,
      composite?.ed25519Signature ?? parts.signature,
    ),
    ...(composite === undefined ? {} : { composite }),
  });
}

function ed25519Parts({ publicKey }: ExampleKey, message: Uint8Array, signature: Uint8Array): Ed25519Parts {
  const r = signature.slice(0, 32);
  const k = littleEndian(sha512(concatBytes(r, publicKey.ed25519, message))) % GROUP_ORDER;
  return { r, s: signature.slice(32), k: scalarBytes(k) };
}

function compositeParts({ publicKey }: ExampleKey, toBeSigned: Uint8Array, signature: Uint8Array): CompositeParts {
  const message = compositeMessage(toBeSigned);
  const tr = shake256(publicKey.mldsa65 ?? new Uint8Array(), { dkLen: 64 });
  const components = splitCompositeSignature(signature);
  return {
    sigStructureSha512: sha512(toBeSigned),
    message,
    tr,
    mu: shake256(concatBytes(tr, Uint8Array.of(0, COMPOSITE_LABEL.length), COMPOSITE_LABEL, message), { dkLen: 64 }),
    mldsa65Signature: components.mldsa65,
    ed25519Signature: components.ed25519,
  };
}

export const ed25519License: ExampleLicense = exampleOf(ed25519Key, first);
export const compositeLicense: ExampleLicense = exampleOf(compositeKey, second);
