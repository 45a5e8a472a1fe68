/** What a verifier is given (sections 8 and 9 of docs/format.md), and the import of public keys. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { Point } from '@noble/ed25519';

export type Algorithm = 'ed25519' | 'ed25519+ml-dsa-65';

export interface Key {
  readonly alg: Algorithm;
  readonly kid: string;
  /** 32 bytes, or 1984 with ML-DSA-65 first. */
  readonly raw: Uint8Array;
  readonly ed25519: KeyObject;
  readonly mldsa65?: Uint8Array;
  /** Of a composite: the kid that its Ed25519 component would have. */
  readonly componentKid?: string;
  readonly purpose: string;
  readonly status: string;
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly honored?: readonly string[];
}

export interface Trust {
  readonly keys: ReadonlyMap<string, Key>;
  readonly requireComposite: boolean;
  readonly ed25519Until: number;
  readonly revokedLicenses: ReadonlySet<string>;
  readonly lowestCounters: ReadonlyMap<string, number>;
}

export interface Context {
  readonly issuer: string;
  readonly product: string;
  readonly now: number;
  readonly defaultGrace: number;
  readonly deployment?: string;
  readonly hosts?: readonly string[];
  readonly buildDate?: number;
  readonly clock?: number;
  readonly seen?: {
    readonly current: string;
    readonly highestIat: number;
    readonly lineages: ReadonlyMap<string, { readonly counter: number; readonly payloadDigest: string }>;
  };
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function hash(name: string, ...parts: readonly Uint8Array[]): Buffer {
  const made = createHash(name);
  for (const part of parts) made.update(part);
  return made.digest();
}

/** Little-endian, as Ed25519 writes numbers. */
export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
}

/** The eight points of section 6.4. */
export const SMALL_ORDER: ReadonlySet<string> = new Set(
  [
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    '00'.repeat(32),
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ].flatMap((point) => [point, point.slice(0, -2) + (Number.parseInt(point.slice(-2), 16) | 128).toString(16)]),
);

/** Sections 6.2 and 6.4, 1 to 3. @returns undefined for bytes that are no key */
export function importKey(alg: string, bytes: Uint8Array): Omit<Key, 'purpose' | 'status'> | undefined {
  if (bytes.length !== (alg === 'ed25519' ? 32 : alg === 'ed25519+ml-dsa-65' ? 1984 : -1)) return undefined;
  const raw = bytes.subarray(-32);
  const y = numberOf(raw) & (2n ** 255n - 1n);
  if (SMALL_ORDER.has(hex(raw)) || y >= 2n ** 255n - 19n) return undefined;
  try {
    Point.fromBytes(Uint8Array.from(raw));
  } catch {
    return undefined;
  }
  const x = Buffer.from(raw).toString('base64url');
  const ed25519 = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const componentKid = hex(hash('sha256', Buffer.from('a301012006215820', 'hex'), raw));
  const own = Uint8Array.from(bytes);
  if (alg === 'ed25519') return { alg, kid: componentKid, raw: own, ed25519 };
  const head = Buffer.from('a301070371656432353531392b6d6c2d6473612d3635205907c0', 'hex');
  const kid = hex(hash('sha256', head, bytes));
  return { alg: 'ed25519+ml-dsa-65', kid, raw: own, ed25519, mldsa65: own.subarray(0, 1952), componentKid };
}

/** Section 8.2: whether two different keys have a component in common. */
export function shareComponent(keys: readonly Pick<Key, 'kid' | 'raw'>[]): boolean {
  const owners = new Map<string, string>();
  for (const { kid, raw } of keys)
    for (const part of [raw.subarray(-32), ...(raw.length > 32 ? [raw.subarray(0, 1952)] : [])]) {
      if ((owners.get(hex(part)) ?? kid) !== kid) return true;
      owners.set(hex(part), kid);
    }
  return false;
}

/** The trust, the override or the built-in chain is at fault. */
export class ConfigurationInvalid extends Error {}
