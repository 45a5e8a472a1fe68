/**
 * Judges whether a chain of keysets may grow by the versions of a file: signatures, the threshold of the roots, order
 * (docs/keysets.md, "Acceptance"). Pure: a trusted chain and bytes give a longer chain, or the reason why not.
 */
import { equalBytes, toHex } from '../../formats/bytes.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { decodeCoseSign, signerStructure, type CoseSign } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { VtlicError, type ErrorPlace } from '../../formats/error.ts';
import { armoredBlocks, openKeysetBlock, type ArmoredBlock } from '../../formats/keyset/blocks.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { defaultProvider } from '../../keys/public/provider-default.ts';
import type { Provider } from '../../keys/public/provider.ts';
import { findSharedComponent, importPublicKey, kidOf, type PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { armoredBlock, fitting, knownKeysOf, makeChain, type Chain, type KnownKey, type KnownKeys } from './chain.ts';
import { isKeysetReason, type KeysetReason } from './reasons.ts';

/** Why a version was not taken. */
export interface KeysetRefused {
  readonly reason: KeysetReason;
  /** What was found in this one case. Safe for a terminal. `KEYSET_REASONS` has the sentence and the remedy. */
  readonly detail: string;
  /** The number of the block in the file, from 1; 0 where the file is refused as a whole. */
  readonly block: number;
  /** The version, where it could be read. */
  readonly version?: number;
  /** Line and offset in the file, or the member, as far as known. */
  readonly place: ErrorPlace;
}

export interface Extension {
  /** The chain that counts now; the same value as given if no version was taken. */
  readonly chain: Chain;
  /** The versions that were taken, ascending. */
  readonly taken: readonly number[];
  /** The highest version that was read in the file, taken or not; undefined where none was. */
  readonly newestInFile: number | undefined;
  /** The first block that was not taken. Nothing behind it was read; the versions before it count. */
  readonly refused: KeysetRefused | undefined;
}

export interface ExtendOptions {
  /** The arithmetic; absent: the platform's own. Never changes the result. */
  readonly provider?: Provider;
}

export interface BuiltInOptions {
  /** Must be iss of the chain. */
  readonly issuer: string;
  /** Compiled into the product: only composite roots count for every version after the built-in ones. */
  readonly requireComposite?: boolean;
}

/**
 * The chain that is compiled into a product: what the vendor published, or only its newest version. It is trusted as it
 * is. Its form and its keys are checked, but not its signatures.
 *
 * @throws VtlicError `configuration_invalid` for a chain with a fault, or by another issuer
 */
export function builtInChain(file: Uint8Array, { issuer, requireComposite = false }: BuiltInOptions): Chain {
  const { chain, refused } = read(file, undefined, { provider: defaultProvider, requireComposite });
  if (refused !== undefined || chain === undefined)
    throw new VtlicError(
      'configuration_invalid',
      `the built-in keyset chain is refused: ${refused?.detail ?? 'it has no version'}`,
      { ...refused?.place, hint: 'build the product with the keyset chain that the vendor published' },
    );
  if (chain.issuer === issuer) return chain;
  throw new VtlicError(
    'configuration_invalid',
    `the built-in keyset chain is by ${chain.issuer}, but the issuer of the product is ${issuer}`,
    { field: 'issuer' },
  );
}

/**
 * Reads more versions, from a file or from state. Versions that the chain has already are passed over, and so are older
 * ones that it has not; each newer version is judged by the newest one before it. The first fault ends the reading.
 * What was taken before the fault counts: a version that follows from the chain is right, whatever comes behind it.
 */
export function extendChain(chain: Chain, file: Uint8Array, options: ExtendOptions = {}): Extension {
  knownKeysOf(chain);
  const { chain: extended, ...rest } = read(file, chain, {
    provider: options.provider ?? defaultProvider,
    requireComposite: false,
  });
  return { chain: extended ?? chain, ...rest };
}

interface Settings {
  readonly provider: Provider;
  readonly requireComposite: boolean;
}

/** Without a chain, the file is the built-in one. */
function read(
  file: Uint8Array,
  given: Chain | undefined,
  settings: Settings,
): Omit<Extension, 'chain'> & { readonly chain: Chain | undefined } {
  let chain = given;
  const taken: number[] = [];
  let newestInFile: number | undefined;
  let block = 0;
  try {
    for (const armored of armoredBlocks(file)) {
      block++;
      const candidate = decode(armored, settings.provider);
      const { version } = candidate.keyset;
      try {
        if (chain !== undefined) requireIssuer(chain, candidate.keyset);
        if (newestInFile !== undefined && version <= newestInFile)
          throw refusal('keyset_not_ascending', `version ${version} comes after version ${newestInFile}`);
        newestInFile = version;
        const next = given === undefined ? trusted(chain, candidate, settings) : follow(chain, candidate, settings);
        if (next === undefined) continue;
        chain = next;
        taken.push(version);
      } catch (error) {
        throw error instanceof Refusal ? new Refusal({ version, ...error.facts }) : error;
      }
    }
    return Object.freeze({ chain, taken: Object.freeze(taken), newestInFile, refused: undefined });
  } catch (error) {
    const refused = refusedOf(error, block);
    if (refused === undefined) throw error;
    return Object.freeze({ chain, taken: Object.freeze(taken), newestInFile, refused });
  }
}

interface Candidate {
  readonly keyset: Keyset;
  readonly cose: CoseSign;
  readonly block: Uint8Array;
  readonly payloadDigest: string;
}

function decode(armored: ArmoredBlock, provider: Provider): Candidate {
  const bytes = openKeysetBlock(armored);
  const cose = decodeCoseSign(bytes, TYP.keyset);
  const keyset = decodeKeyset(cose.payload);
  return { keyset, cose, block: armoredBlock(bytes), payloadDigest: toHex(provider.sha256(cose.payload)) };
}

/** A version of the built-in chain, whose signatures are not verified. */
function trusted(chain: Chain | undefined, candidate: Candidate, { requireComposite }: Settings): Chain {
  const known: KnownKeys = chain === undefined ? new Map<string, KnownKey>() : knownKeysOf(chain);
  const roots = importAll(candidate.keyset.roots, known);
  return extended(chain, candidate, judgeKeys(chain, candidate.keyset, roots, known), requireComposite);
}

/** A version from outside. Undefined where it is passed over. */
function follow(chain: Chain | undefined, candidate: Candidate, { provider }: Settings): Chain | undefined {
  if (chain === undefined) throw new VtlicError('internal', 'a version was to follow no chain');
  const { keyset, payloadDigest } = candidate;
  if (keyset.version <= chain.newest.version) {
    const same = chain.versions.find(({ version }) => version === keyset.version);
    if (same === undefined || same.payloadDigest === payloadDigest) return undefined;
    throw refusal(
      'keyset_conflict',
      `version ${keyset.version} is known with the payload ${same.payloadDigest}, and here it is ${payloadDigest}`,
    );
  }
  const known = knownKeysOf(chain);
  const roots = importAll(keyset.roots, known);
  judgeSignatures(chain, candidate, roots, known, provider);
  return extended(chain, candidate, judgeKeys(chain, keyset, roots, known), false);
}

function requireIssuer(chain: Chain, { iss }: Keyset): void {
  if (iss !== chain.issuer) throw refusal('keyset_issuer_mismatch', `it is by ${iss}, and ${chain.issuer} is expected`);
}

/** The root rule of TUF: a threshold of the roots before, and a threshold of its own. */
function judgeSignatures(
  chain: Chain,
  { cose, keyset }: Candidate,
  roots: readonly PublicKey[],
  known: KnownKeys,
  provider: Provider,
): void {
  const previous = new Map<string, PublicKey>();
  for (const key of importAll(chain.newest.roots, known)) previous.set(key.kid, key);
  const own = new Map(roots.map((key) => [key.kid, key]));
  const signed: PublicKey[] = [];
  for (const signer of cose.signers) {
    const key = previous.get(signer.kid) ?? own.get(signer.kid);
    if (key === undefined) continue;
    const message = signerStructure(cose.protectedBytes, signer.protectedBytes, cose.payload);
    if (signer.alg !== key.alg || !verifySignature(key, message, signer.signature, provider))
      throw refusal('keyset_signature_invalid', `the signature of the root key ${signer.kid} is not valid`);
    signed.push(key);
  }
  const count = (among: ReadonlyMap<string, PublicKey>, compositeOnly: boolean): number =>
    signed.filter(({ kid, alg }) => among.has(kid) && (!compositeOnly || alg !== 'ed25519')).length;
  const before = chain.compositeRootsOnly;
  requireThreshold('keyset_threshold_previous', count(previous, before), chain.newest, before);
  const now = before || setsAlgorithmPolicy(keyset);
  requireThreshold('keyset_threshold_own', count(own, now), keyset, now);
}

function requireThreshold(
  reason: KeysetReason,
  signed: number,
  { threshold, version }: Keyset,
  compositeOnly: boolean,
): void {
  if (signed >= threshold) return;
  const kind = compositeOnly ? 'composite root keys' : 'root keys';
  throw refusal(reason, `${signed} of the ${kind} of version ${version} signed it, and ${threshold} are needed`);
}

function setsAlgorithmPolicy({ requireComposite, ed25519Until }: Keyset): boolean {
  return requireComposite || ed25519Until !== undefined;
}

/** The keys that are known once the version is taken. */
function judgeKeys(
  chain: Chain | undefined,
  keyset: Keyset,
  roots: readonly PublicKey[],
  before: KnownKeys,
): KnownKeys {
  const known = new Map(before);
  const issuing = importAll(keyset.keys, before);
  const add = (key: PublicKey, purpose: KnownKey['purpose']): void => {
    const earlier = known.get(key.kid);
    if (earlier !== undefined && earlier.purpose !== purpose)
      throw refusal(
        'keyset_purpose_changed',
        `the key ${key.kid} has the purpose ${earlier.purpose}, and is given the purpose ${purpose}`,
      );
    if (earlier === undefined) known.set(key.kid, Object.freeze({ key, purpose }));
  };
  for (const key of roots) add(key, 'root');
  for (const [i, key] of issuing.entries()) add(key, keyset.keys[i]?.purpose ?? 'license');
  if (known.size === before.size) requireAllStay(chain, issuing);
  else {
    const shared = findSharedComponent([...known.values()].map(({ key }) => key));
    if (shared !== undefined)
      throw refusal('keyset_component_shared', `the keys ${shared.join(' and ')} share a component`);
    requireAllStay(chain, issuing);
  }
  return known.size === before.size ? before : known;
}

function requireAllStay(chain: Chain | undefined, issuing: readonly PublicKey[]): void {
  if (chain === undefined) return;
  const kids = new Set(issuing.map(({ kid }) => kid));
  for (const { alg, publicBytes } of chain.newest.keys) {
    const kid = kidOf(alg, publicBytes);
    if (!kids.has(kid))
      throw refusal('keyset_key_removed', `the issuing key ${kid} of version ${chain.newest.version} is missing`);
  }
}

/** A key that is known is not imported again: its point is decoded once for a whole chain. */
function importAll(keys: readonly CoseKey[], known: KnownKeys): readonly PublicKey[] {
  return keys.map(({ alg, publicBytes }) => {
    const kid = kidOf(alg, publicBytes);
    try {
      return known.get(kid)?.key ?? importPublicKey(alg, publicBytes);
    } catch (error) {
      if (!(error instanceof VtlicError) || error.code !== 'key_invalid') throw error;
      throw refusal('keyset_key_invalid', `the key ${kid} is refused: ${error.message}`);
    }
  });
}

function extended(chain: Chain | undefined, candidate: Candidate, known: KnownKeys, compositeOnly: boolean): Chain {
  const { keyset, payloadDigest, block } = candidate;
  const versions = fitting([
    ...(chain?.versions ?? []),
    Object.freeze({
      version: keyset.version,
      payloadDigest,
      block,
      mayBeLeftOut: chain !== undefined && sameRule(chain.newest, keyset),
    }),
  ]);
  if (versions === undefined)
    throw refusal('keyset_too_large', 'the chain with this version is larger than a chain may be');
  const compositeRootsOnly = compositeOnly || chain?.compositeRootsOnly === true || setsAlgorithmPolicy(keyset);
  return makeChain({ issuer: keyset.iss, newest: keyset, versions, compositeRootsOnly }, known);
}

/** Whether both have the same roots, threshold and policy. */
function sameRule(a: Keyset, b: Keyset): boolean {
  return (
    a.threshold === b.threshold &&
    a.requireComposite === b.requireComposite &&
    a.ed25519Until === b.ed25519Until &&
    a.roots.length === b.roots.length &&
    a.roots.every((root, i) => equalBytes(root.publicBytes, b.roots[i]?.publicBytes ?? new Uint8Array()))
  );
}

/** Inside this file only: `read` turns it into a value. */
class Refusal extends Error {
  readonly facts: Pick<KeysetRefused, 'reason' | 'detail' | 'version'>;

  constructor(facts: Refusal['facts']) {
    super(facts.detail);
    this.facts = facts;
  }
}

function refusal(reason: KeysetReason, detail: string): Refusal {
  return new Refusal({ reason, detail });
}

/** The faults of the formats are reasons with `keyset_` before them; anything else that is thrown is not a verdict. */
function refusedOf(error: unknown, block: number): KeysetRefused | undefined {
  if (error instanceof Refusal) return Object.freeze({ ...error.facts, block, place: Object.freeze({}) });
  if (!(error instanceof VtlicError)) return undefined;
  const reason = `keyset_${error.code}`;
  return isKeysetReason(reason)
    ? Object.freeze({ reason, detail: error.message, block, place: error.place })
    : undefined;
}
