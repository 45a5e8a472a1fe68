/** From one version of the keyset to the next: what a person asks for, applied to the version before. */
import type { CoseKey } from '../../formats/cose-key.ts';
import { VtlicError } from '../../formats/error.ts';
import type { IssuingKey, IssuingPurpose, Keyset, KeyStatus } from '../../formats/keyset/keyset.ts';
import { kidOf } from '../../keys/public/public-key.ts';

export interface KeyChange {
  readonly key: CoseKey;
  /** Of a new key; a known one keeps its purpose. */
  readonly purpose?: IssuingPurpose;
  readonly status: KeyStatus;
  /** The products and tiers of a new key; absent: every one. */
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly from?: number;
  readonly until?: number;
  /** Of a revoked key: the payloads that it signed and that still count. */
  readonly honored?: readonly string[];
}

/** Everything that is left out stays as it was. */
export interface KeysetChanges {
  /** The number of the new version; the next one if left out. */
  readonly version?: number;
  readonly expires?: number;
  readonly addRoots?: readonly CoseKey[];
  /** kids */
  readonly removeRoots?: readonly string[];
  readonly threshold?: number;
  readonly keys?: readonly KeyChange[];
  readonly requireComposite?: boolean;
  readonly ed25519Until?: number;
  /** License ids. */
  readonly revokeLicenses?: readonly string[];
  readonly lowestCounters?: ReadonlyMap<string, number>;
}

export function kidOfKey({ alg, publicBytes }: CoseKey): string {
  return kidOf(alg, publicBytes);
}

/** What a key may become. A revoked key stays revoked; a retired key may become active again. */
const NEXT: Readonly<Record<KeyStatus, readonly KeyStatus[]>> = {
  'pre-published': ['active', 'retired', 'revoked'],
  active: ['retired', 'revoked'],
  retired: ['active', 'revoked'],
  revoked: [],
};

/**
 * @param before the version that is in force; undefined for the first
 * @param made seconds since 1970
 * @throws VtlicError `usage` for a change that contradicts the version before
 */
export function applyChanges(
  before: Keyset | undefined,
  changes: KeysetChanges,
  { issuer, made }: { readonly issuer: string; readonly made: number },
): Keyset {
  const next = (before?.version ?? 0) + 1;
  const version = changes.version ?? next;
  if (version < next)
    throw fault(`version ${version} is not above version ${next - 1}, which is published`, `name one from ${next} on`);
  const roots = rootsAfter(before?.roots ?? [], changes);
  const threshold = changes.threshold ?? before?.threshold;
  if (threshold === undefined)
    throw fault('the first keyset needs to say how many root keys sign each version', 'add --threshold N');
  if (threshold > roots.length)
    throw fault(
      `the threshold is ${threshold}, but there ${roots.length === 1 ? 'is 1 root' : `are ${roots.length} roots`}`,
      'add roots with --add-root KEY, or lower --threshold',
    );
  let keys = before?.keys ?? [];
  for (const change of changes.keys ?? []) keys = withKey(keys, change, roots);
  const ed25519Until = changes.ed25519Until ?? before?.ed25519Until;
  const expires = expiryAfter(before, changes, made);
  return {
    iss: issuer,
    version,
    made,
    ...(expires === undefined ? {} : { expires }),
    roots,
    threshold,
    keys,
    requireComposite: changes.requireComposite ?? before?.requireComposite ?? false,
    ...(ed25519Until === undefined ? {} : { ed25519Until }),
    revokedLicenses: [...new Set([...(before?.revokedLicenses ?? []), ...(changes.revokeLicenses ?? [])])],
    lowestCounters: lowestAfter(before?.lowestCounters ?? new Map(), changes.lowestCounters ?? new Map()),
  };
}

function rootsAfter(before: readonly CoseKey[], { addRoots = [], removeRoots = [] }: KeysetChanges): CoseKey[] {
  const roots = new Map(before.map((root) => [kidOfKey(root), root]));
  for (const kid of removeRoots)
    if (!roots.delete(kid)) throw fault(`the key ${kid} is not a root of the version before`, 'see: vtlic keyset show');
  for (const root of addRoots) {
    const kid = kidOfKey(root);
    if (roots.has(kid)) throw fault(`the key ${kid} is a root already`, 'leave it out');
    roots.set(kid, root);
  }
  if (roots.size === 0) throw fault('a keyset needs at least one root key', 'add --add-root KEY');
  return [...roots.values()];
}

function withKey(keys: readonly IssuingKey[], change: KeyChange, roots: readonly CoseKey[]): readonly IssuingKey[] {
  const kid = kidOfKey(change.key);
  if (roots.some((root) => kidOfKey(root) === kid))
    throw fault(`the key ${kid} is a root, which signs keysets only`, 'name an issuing key');
  const known = keys.find((key) => kidOfKey(key) === kid);
  if (known === undefined) return [...keys, newKey(kid, change)];
  if (!NEXT[known.status].includes(change.status))
    throw fault(
      `the key ${kid} is ${known.status}, and cannot become ${change.status}`,
      known.status === 'revoked' ? 'a revoked key stays revoked: use another key' : 'see: vtlic rotation status',
    );
  if (change.purpose !== undefined && change.purpose !== known.purpose)
    throw fault(
      `the key ${kid} has the purpose ${known.purpose}, and a key never gets another purpose`,
      'use another key',
    );
  const { honored: _honored, ...rest } = known;
  const changed: IssuingKey = {
    ...rest,
    ...scopeOf(change),
    status: change.status,
    ...(change.honored === undefined || change.honored.length === 0 ? {} : { honored: change.honored }),
  };
  return keys.map((key) => (key === known ? changed : key));
}

function newKey(kid: string, change: KeyChange): IssuingKey {
  if (change.status !== 'pre-published' && change.status !== 'active')
    throw fault(
      `the key ${kid} is in no keyset yet, so it cannot become ${change.status}`,
      'pre-publish it first: vtlic rotation pre-publish KEY',
    );
  const { alg, publicBytes } = change.key;
  return { alg, publicBytes, purpose: change.purpose ?? 'license', status: change.status, ...scopeOf(change) };
}

function scopeOf({
  products,
  tiers,
  from,
  until,
}: KeyChange): Pick<IssuingKey, 'products' | 'tiers' | 'from' | 'until'> {
  return {
    ...(products === undefined ? {} : { products }),
    ...(tiers === undefined ? {} : { tiers }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
}

function expiryAfter(before: Keyset | undefined, changes: KeysetChanges, made: number): number | undefined {
  if (changes.expires !== undefined) return changes.expires;
  if (before?.expires === undefined) return undefined;
  if (before.expires > made) return before.expires;
  throw fault(
    `version ${before.version} has expired, and the new version would keep its date of expiry`,
    'add --expires DATE',
  );
}

function lowestAfter(
  before: ReadonlyMap<string, number>,
  changes: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const lowest = new Map(before);
  for (const [lineage, counter] of changes) {
    const earlier = lowest.get(lineage);
    if (earlier !== undefined && counter < earlier)
      throw fault(
        `the lowest counter of ${lineage} is already ${earlier}, and no later version may lower it`,
        `name ${earlier} or more`,
      );
    lowest.set(lineage, counter);
  }
  return lowest;
}

function fault(message: string, hint: string): VtlicError {
  return new VtlicError('usage', message, { hint });
}

/** A key whose status differs between two versions. */
export interface StatusChange {
  readonly kid: string;
  readonly key: IssuingKey;
  /** undefined for a key that is new. */
  readonly from: KeyStatus | undefined;
  readonly to: KeyStatus;
}

export function statusChanges(before: Keyset | undefined, after: Keyset): readonly StatusChange[] {
  const earlier = new Map((before?.keys ?? []).map((key) => [kidOfKey(key), key.status]));
  return after.keys.flatMap((key) => {
    const kid = kidOfKey(key);
    const from = earlier.get(kid);
    return from === key.status ? [] : [{ kid, key, from, to: key.status }];
  });
}
