/**
 * What docs/format.md says of a file, written a second time, as plainly as possible and without any code of the rooms:
 * the verdict that the fuzzing campaign expects. It knows which signatures are valid instead of computing them.
 */
import type { PlainAccepted, PlainContext } from '../examples/plain-values.ts';
import { claimsStep, hex, isList, lineageOf, type Claims } from './claims.ts';
import { armorStep, Fault, fault, Pairs, Walk } from './walk.ts';

/** What a key of the campaign is, and where a trust has it. */
export interface ModelKey {
  readonly kid: string;
  readonly alg: 'ed25519' | 'ed25519+ml-dsa-65';
  /** Of a composite: the kid of its Ed25519 component. */
  readonly componentKid?: string;
}

export interface ModelTrustedKey extends ModelKey {
  readonly purpose: string;
  readonly status: string;
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly honored?: ReadonlySet<string>;
}

export interface ModelTrust {
  readonly keys: readonly ModelTrustedKey[];
  readonly requireComposite: boolean;
  readonly ed25519Until?: number;
  readonly revokedLicenses: ReadonlySet<string>;
  readonly lowestCounters: ReadonlyMap<string, number>;
}

export type ModelContext = PlainContext<ReadonlyMap<string, PlainAccepted>>;

/** What somebody really signed. Every other signature is not valid. */
export interface SignedRecord {
  readonly kid: string;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly payloadDigest: string;
}

/** The last step that a file reached, for the table of the campaign. */
export interface Expected {
  /** A reason, or a state. */
  readonly verdict: string;
  readonly passedArmor: boolean;
  readonly validlySigned: boolean;
  /** Of a license that is accepted: what a verifier with state remembers of it. */
  readonly genuine?: Genuine;
}

export interface Genuine {
  readonly kid: string;
  readonly payloadDigest: string;
  readonly lineage: string;
  readonly counter: number;
  readonly iat: number;
  /** `clk` had its effect (section 10.2). */
  readonly resetsClock: boolean;
}

export function expectedOf(
  file: Uint8Array,
  record: SignedRecord | undefined,
  trust: ModelTrust,
  context: ModelContext,
): Expected {
  let passedArmor = false;
  let validlySigned = false;
  try {
    const bytes = armorStep(file);
    passedArmor = true;
    const cose = coseStep(bytes);
    const key = keyStep(cose, trust);
    validlySigned =
      record !== undefined &&
      record.kid === cose.kid &&
      same(record.protectedBytes, cose.protectedBytes) &&
      same(record.payload, cose.payload) &&
      same(record.signature, cose.signature);
    if (!validlySigned || record === undefined) return { verdict: 'signature_invalid', passedArmor, validlySigned };
    const claims = claimsStep(cose.payload);
    const digest = record.payloadDigest;
    policyStep(claims, digest, key, trust, context.now);
    bindingStep(claims, context);
    const newer = counterStep(claims, digest, context);
    const genuine: Genuine = {
      kid: cose.kid,
      payloadDigest: digest,
      lineage: lineageOf(claims),
      counter: claims.ctr,
      iat: claims.iat,
      resetsClock: claims.clk && newer,
    };
    return { verdict: stateOf(claims, newer, context), passedArmor, validlySigned, genuine };
  } catch (error) {
    if (error instanceof Fault) return { verdict: error.reason, passedArmor, validlySigned };
    throw error;
  }
}

interface Cose {
  readonly alg: 'ed25519' | 'ed25519+ml-dsa-65';
  readonly kid: string;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

function coseStep(bytes: Uint8Array): Cose {
  const walk = new Walk(bytes);
  const { tag, item } = walk.whole(true);
  const malformed = (): never => fault('cose_malformed');
  if (tag !== 18n || !isList(item) || item.length !== 4) return malformed();
  const [protectedBytes, unprotected, payload, signature] = item;
  if (!(protectedBytes instanceof Uint8Array) || !(payload instanceof Uint8Array)) return malformed();
  if (!(signature instanceof Uint8Array)) return malformed();
  if (!(unprotected instanceof Pairs) || unprotected.pairs.length > 0) return malformed();
  const header = walk.embedded;
  if (!(header instanceof Pairs) || header.pairs.length !== 3) return malformed();
  const [alg, kid, typ] = [header.get(1), header.get(4), header.get(16)];
  if (typeof alg !== 'number' && typeof alg !== 'string') return malformed();
  if (!(kid instanceof Uint8Array) || kid.length !== 32 || typeof typ !== 'string') return malformed();
  if (typ !== 'application/vnd.vtlic.license+cose') fault('typ_wrong');
  if (alg !== -19 && alg !== 'ed25519+ml-dsa-65') fault('alg_unknown');
  return {
    alg: alg === -19 ? 'ed25519' : 'ed25519+ml-dsa-65',
    kid: hex(kid),
    protectedBytes,
    payload,
    signature,
  };
}

function keyStep({ kid, alg }: Cose, { keys }: ModelTrust): ModelTrustedKey {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined)
    return fault(keys.some(({ componentKid }) => componentKid === kid) ? 'key_composite_only' : 'key_unknown');
  return key.alg === alg ? key : fault('key_algorithm_mismatch');
}

function policyStep(claims: Claims, digest: string, key: ModelTrustedKey, trust: ModelTrust, now: number): void {
  if (key.status === 'revoked' && key.honored?.has(digest) !== true) fault('key_revoked');
  if (key.purpose !== 'license') fault('key_wrong_purpose');
  if (key.products !== undefined && !key.products.includes(claims.aud)) fault('key_wrong_purpose');
  if (key.tiers !== undefined && !key.tiers.includes(claims.tier)) fault('key_wrong_purpose');
  const ended = trust.ed25519Until !== undefined && now >= trust.ed25519Until;
  if (key.alg === 'ed25519' && (trust.requireComposite || ended)) fault('algorithm_not_allowed');
  if (trust.revokedLicenses.has(claims.cti)) fault('license_revoked');
  if (claims.ctr < (trust.lowestCounters.get(lineageOf(claims)) ?? 0)) fault('superseded');
}

function bindingStep({ iss, aud, dep, hosts, upd }: Claims, context: ModelContext): void {
  if (iss !== context.issuer) fault('issuer_mismatch');
  if (aud !== context.product) fault('product_mismatch');
  if (dep !== undefined && dep !== context.deployment) fault('deployment_mismatch');
  if (hosts !== undefined && !hosts.some((host) => context.hosts?.includes(host))) fault('host_mismatch');
  if (upd !== undefined && !(context.buildDate !== undefined && context.buildDate < upd)) fault('build_not_covered');
}

/** @returns whether the license is of the current lineage, with a higher counter than was accepted there */
function counterStep(claims: Claims, digest: string, { seen }: ModelContext): boolean {
  if (seen === undefined) return false;
  const lineage = lineageOf(claims);
  if (lineage !== seen.current && claims.iat <= seen.highestIat) fault('lineage_not_newer');
  const known = seen.lineages.get(lineage);
  if (known === undefined) return false;
  if (claims.ctr < known.counter) fault('counter_rolled_back');
  if (claims.ctr === known.counter && digest !== known.payloadDigest) fault('counter_conflict');
  return lineage === seen.current && claims.ctr > known.counter;
}

function stateOf({ nbf, exp, iat, grace, clk }: Claims, newer: boolean, context: ModelContext): string {
  const { now, clock, defaultGrace } = context;
  const at = clk && newer ? Math.max(clock ?? now, iat) : now;
  if (at < nbf) return 'not_yet_valid';
  if (at < exp) return 'active';
  return at < exp + (grace ?? defaultGrace) ? 'grace' : 'lapsed';
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
