/** A keyset's payload: the one encoding of its members. */
import { compareBytes, fromHex } from '../bytes.ts';
import { encodeCbor, type CborMap, type CborValue } from '../cbor/index.ts';
import { encodeCoseKey, type CoseKey } from '../cose-key.ts';
import { VtlicError } from '../error.ts';
import { uuidToBytes } from '../license/id.ts';
import { decodeKeyset } from './decode-keyset.ts';
import type { IssuingKey, Keyset } from './keyset.ts';

/**
 * The payload bytes. Sorts roots, keys and lists; leaves out what is empty.
 *
 * @throws VtlicError `claims_malformed` for whatever a verifier would refuse, found by reading the result again;
 *   `internal` for values that no payload can contain
 */
export function encodeKeyset(keyset: Keyset): Uint8Array {
  const policy = mapOf({ composite: keyset.requireComposite ? true : undefined, ed25519_until: keyset.ed25519Until });
  const payload = encodeCbor(
    mapOf({
      iss: keyset.iss,
      version: keyset.version,
      made: keyset.made,
      expires: keyset.expires,
      roots: sortedBytes(keyset.roots.map(encodingOf)),
      threshold: keyset.threshold,
      keys: [...keyset.keys]
        .sort((a, b) => compareBytes(encodingOf(a), encodingOf(b)))
        .map((key) => issuingKeyMap(key)),
      policy: policy.size === 0 ? undefined : policy,
      revoked: nonEmpty(sortedBytes(keyset.revokedLicenses.map(licenseIdBytes))),
      lowest: keyset.lowestCounters.size === 0 ? undefined : new Map<CborValue, CborValue>(keyset.lowestCounters),
    }),
  );
  decodeKeyset(payload);
  return payload;
}

function issuingKeyMap(key: IssuingKey): CborMap {
  return mapOf({
    key: encodingOf(key),
    purpose: key.purpose,
    status: key.status,
    products: key.products === undefined ? undefined : [...key.products].sort(),
    tiers: key.tiers === undefined ? undefined : [...key.tiers].sort(),
    from: key.from,
    until: key.until,
    honored: key.honored === undefined ? undefined : sortedBytes(key.honored.map(digestBytes)),
  });
}

function encodingOf({ alg, publicBytes }: CoseKey): Uint8Array {
  return encodeCoseKey(alg, publicBytes);
}

function licenseIdBytes(id: string): Uint8Array {
  return uuidToBytes(id) ?? unsayable('a revoked license id');
}

function digestBytes(digest: string): Uint8Array {
  return fromHex(digest) ?? unsayable('a digest');
}

function unsayable(what: string): never {
  throw new VtlicError('internal', `${what} of a keyset has another spelling`);
}

function sortedBytes(items: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...items].sort(compareBytes);
}

function nonEmpty(items: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
  return items.length === 0 ? undefined : items;
}

function mapOf(members: Readonly<Record<string, CborValue | undefined>>): CborMap {
  const map = new Map<CborValue, CborValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) map.set(name, value);
  return map;
}
