/** What a verifier trusts, fixed before it reads a license (docs/format.md, "Trust"). */
import { cleanText } from '../formats/clean-text.ts';
import { isAlgorithm } from '../formats/cose-algorithm.ts';
import { VtlicError } from '../formats/error.ts';
import { KEY_STATUSES, type KeyStatus } from '../formats/keyset/keyset.ts';
import { MAX_TIME } from '../formats/license/bounds.ts';
import { isId, isLineage, uuidToBytes } from '../formats/license/id.ts';
import { isKeyPurpose, KEY_PURPOSES, type KeyPurpose } from '../keys/public/key-purpose.ts';
import { findSharedComponent, importPublicKey, kidOf, type PublicKey } from '../keys/public/public-key.ts';

const SHA256_HEX = /^[0-9a-f]{64}$/;
const STATUSES: ReadonlySet<string> = new Set(KEY_STATUSES);

export interface TrustedKey {
  readonly key: PublicKey;
  readonly purpose: KeyPurpose;
  readonly status: KeyStatus;
  /** The products (aud) whose licenses it may sign; absent: any. */
  readonly products?: readonly string[];
  /** The tiers; absent: any. */
  readonly tiers?: readonly string[];
  /**
   * The SHA-256 digests of the payloads that a revoked key signed and that still count, 64 lower-case hex digits each.
   * Absent: none. Only a revoked key may have one; an empty list is allowed for every key.
   */
  readonly honored?: readonly string[];
}

/** Frozen; only `makeTrust` makes it. */
export interface Trust {
  /** Each kid once. */
  readonly keys: readonly TrustedKey[];
  /** Licenses with only an Ed25519 signature are refused. */
  readonly requireComposite: boolean;
  /**
   * Seconds since 1970. Licenses with only an Ed25519 signature are refused if the time of verifying is this or later.
   */
  readonly ed25519Until?: number;
  /** License ids, lower-case UUIDs. */
  readonly revokedLicenses: ReadonlySet<string>;
  /** Lineage (`lineageKey`) → the lowest counter that is still in force. */
  readonly lowestCounters: ReadonlyMap<string, number>;
}

export interface TrustValues {
  readonly keys: readonly TrustedKey[];
  readonly requireComposite?: boolean;
  readonly ed25519Until?: number;
  readonly revokedLicenses?: Iterable<string>;
  readonly lowestCounters?: Iterable<readonly [string, number]>;
}

/** What the lookup of a key needs, computed once. */
export interface TrustIndex {
  readonly byKid: ReadonlyMap<string, TrustedKey>;
  /** Copies that nobody outside can change. */
  readonly revokedLicenses: ReadonlySet<string>;
  readonly lowestCounters: ReadonlyMap<string, number>;
  /** Kid of a revoked key → the payload digests that it signed and that still count. */
  readonly honored: ReadonlyMap<string, ReadonlySet<string>>;
  /** The kid that the Ed25519 component of a composite would have as a key of its own → the kid of the composite. */
  readonly compositeOfComponent: ReadonlyMap<string, string>;
}

const indexes = new WeakMap<Trust, TrustIndex>();

/**
 * Judges and freezes a trust value.
 *
 * @throws VtlicError `configuration_invalid`: a key that its import refuses; an unknown purpose or status; a product
 *   or tier that is not an id; one kid with different purposes, status or scope; a component that is in two different
 *   keys; a time or a counter out of bounds
 */
export function makeTrust(values: TrustValues): Trust {
  const byKid = new Map<string, TrustedKey>();
  for (const given of values.keys) addKey(byKid, frozenKey(given));
  const keys = [...byKid.values()];
  refuseSharedComponents(keys.map(({ key }) => key));

  const { ed25519Until } = values;
  if (ed25519Until !== undefined) requireInteger('ed25519Until', ed25519Until, MAX_TIME);
  const lowestCounters = new Map(values.lowestCounters);
  for (const [lineage, counter] of lowestCounters) {
    if (!isLineage(lineage))
      throw new VtlicError(
        'configuration_invalid',
        `a lowest counter should be for a lineage "iss/aud/sub" or "iss/aud/sub/dep", not "${cleanText(lineage)}"`,
      );
    requireInteger(`the lowest counter of ${lineage}`, counter, Number.MAX_SAFE_INTEGER);
  }
  const revokedLicenses = new Set(values.revokedLicenses);
  // An id in another form would match no license, and so revoke nothing without an error.
  for (const id of revokedLicenses) {
    if (uuidToBytes(id) === undefined)
      throw new VtlicError(
        'configuration_invalid',
        `a revoked license is named by its id, a lower-case UUID of version 7, not "${cleanText(id)}"`,
      );
  }

  const trust: Trust = Object.freeze({
    keys: Object.freeze(keys),
    requireComposite: values.requireComposite ?? false,
    ...(ed25519Until === undefined ? {} : { ed25519Until }),
    revokedLicenses,
    lowestCounters,
  });
  const compositeOfComponent = new Map<string, string>();
  for (const { key } of keys)
    if (key.mldsa65 !== undefined) compositeOfComponent.set(kidOf('ed25519', key.ed25519), key.kid);
  const honored = new Map<string, ReadonlySet<string>>();
  for (const { key, honored: digests } of keys) if (digests !== undefined) honored.set(key.kid, new Set(digests));
  indexes.set(trust, {
    byKid,
    honored,
    compositeOfComponent,
    revokedLicenses: new Set(revokedLicenses),
    lowestCounters: new Map(lowestCounters),
  });
  return trust;
}

/** @throws VtlicError `usage` for a value that `makeTrust` did not make */
export function indexOfTrust(trust: Trust): TrustIndex {
  const index = indexes.get(trust);
  if (index === undefined) throw new VtlicError('usage', 'the trust value was not made by makeTrust()');
  return index;
}

/**
 * Refuses two different keys that share a component (`keys/public/public-key.ts`).
 *
 * @throws VtlicError `configuration_invalid`
 */
export function refuseSharedComponents(keys: Iterable<PublicKey>): void {
  const shared = findSharedComponent(keys);
  if (shared === undefined) return;
  throw new VtlicError(
    'configuration_invalid',
    `the keys ${shared.join(' and ')} share a component, but a component may be in one key only`,
    {
      hint:
        'Give every key components of its own; with an override, give both components of a composite key ' +
        '(LICENSE_PUBLIC_KEY and LICENSE_MLDSA_PUBLIC_KEY).',
    },
  );
}

function addKey(byKid: Map<string, TrustedKey>, entry: TrustedKey): void {
  const { kid } = entry.key;
  const earlier = byKid.get(kid);
  if (earlier !== undefined && !sameEntry(earlier, entry)) {
    throw new VtlicError(
      'configuration_invalid',
      `the key ${kid} is in the trust value twice, with a different purpose, status or scope`,
    );
  }
  byKid.set(kid, earlier ?? entry);
}

function sameEntry(a: TrustedKey, b: TrustedKey): boolean {
  return (
    a.purpose === b.purpose &&
    a.status === b.status &&
    sameList(a.products, b.products) &&
    sameList(a.tiers, b.tiers) &&
    sameList(a.honored, b.honored)
  );
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function frozenKey({ key, purpose, status, products, tiers, ...given }: TrustedKey): TrustedKey {
  // A copy, since what a caller in JavaScript gives may be a set.
  const honored = given.honored === undefined ? undefined : [...given.honored];
  const made = importedAgain(key);
  if (key.kid !== made.kid)
    throw new VtlicError('usage', `the public key that calls itself ${key.kid} was not made by importPublicKey()`);
  if (!isKeyPurpose(purpose))
    throw new VtlicError(
      'configuration_invalid',
      `the purpose of the key ${made.kid} should be one of ${KEY_PURPOSES.join(', ')}`,
    );
  if (!STATUSES.has(status))
    throw new VtlicError(
      'configuration_invalid',
      `the status of the key ${made.kid} should be one of ${[...STATUSES].join(', ')}`,
    );
  for (const item of [...(products ?? []), ...(tiers ?? [])])
    if (!isId(item))
      throw new VtlicError(
        'configuration_invalid',
        `the products and tiers of the key ${made.kid} should be ids, but ${JSON.stringify(cleanText(item))} is none`,
      );
  if (honored !== undefined && honored.length > 0 && status !== 'revoked')
    throw new VtlicError(
      'configuration_invalid',
      `the key ${made.kid} has honored payloads, which only a revoked key may have, but its status is ${status}`,
    );
  for (const digest of honored ?? [])
    if (!SHA256_HEX.test(digest))
      throw new VtlicError(
        'configuration_invalid',
        `the honored payloads of the key ${made.kid} should be 64 lower-case hex digits each`,
      );
  return Object.freeze({
    // Imported again from its bytes: the components in the given value are not trusted.
    key: made,
    purpose,
    status,
    ...(products === undefined ? {} : { products: Object.freeze([...new Set(products)].sort()) }),
    ...(tiers === undefined ? {} : { tiers: Object.freeze([...new Set(tiers)].sort()) }),
    ...(honored === undefined ? {} : { honored: Object.freeze([...new Set(honored)].sort()) }),
  });
}

/** Checks a key that somebody put together themselves like one that is imported. */
function importedAgain({ alg, bytes }: PublicKey): PublicKey {
  if (!isAlgorithm(alg))
    throw new VtlicError('configuration_invalid', 'a trusted key should be one for ed25519 or ed25519+ml-dsa-65');
  try {
    return importPublicKey(alg, bytes);
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'key_invalid') throw error;
    const { message, hint } = error;
    throw new VtlicError(
      'configuration_invalid',
      `a trusted key is refused: ${message}`,
      hint === undefined ? { cause: error } : { cause: error, hint },
    );
  }
}

function requireInteger(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new VtlicError(
    'configuration_invalid',
    `${name} should be a whole number from 0 to ${max}, but it is ${value}`,
  );
}
