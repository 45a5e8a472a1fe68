/**
 * What differs between token families, one row each.
 *
 * A row that is neither tested nor tried by hand was put together from manuals, headers and source, and never run
 * against the device or module: it needs `--untested-token`. Numbers that could not be confirmed are left out, and so
 * is every feature that needs them.
 */
import * as ck from './constants.ts';
import type { ModuleDescription, TokenDescription } from './token-description.ts';

/** The two spellings of CKA_EC_PARAMS: PrintableString "edwards25519", or the OID of RFC 8410. */
export type CurveName = 'printable' | 'oid';

export interface Ed25519Profile {
  readonly keyType: number;
  readonly keyPairGen: number;
  /** Always called without a parameter: a parameter means Ed25519ctx to some tokens, which is another signature. */
  readonly sign: number;
  /** Tried in this order at key generation. */
  readonly curveNames: readonly CurveName[];
  /**
   * The form of CKA_EC_POINT. It is only for readers of this table: the code understands all forms from every token.
   */
  readonly point: 'raw' | 'der' | 'unknown';
}

export interface MlDsa65Profile {
  readonly keyType: number;
  readonly keyPairGen: number;
  /** The mechanism of `context: 'parameter'`, or the one that takes a 64-byte mu. */
  readonly sign: number;
  readonly parameterSetAttribute: number;
  readonly parameterSet: number;
  /** Which templates of key generation name the parameter set. */
  readonly parameterSetIn: 'public' | 'both';
  /**
   * How the composite's label becomes the ML-DSA context: as CK_SIGN_ADDITIONAL_CONTEXT, or hashed into a mu that is
   * computed here (FIPS 204, algorithm 7, line 6). A token that can do neither has no composite keys.
   */
  readonly context: 'parameter' | 'external-mu';
}

export interface TokenProfile {
  readonly id:
    | 'softhsm-2.6'
    | 'softhsm-2.7'
    | 'kryoptic'
    | 'opencryptoki'
    | 'yubihsm2'
    | 'nethsm'
    | 'luna7'
    | 'cloudhsm'
    | 'standard';
  readonly name: string;
  /** The tests of this repository run it. */
  readonly tested: boolean;
  /** Of a row that no test runs: the day on which a person tried it on the real module. */
  readonly triedByHand?: string;
  /** Absent: the numbers of the token's Ed25519 could not be confirmed. */
  readonly ed25519?: Ed25519Profile;
  /** Absent: the token has no ML-DSA-65, or its numbers could not be confirmed. */
  readonly mldsa65?: MlDsa65Profile;
  /** AES-256-GCM with a key that never leaves the token, for a wrapped ML-DSA seed; by whose random IV. */
  readonly wrapping: 'iv-by-host' | 'none';
  /**
   * Whether data objects can be had for anchors and claims: changed in place, made anew and destroyed, or not at all.
   */
  readonly dataObjects: 'modifiable' | 'create-destroy' | 'none';
  /**
   * Whether a search finds what another process has made: `current`, always, as a test shows; `after-foreign-change`,
   * only if another process has changed the token since this one did; or nobody has tried.
   */
  readonly searches: 'current' | 'after-foreign-change' | 'untried';
  readonly maxIdBytes: number;
  readonly maxLabelBytes: number;
  /** Who makes keys: the user that this toolkit logs in as, or another role, with the maker's own tool. */
  readonly generation: 'user' | 'other-role';
  /** Whether a login is valid in all sessions of this process, as PKCS#11 says, or in the one session that made it. */
  readonly login: 'per-token' | 'per-session';
  /** True if the token sets CKA_DERIVE on every private key, so that the attribute says nothing about a key. */
  readonly showsDerive: boolean;
  /** Environment variables by which the module finds its configuration: passed to the token host, and no others. */
  readonly environment: readonly string[];
  readonly notes: string;
}

const STANDARD_ED25519: Ed25519Profile = Object.freeze({
  keyType: ck.CKK_EC_EDWARDS,
  keyPairGen: ck.CKM_EC_EDWARDS_KEY_PAIR_GEN,
  sign: ck.CKM_EDDSA,
  curveNames: Object.freeze(['printable', 'oid'] as const),
  point: 'unknown',
});

const STANDARD_ML_DSA_65: MlDsa65Profile = Object.freeze({
  keyType: ck.CKK_ML_DSA,
  keyPairGen: ck.CKM_ML_DSA_KEY_PAIR_GEN,
  sign: ck.CKM_ML_DSA,
  parameterSetAttribute: ck.CKA_PARAMETER_SET,
  parameterSet: ck.CKP_ML_DSA_65,
  parameterSetIn: 'public',
  context: 'parameter',
});

const LONG = 255;

/** Values that most tokens share. */
const ORDINARY = Object.freeze({
  maxIdBytes: LONG,
  maxLabelBytes: LONG,
  generation: 'user',
  login: 'per-token',
  searches: 'untried',
  showsDerive: false,
  environment: [],
} satisfies Partial<TokenProfile>);

/** Tried in this order; the last row fits every token. */
export const PROFILES: readonly TokenProfile[] = Object.freeze([
  row({
    ...ORDINARY,
    id: 'softhsm-2.6',
    name: 'SoftHSM 2.6',
    tested: true,
    ed25519: { ...STANDARD_ED25519, point: 'der' },
    wrapping: 'iv-by-host',
    dataObjects: 'create-destroy',
    searches: 'after-foreign-change',
    environment: ['SOFTHSM2_CONF'],
    notes: 'Never locks a PIN. No ML-DSA; its later, unreleased versions have it and are not this row.',
  }),
  row({
    ...ORDINARY,
    id: 'softhsm-2.7',
    name: 'SoftHSM 2.7',
    tested: false,
    triedByHand: '2026-11-29',
    ed25519: { ...STANDARD_ED25519, point: 'der' },
    mldsa65: STANDARD_ML_DSA_65,
    wrapping: 'iv-by-host',
    dataObjects: 'create-destroy',
    searches: 'after-foreign-change',
    environment: ['SOFTHSM2_CONF'],
    notes: 'Tried as its main branch of 2026, built with OpenSSL 3.5: only such a build has ML-DSA.',
  }),
  row({
    ...ORDINARY,
    id: 'kryoptic',
    name: 'kryoptic 1.5',
    tested: true,
    ed25519: { ...STANDARD_ED25519, point: 'raw' },
    mldsa65: STANDARD_ML_DSA_65,
    wrapping: 'iv-by-host',
    dataObjects: 'modifiable',
    searches: 'current',
    environment: ['KRYOPTIC_CONF', 'KRYOPTIC_EC_POINT_ENCODING'],
    notes: 'Locks the user PIN after 10 wrong tries. CKA_EC_POINT is DER where its configuration says so.',
  }),
  row({
    ...ORDINARY,
    id: 'opencryptoki',
    name: 'openCryptoki 3.27',
    tested: false,
    triedByHand: '2026-11-29',
    ed25519: { ...STANDARD_ED25519, curveNames: ['oid', 'printable'] },
    mldsa65: STANDARD_ML_DSA_65,
    wrapping: 'iv-by-host',
    dataObjects: 'create-destroy',
    notes: "Before 3.27 ML-DSA has numbers of IBM's own, which are not in this table.",
  }),
  row({
    ...ORDINARY,
    id: 'yubihsm2',
    name: 'YubiHSM 2',
    tested: false,
    ed25519: { ...STANDARD_ED25519, curveNames: ['printable'], point: 'der' },
    wrapping: 'none',
    dataObjects: 'create-destroy',
    maxIdBytes: 2,
    maxLabelBytes: 40,
    environment: ['YUBIHSM_PKCS11_CONF'],
    // yubihsm-shell, pkcs11/util_pkcs11.c: an id is two bytes at most, and 0000 lets the device choose one.
    notes: 'No ML-DSA and no AES-GCM: Ed25519 keys, or the Ed25519 component of split custody.',
  }),
  row({
    ...ORDINARY,
    id: 'nethsm',
    name: 'Nitrokey NetHSM',
    tested: false,
    ed25519: { ...STANDARD_ED25519, curveNames: ['oid'], point: 'der' },
    wrapping: 'none',
    dataObjects: 'none',
    generation: 'other-role',
    login: 'per-session',
    showsDerive: true,
    environment: ['P11NETHSM_CONFIG_FILE'],
    // nethsm-pkcs11, pkcs11/src/backend: login.rs, session.rs, key.rs and db/attr.rs.
    notes:
      'Reached over a network. No ML-DSA, no AES-GCM, no data objects: claims and the anchor go into files. Its ' +
      'administrator makes the keys, and this toolkit logs in as the operator.',
  }),
  row({
    ...ORDINARY,
    id: 'luna7',
    name: 'Thales Luna 7',
    tested: false,
    ed25519: { ...STANDARD_ED25519, keyType: 0x80000012, keyPairGen: 0x80000c01, sign: 0x80000c03 },
    wrapping: 'iv-by-host',
    dataObjects: 'create-destroy',
    environment: ['ChrystokiConfigurationPath'],
    notes: 'Ed25519 by the numbers of Thales. ML-DSA from firmware 7.9 on; its numbers could not be confirmed.',
  }),
  row({
    ...ORDINARY,
    id: 'cloudhsm',
    name: 'AWS CloudHSM (SDK 5)',
    tested: false,
    wrapping: 'none',
    dataObjects: 'none',
    maxLabelBytes: 127,
    environment: ['CLOUDHSM_PKCS11_CONFIG'],
    notes:
      'Reached over a network. Ed25519 and ML-DSA (by mu) have numbers of Amazon that could not be confirmed. ' +
      'AES-GCM uses an IV of the token, which is not built.',
  }),
  row({
    ...ORDINARY,
    id: 'standard',
    name: 'another token, by PKCS#11 3.2',
    tested: false,
    ed25519: STANDARD_ED25519,
    mldsa65: STANDARD_ML_DSA_65,
    wrapping: 'iv-by-host',
    dataObjects: 'create-destroy',
    notes: 'Every other token. This toolkit expects of it what the standard says.',
  }),
]);

function row(profile: TokenProfile): TokenProfile {
  return Object.freeze({ ...profile, environment: Object.freeze([...profile.environment]) });
}

type Recognizer = (module: ModuleDescription, token: TokenDescription) => boolean;

const RECOGNIZERS: Readonly<Record<TokenProfile['id'], Recognizer>> = {
  'softhsm-2.6': (module, token) =>
    token.model === 'SoftHSM v2' && module.libraryVersion === '2.6' && module.cryptokiVersion === '2.40',
  'softhsm-2.7': (module, token) => token.model === 'SoftHSM v2' && module.libraryVersion === '2.7',
  kryoptic: (module) => /kryoptic/i.test(`${module.manufacturer} ${module.description}`),
  opencryptoki: (module, token) => /opencryptoki/i.test(`${module.description} ${module.manufacturer} ${token.model}`),
  yubihsm2: (module, token) => /yubihsm/i.test(`${module.description} ${token.model}`),
  nethsm: (module, token) => /nethsm/i.test(`${module.description} ${token.model}`),
  luna7: (module, token) => /luna/i.test(token.model) || /chrystoki/i.test(module.description),
  cloudhsm: (module, token) => /cloudhsm/i.test(`${module.description} ${module.manufacturer} ${token.model}`),
  standard: () => true,
};

/** The row that a token belongs to, by what it and its module say of themselves. */
export function profileOf(module: ModuleDescription, token: TokenDescription): TokenProfile {
  const found = PROFILES.find((profile) => RECOGNIZERS[profile.id](module, token));
  if (found === undefined) throw new RangeError('the last profile fits every token');
  return found;
}

/** True for a token of a kind that nobody has run this toolkit against. */
export function isUntried({ tested, triedByHand }: TokenProfile): boolean {
  return !tested && triedByHand === undefined;
}

/** DER of CKA_EC_PARAMS for Ed25519, as this toolkit writes it. */
export const CURVE_NAMES: Readonly<Record<CurveName, Uint8Array>> = {
  printable: Uint8Array.from([0x13, 0x0c, ...new TextEncoder().encode('edwards25519')]),
  oid: Uint8Array.of(0x06, 0x03, 0x2b, 0x65, 0x70),
};

/** GnuPG's OID for Ed25519, 1.3.6.1.4.1.11591.15.1, which some tokens give back. */
const GNUPG_OID = Uint8Array.of(0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01);

/** Every DER of CKA_EC_PARAMS that means Ed25519. */
export const ED25519_CURVES: readonly Uint8Array[] = Object.freeze([...Object.values(CURVE_NAMES), GNUPG_OID]);
