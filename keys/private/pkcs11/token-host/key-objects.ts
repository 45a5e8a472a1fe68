/** Keys in a token, as the host sees them: found, made, described. */
import { concatBytes, equalBytes } from '../../../../formats/bytes.ts';
import {
  ED25519_PUBLIC_KEY_BYTES,
  ED25519_SPKI_PREFIX,
  MLDSA65_PUBLIC_KEY_BYTES,
  MLDSA65_SPKI_PREFIX,
} from '../../../public/provider.ts';
import { CallFault } from './host-errors.ts';
import * as ck from '../shared/constants.ts';
import type { Component, KeyName, KeyObjectDescription, NewKeyName } from '../shared/host-protocol.ts';
import { plainMechanism } from './mechanism.ts';
import type { ObjectHandle, Pkcs11Module, SessionHandle, Template } from './module.ts';
import { CURVE_NAMES, ED25519_CURVES, type TokenProfile } from '../shared/profiles.ts';
import { returnCodeOf } from '../shared/return-codes.ts';

/** What the host remembers of an object that it gave a number to. */
export interface KnownKey {
  readonly handle: ObjectHandle;
  readonly component: Component | undefined;
  readonly alwaysAuthenticate: boolean;
  /** Of an ML-DSA component, where the token signs a mu. */
  readonly publicBytes: Uint8Array | undefined;
}

export interface DescribedKey {
  readonly known: KnownKey;
  readonly description: Omit<KeyObjectDescription, 'ref'>;
}

const CLASSES = [
  ['private', ck.CKO_PRIVATE_KEY],
  ['public', ck.CKO_PUBLIC_KEY],
  ['secret', ck.CKO_SECRET_KEY],
] as const;

/** All keys under a name, each with its public bytes where the token tells them. */
export function findKeys(
  module: Pkcs11Module,
  session: SessionHandle,
  profile: TokenProfile,
  name: KeyName,
): DescribedKey[] {
  const found: DescribedKey[] = [];
  for (const [className, classNumber] of CLASSES) {
    const template: [number, number | string | Uint8Array | boolean][] = [
      [ck.CKA_CLASS, classNumber],
      [ck.CKA_TOKEN, true],
    ];
    if (name.label !== undefined) template.push([ck.CKA_LABEL, name.label]);
    if (name.id !== undefined) template.push([ck.CKA_ID, name.id]);
    for (const handle of module.find(session, template))
      found.push(describeKey(module, session, profile, handle, className));
  }
  return found;
}

export function describeKey(
  module: Pkcs11Module,
  session: SessionHandle,
  profile: TokenProfile,
  handle: ObjectHandle,
  className: KeyObjectDescription['class'],
): DescribedKey {
  const read = (attribute: number): Uint8Array | undefined => module.read(session, handle, attribute);
  const keyType = numberOf(read(ck.CKA_KEY_TYPE)) ?? -1;
  const component = className === 'secret' ? undefined : componentOf(profile, keyType, read);
  const publicBytes = component === undefined ? undefined : publicBytesOf(component, className, read);
  const secrecy = className === 'public' ? {} : secrecyOf(read, className, profile);
  const description = {
    class: className,
    keyType,
    ...(component === undefined ? {} : { component }),
    label: Buffer.from(read(ck.CKA_LABEL) ?? []).toString('utf8'),
    id: read(ck.CKA_ID) ?? new Uint8Array(),
    ...(publicBytes === undefined ? {} : { publicBytes }),
    ...secrecy,
  };
  return {
    description,
    known: { handle, component, publicBytes, alwaysAuthenticate: secrecy.alwaysAuthenticate === true },
  };
}

function componentOf(
  profile: TokenProfile,
  keyType: number,
  read: (attribute: number) => Uint8Array | undefined,
): Component | undefined {
  const { mldsa65 } = profile;
  if (mldsa65 !== undefined && keyType === mldsa65.keyType) {
    const set = numberOf(read(mldsa65.parameterSetAttribute));
    return set === undefined || set === mldsa65.parameterSet ? 'mldsa65' : undefined;
  }
  if (keyType !== profile.ed25519?.keyType) return undefined;
  // The key type is that of Ed448 and X25519 too. Some tokens do not show the curve on the private object.
  const curve = read(ck.CKA_EC_PARAMS);
  if (curve === undefined || curve.length === 0) return 'ed25519';
  return ED25519_CURVES.some((known) => equalBytes(known, curve)) ? 'ed25519' : undefined;
}

function publicBytesOf(
  component: Component,
  className: KeyObjectDescription['class'],
  read: (attribute: number) => Uint8Array | undefined,
): Uint8Array | undefined {
  const understand = component === 'ed25519' ? ed25519FromToken : mldsa65FromToken;
  const attributes: number[] = [ck.CKA_PUBLIC_KEY_INFO];
  // On a private key CKA_VALUE is the secret itself: it is never asked for here.
  if (component === 'ed25519') attributes.unshift(ck.CKA_EC_POINT);
  else if (className === 'public') attributes.unshift(ck.CKA_VALUE);
  for (const attribute of attributes) {
    const value = read(attribute);
    const bytes = value === undefined ? undefined : understand(value);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** What a private key could do besides signing. */
const OTHER_USES: readonly number[] = [ck.CKA_DECRYPT, ck.CKA_UNWRAP, ck.CKA_DERIVE, ck.CKA_SIGN_RECOVER];

type Secrecy = Pick<
  KeyObjectDescription,
  'otherUses' | 'sensitive' | 'extractable' | 'alwaysSensitive' | 'neverExtractable' | 'maySign' | 'alwaysAuthenticate'
>;

function secrecyOf(
  read: (attribute: number) => Uint8Array | undefined,
  className: 'private' | 'secret',
  profile: TokenProfile,
): Secrecy {
  const secrecy: { -readonly [K in keyof Secrecy]: Secrecy[K] } = {};
  const names = [
    ['sensitive', ck.CKA_SENSITIVE],
    ['extractable', ck.CKA_EXTRACTABLE],
    ['alwaysSensitive', ck.CKA_ALWAYS_SENSITIVE],
    ['neverExtractable', ck.CKA_NEVER_EXTRACTABLE],
    ['maySign', ck.CKA_SIGN],
    ['alwaysAuthenticate', ck.CKA_ALWAYS_AUTHENTICATE],
  ] as const;
  for (const [name, attribute] of names) {
    if (className === 'secret' && name === 'alwaysAuthenticate') continue;
    const value = read(attribute);
    if (value !== undefined && value.length > 0) secrecy[name] = value[0] !== 0;
  }
  if (className === 'private') {
    const uses = profile.showsDerive ? OTHER_USES.filter((use) => use !== ck.CKA_DERIVE) : OTHER_USES;
    secrecy.otherUses = uses.some((use) => (read(use)?.[0] ?? 0) !== 0);
  }
  return secrecy;
}

/** CK_ULONG; undefined where the token says "unavailable" or gives another length. */
function numberOf(value: Uint8Array | undefined): number | undefined {
  if (value?.length !== 8) return undefined;
  const number = Buffer.from(value).readBigUInt64LE();
  return number <= 0xffff_ffffn ? Number(number) : undefined;
}

/** Sensitive, not extractable, only for signing, stored in the token, and visible only to a logged-in user. */
function privateTemplate(keyType: number, name: NewKeyName): Template {
  return [
    [ck.CKA_CLASS, ck.CKO_PRIVATE_KEY],
    [ck.CKA_KEY_TYPE, keyType],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, true],
    [ck.CKA_SENSITIVE, true],
    [ck.CKA_EXTRACTABLE, false],
    [ck.CKA_SIGN, true],
    // Said, since SoftHSM allows all of them where nothing is said.
    ...OTHER_USES.map((use) => [use, false] as const),
    [ck.CKA_LABEL, name.label],
    [ck.CKA_ID, name.id],
  ];
}

function publicTemplate(keyType: number, name: NewKeyName): Template {
  return [
    [ck.CKA_CLASS, ck.CKO_PUBLIC_KEY],
    [ck.CKA_KEY_TYPE, keyType],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, false],
    [ck.CKA_VERIFY, true],
    [ck.CKA_LABEL, name.label],
    [ck.CKA_ID, name.id],
  ];
}

export interface NewPair {
  readonly publicKey: ObjectHandle;
  readonly privateKey: ObjectHandle;
}

export function generateMlDsa65(
  module: Pkcs11Module,
  session: SessionHandle,
  profile: TokenProfile,
  name: NewKeyName,
): NewPair {
  const { mldsa65 } = profile;
  if (mldsa65 === undefined) throw new CallFault('C_GenerateKeyPair', returnCodeOf('CKR_MECHANISM_INVALID'));
  const parameterSet = [mldsa65.parameterSetAttribute, mldsa65.parameterSet] as const;
  const forPrivate = privateTemplate(mldsa65.keyType, name);
  return module.generateKeyPair(
    session,
    plainMechanism(mldsa65.keyPairGen),
    [...publicTemplate(mldsa65.keyType, name), parameterSet],
    mldsa65.parameterSetIn === 'both' ? [...forPrivate, parameterSet] : forPrivate,
  );
}

/**
 * What a token may return for a spelling of the curve that it does not take. CKR_GENERAL_ERROR and CKR_DEVICE_ERROR are
 * not here: they say nothing about the curve, and the token may have made the pair.
 */
const WRONG_SPELLING: readonly number[] = [
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_TEMPLATE_INCONSISTENT',
  'CKR_ARGUMENTS_BAD',
].map(returnCodeOf);

export function generateEd25519(
  module: Pkcs11Module,
  session: SessionHandle,
  profile: TokenProfile,
  name: NewKeyName,
): NewPair {
  const { ed25519 } = profile;
  if (ed25519 === undefined) throw new CallFault('C_GenerateKeyPair', returnCodeOf('CKR_MECHANISM_INVALID'));
  const { keyType, keyPairGen, curveNames } = ed25519;
  let refusal: unknown;
  for (const spelling of curveNames) {
    try {
      const forPublic: Template = [...publicTemplate(keyType, name), [ck.CKA_EC_PARAMS, CURVE_NAMES[spelling]]];
      return module.generateKeyPair(session, plainMechanism(keyPairGen), forPublic, privateTemplate(keyType, name));
    } catch (error) {
      if (!(error instanceof CallFault) || !WRONG_SPELLING.includes(error.rv)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** AES-256 that encrypts and decrypts one seed and does nothing else. */
export function generateWrappingKey(module: Pkcs11Module, session: SessionHandle, name: NewKeyName): ObjectHandle {
  return module.generateKey(session, plainMechanism(ck.CKM_AES_KEY_GEN), [
    [ck.CKA_CLASS, ck.CKO_SECRET_KEY],
    [ck.CKA_KEY_TYPE, ck.CKK_AES],
    [ck.CKA_VALUE_LEN, 32],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, true],
    [ck.CKA_SENSITIVE, true],
    [ck.CKA_EXTRACTABLE, false],
    [ck.CKA_ENCRYPT, true],
    [ck.CKA_DECRYPT, true],
    [ck.CKA_WRAP, false],
    [ck.CKA_UNWRAP, false],
    [ck.CKA_SIGN, false],
    [ck.CKA_LABEL, name.label],
    [ck.CKA_ID, name.id],
  ]);
}

/**
 * The secret attributes that the token gives out, by name. Their values go nowhere. Our copy is wiped; the binding's
 * own cannot be.
 */
export function readableSecrets(module: Pkcs11Module, session: SessionHandle, handle: ObjectHandle): string[] {
  const readable: string[] = [];
  for (const [name, attribute] of [
    ['CKA_VALUE', ck.CKA_VALUE],
    ['CKA_SEED', ck.CKA_SEED],
  ] as const) {
    const value = module.read(session, handle, attribute);
    if (value === undefined || value.length === 0) continue;
    value.fill(0);
    readable.push(name);
  }
  return readable;
}

/*
 * Public keys in every form in which tokens give them: raw, in a DER OCTET STRING or BIT STRING, or as an SPKI.
 * Lengths and prefixes are fixed, so that each form is compared whole and nothing is guessed.
 */
const NOTHING = new Uint8Array();
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

/** DER tag and length of a string with `length` content bytes. */
function derHead(tag: number, length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
}

function prefixesOf(keyBytes: number, spki: Uint8Array): readonly Uint8Array[] {
  const bitString = concatBytes(derHead(BIT_STRING, keyBytes + 1), Uint8Array.of(0));
  return [NOTHING, derHead(OCTET_STRING, keyBytes), bitString, spki];
}

const ED25519_PREFIXES = prefixesOf(ED25519_PUBLIC_KEY_BYTES, ED25519_SPKI_PREFIX);
const MLDSA65_PREFIXES = prefixesOf(MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_SPKI_PREFIX);

/** 32 bytes out of CKA_EC_POINT or CKA_PUBLIC_KEY_INFO; undefined for anything else. The key is not judged here. */
export function ed25519FromToken(value: Uint8Array): Uint8Array | undefined {
  return withoutPrefix(value, ED25519_PUBLIC_KEY_BYTES, ED25519_PREFIXES);
}

/** 1952 bytes out of CKA_VALUE or CKA_PUBLIC_KEY_INFO; undefined for anything else. */
export function mldsa65FromToken(value: Uint8Array): Uint8Array | undefined {
  return withoutPrefix(value, MLDSA65_PUBLIC_KEY_BYTES, MLDSA65_PREFIXES);
}

function withoutPrefix(value: Uint8Array, keyBytes: number, prefixes: readonly Uint8Array[]): Uint8Array | undefined {
  const prefix = prefixes.find(
    (known) => value.length === known.length + keyBytes && equalBytes(value.subarray(0, known.length), known),
  );
  return prefix === undefined ? undefined : Uint8Array.from(value.subarray(prefix.length));
}
