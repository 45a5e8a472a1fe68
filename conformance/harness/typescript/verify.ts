/**
 * A verifier of `.vtlic` licenses on other people's libraries: cbor-x decodes what cbor.ts has walked, node:crypto
 * verifies Ed25519, @noble/post-quantum verifies ML-DSA-65. Section numbers are those of docs/format.md. Start your own from it.
 */
import { verify as verifyEd25519, type KeyObject } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { bytesHead, decode, isBytes, Refusal, refuse, walk } from './cbor.ts';
import { hash, hex, numberOf, SMALL_ORDER, type Algorithm, type Context, type Key, type Trust } from './values.ts';

export type Verdict =
  | {
      readonly verdict: 'accepted';
      readonly state: string;
      readonly claims: Claims;
      readonly kid: string;
      readonly payloadDigest: string;
      readonly lineage: string;
      readonly resetsClock: boolean;
    }
  | { readonly verdict: 'refused'; readonly layer: string; readonly reason: string };

type Claims = ReadonlyMap<unknown, unknown>;

export function verify(file: Uint8Array, trust: Trust, context: Context): Verdict {
  try {
    const { alg, kid, signed, payload, signature } = readCose(readArmor(file));
    const key = trust.keys.get(kid);
    if (key === undefined) {
      const isComponent = [...trust.keys.values()].some(({ componentKid }) => componentKid === kid);
      return refuse('key', isComponent ? 'key_composite_only' : 'key_unknown');
    }
    if (key.alg !== alg) refuse('key', 'key_algorithm_mismatch');
    if (!isSignedBy(key, signed, signature)) refuse('signature', 'signature_invalid');
    const claims = readClaims(payload);
    const payloadDigest = hex(hash('sha256', payload));
    const lineage = lineageOf(claims);
    checkPolicy(claims, lineage, payloadDigest, key, trust, context.now);
    checkBinding(claims, context);
    const isNewer = checkCounter(claims, lineage, payloadDigest, context);
    const resetsClock = claims.get('clk') === true && isNewer;
    const at = resetsClock ? Math.max(context.clock ?? context.now, claims.get(6) as number) : context.now;
    return {
      verdict: 'accepted',
      state: stateAt(claims, at, context),
      claims,
      kid,
      payloadDigest,
      lineage,
      resetsClock,
    };
  } catch (error) {
    if (error instanceof Refusal) return { verdict: 'refused', layer: error.layer, reason: error.reason };
    throw error;
  }
}

/** Section 3. One expression for the whole block: no PEM parser is that strict. */
const ARMOR =
  /^[\t\n\r ]*-----BEGIN VTLIC-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*(?:[A-Za-z0-9+/]{4}){0,15}[A-Za-z0-9+/]{2}[A-Za-z0-9+/=][A-Za-z0-9+/=])\r?\n-----END VTLIC-----[\t\n\r ]*$/;

function readArmor(file: Uint8Array): Uint8Array {
  if (file.length > 98_304) refuse('size', 'too_large');
  // Latin-1, so that each byte is one character.
  const base64 = ARMOR.exec(Buffer.from(file).toString('latin1'))?.[1]?.replaceAll(/[\r\n]/g, '');
  if (base64 === undefined) return refuse('armor', 'armor_malformed');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) refuse('armor', 'armor_malformed');
  if (bytes.length > 49_152) refuse('size', 'too_large');
  return Uint8Array.from(bytes);
}

const TYP = 'application/vnd.vtlic.license+cose';
const ALGORITHMS: ReadonlyMap<unknown, Algorithm> = new Map<unknown, Algorithm>([
  [-19, 'ed25519'],
  ['ed25519+ml-dsa-65', 'ed25519+ml-dsa-65'],
]);

/** Section 5. */
function readCose(bytes: Uint8Array) {
  const malformed = (): never => refuse('cose', 'cose_malformed');
  const { tag, value } = walk(bytes, true);
  if (tag !== 18n || !Array.isArray(value) || value.length !== 4) return malformed();
  const [protectedBytes, unprotected, payload, signature] = value as unknown[];
  if (!isBytes(protectedBytes) || !isBytes(payload) || !isBytes(signature) || protectedBytes.length === 0)
    return malformed();
  if (!(unprotected instanceof Map) || unprotected.size > 0) malformed();
  const header = decode(protectedBytes);
  if (!(header instanceof Map) || header.size !== 3) return malformed();
  const [alg, kid, typ] = [1, 4, 16].map((label): unknown => header.get(label));
  if (typeof alg !== 'string' && typeof alg !== 'number') malformed();
  if (!isBytes(kid) || kid.length !== 32 || typeof typ !== 'string') return malformed();
  if (typ !== TYP) refuse('cose', 'typ_wrong');
  const signed = Buffer.concat([
    Uint8Array.of(0x84, 0x6a),
    Buffer.from('Signature1'),
    ...[protectedBytes, new Uint8Array(), payload].flatMap((part) => [bytesHead(part.length), part]),
  ]);
  return { alg: ALGORITHMS.get(alg) ?? refuse('cose', 'alg_unknown'), kid: hex(kid), signed, payload, signature };
}

const LABEL = Buffer.from('COMPSIG-MLDSA65-Ed25519-SHA512');
const PREFIX = Buffer.from('CompositeAlgorithmSignatures2025');

/** Sections 6.3 and 6.4. Both components are computed always. */
export function isSignedBy({ ed25519, mldsa65 }: Key, signed: Uint8Array, signature: Uint8Array): boolean {
  if (mldsa65 === undefined) return isEd25519(ed25519, signed, signature);
  if (signature.length !== 3373) return false;
  const message = Buffer.concat([PREFIX, LABEL, Uint8Array.of(0), hash('sha512', signed)]);
  const first = ml_dsa65.verify(Uint8Array.from(signature.subarray(0, 3309)), message, mldsa65, { context: LABEL });
  const second = isEd25519(ed25519, message, signature.subarray(3309));
  return first && second;
}

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** node:crypto is cofactorless; which R of small order it accepts depends on its version. */
function isEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || SMALL_ORDER.has(hex(signature.subarray(0, 32)))) return false;
  return numberOf(signature.subarray(32)) < ORDER && verifyEd25519(null, message, key, signature);
}

export type Check = (value: unknown) => boolean;
export const isId: Check = (v) => typeof v === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(v);
export const isInt =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Check =>
  (v) =>
    Number.isSafeInteger(v) && (v as number) >= min && (v as number) <= max;
export const isTime: Check = isInt(0, 253_402_300_799);
const isText =
  (max: number): Check =>
  (v) =>
    typeof v === 'string' && v !== '' && Array.from(v).length <= max;
export const isList =
  (max: number, of: Check): Check =>
  (v) =>
    Array.isArray(v) &&
    v.length >= 1 &&
    v.length <= max &&
    v.every(of) &&
    v.every((one, i) => i === 0 || isBefore(v[i - 1], one));
const isBefore = (a: unknown, b: unknown): boolean => Buffer.from(a as string).compare(Buffer.from(b as string)) < 0;
const isMap =
  (max: number, of: Check): Check =>
  (v) =>
    v instanceof Map && v.size >= 1 && v.size <= max && [...v].every(([key, value]) => isId(key) && of(value));
const isExt: Check = (v) =>
  Array.isArray(v) ? v.every(isExt) : !(v instanceof Map) || [...v].every(([key, value]) => isId(key) && isExt(value));

/** Section 7.2: key → required, and what its value is. */
const CLAIMS: ReadonlyMap<unknown, readonly [boolean, Check]> = new Map<unknown, readonly [boolean, Check]>([
  [1, [true, isId]],
  [2, [true, isId]],
  [3, [true, isId]],
  [4, [true, isTime]],
  [5, [true, isTime]],
  [6, [true, isTime]],
  [7, [true, (v) => isBytes(v) && v.length === 16 && (v[6] ?? 0) >> 4 === 7 && (v[8] ?? 0) >> 6 === 2]],
  ['ctr', [true, isInt(1)]],
  ['tier', [true, isId]],
  ['seats', [true, (v) => v === 'unlimited' || isInt(0)(v)]],
  ['features', [false, isList(256, isId)]],
  ['limits', [false, isMap(256, isInt(0))]],
  ['instances', [false, isInt(1)]],
  ['hosts', [false, isList(1024, (v) => isBytes(v) && v.length === 32)]],
  ['grace', [false, isInt(0, 31_622_400)]],
  ['offline', [false, isTime]],
  ['dep', [false, isId]],
  ['name', [false, isText(200)]],
  ['ref', [false, isText(100)]],
  ['upd', [false, isTime]],
  ['use', [false, (v) => v === 'non-production' || v === 'trial' || v === 'emergency']],
  ['clk', [false, (v) => v === true]],
  ['ext', [false, isMap(64, isExt)]],
]);

/** Section 7.3, in its order. */
function readClaims(payload: Uint8Array): Claims {
  const malformed = (): never => refuse('claims', 'claims_malformed');
  let claims: unknown;
  try {
    claims = walk(payload, false).value;
  } catch (error) {
    if (error instanceof Refusal) malformed();
    throw error;
  }
  if (!(claims instanceof Map)) return malformed();
  const map: Claims = claims;
  if ([...map.keys()].some((key) => !CLAIMS.has(key))) refuse('claims', 'claims_unknown');
  for (const [key, [isRequired, check]] of CLAIMS) if (map.has(key) ? !check(map.get(key)) : isRequired) malformed();
  const [exp, nbf, iat] = [4, 5, 6].map((key) => map.get(key) as number);
  return (nbf ?? 0) < (exp ?? 0) && (iat ?? 0) < (exp ?? 0) ? map : malformed();
}

function lineageOf(claims: Claims): string {
  return [1, 3, 2, 'dep'].flatMap((key) => (claims.has(key) ? [claims.get(key)] : [])).join('/');
}

function checkPolicy(claims: Claims, lineage: string, digest: string, key: Key, trust: Trust, now: number): void {
  const [aud, tier] = [claims.get(3) as string, claims.get('tier') as string];
  const cti = hex(claims.get(7) as Uint8Array).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  if (key.status === 'revoked' && key.honored?.includes(digest) !== true) refuse('policy', 'key_revoked');
  if (key.purpose !== 'license') refuse('policy', 'key_wrong_purpose');
  if (key.products?.includes(aud) === false || key.tiers?.includes(tier) === false)
    refuse('policy', 'key_wrong_purpose');
  if (key.alg === 'ed25519' && (trust.requireComposite || now >= trust.ed25519Until))
    refuse('policy', 'algorithm_not_allowed');
  if (trust.revokedLicenses.has(cti)) refuse('policy', 'license_revoked');
  if ((claims.get('ctr') as number) < (trust.lowestCounters.get(lineage) ?? 0)) refuse('policy', 'superseded');
}

function checkBinding(claims: Claims, context: Context): void {
  const hosts = claims.get('hosts') as readonly Uint8Array[] | undefined;
  const upd = claims.get('upd') as number | undefined;
  if (claims.get(1) !== context.issuer) refuse('binding', 'issuer_mismatch');
  if (claims.get(3) !== context.product) refuse('binding', 'product_mismatch');
  if (claims.has('dep') && claims.get('dep') !== context.deployment) refuse('binding', 'deployment_mismatch');
  if (hosts?.some((host) => context.hosts?.includes(hex(host))) === false) refuse('binding', 'host_mismatch');
  if (upd !== undefined && (context.buildDate === undefined || context.buildDate >= upd))
    refuse('binding', 'build_not_covered');
}

/** Section 10.1. @returns whether it is of the current lineage, with a higher counter */
function checkCounter(claims: Claims, lineage: string, digest: string, { seen }: Context): boolean {
  if (seen === undefined) return false;
  const [ctr, iat] = [claims.get('ctr') as number, claims.get(6) as number];
  const isCurrent = lineage === seen.current;
  if (!isCurrent && iat <= seen.highestIat) refuse('lineage', 'lineage_not_newer');
  const known = seen.lineages.get(lineage);
  if (known === undefined) return false;
  if (ctr < known.counter) refuse('counter', 'counter_rolled_back');
  if (ctr === known.counter && digest !== known.payloadDigest) refuse('counter', 'counter_conflict');
  return isCurrent && ctr > known.counter;
}

/** Section 10.3. */
function stateAt(claims: Claims, at: number, { defaultGrace }: Context): string {
  const [exp, nbf] = [claims.get(4) as number, claims.get(5) as number];
  if (at < nbf) return 'not_yet_valid';
  if (at < exp) return 'active';
  return at < exp + ((claims.get('grace') as number | undefined) ?? defaultGrace) ? 'grace' : 'lapsed';
}
