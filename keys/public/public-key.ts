import { toHex } from '../../formats/bytes.ts';
import { ALGORITHMS, type Algorithm } from '../../formats/cose-algorithm.ts';
import { encodeCoseKey } from '../../formats/cose-key.ts';
import { VtlicError } from '../../formats/error.ts';
import { splitCompositeKey } from './composite.ts';
import { decodePoint, isCanonicalEncoding, isSmallOrder, kindOfPoint } from './ed25519-criteria.ts';
import { defaultProvider } from './provider-default.ts';

/** A public key that was judged at import. Frozen; its arrays are its own copies and are not to be written to. */
export interface PublicKey {
  readonly alg: Algorithm;
  /**
   * SHA-256 of the COSE_Key in its thumbprint form (RFC 9679), 64 lower-case hex digits: always computed, never read.
   */
  readonly kid: string;
  /** 32 bytes, or 1984: ML-DSA then Ed25519. */
  readonly bytes: Uint8Array;
  /** 32 bytes. */
  readonly ed25519: Uint8Array;
  /** 1952 bytes; only of a composite. */
  readonly mldsa65?: Uint8Array;
}

export interface ImportOptions {
  /**
   * Refuse mixed-order points too: at key generation, import into a site and publication of a keyset.
   * A verifier need not: most libraries cannot.
   */
  readonly forSite?: boolean;
}

/**
 * Takes the raw bytes of a public key (32, or 1984 for the composite) and judges them (docs/format.md, "Ed25519
 * criteria").
 *
 * @throws VtlicError `key_invalid`: wrong length; an Ed25519 part that is not canonical, of small order, not on the
 *   curve, or with `forSite` of mixed order.
 */
export function importPublicKey(alg: Algorithm, bytes: Uint8Array, options: ImportOptions = {}): PublicKey {
  const { publicKeyBytes } = ALGORITHMS[alg];
  if (bytes.length !== publicKeyBytes) {
    throw new VtlicError('key_invalid', `a public key for ${alg} has ${publicKeyBytes} bytes, not ${bytes.length}`);
  }
  const own = Uint8Array.from(bytes);
  const components = alg === 'ed25519' ? { ed25519: own } : splitCompositeKey(own);
  checkEd25519(components.ed25519, options.forSite === true);
  return Object.freeze({ alg, kid: kidOf(alg, own), bytes: own, ...components });
}

/** The kid of a key's raw bytes, which are not judged here. */
export function kidOf(alg: Algorithm, bytes: Uint8Array): string {
  return toHex(defaultProvider.sha256(encodeCoseKey(alg, bytes)));
}

function checkEd25519(encoding: Uint8Array, forSite: boolean): void {
  const fault = ed25519Fault(encoding, forSite);
  if (fault === undefined) return;
  throw new VtlicError('key_invalid', `the Ed25519 public key ${fault}`, {
    hint: 'No honest generator makes such a key: ask its owner to export it again, and compare the kid.',
  });
}

function ed25519Fault(encoding: Uint8Array, forSite: boolean): string | undefined {
  if (!isCanonicalEncoding(encoding)) return 'is not spelled in its canonical form';
  if (isSmallOrder(encoding)) return 'is a point of small order, under which almost anything verifies';
  const offCurve = 'is not a point of the curve';
  if (!forSite) return decodePoint(encoding) === undefined ? offCurve : undefined;
  const kind = kindOfPoint(encoding);
  if (kind === 'not-on-curve') return offCurve;
  return kind === 'mixed-order' ? 'is a point of mixed order' : undefined;
}

/**
 * The kids of two different keys that share a component. Components of a composite are made for it and used for
 * nothing else: whoever has or breaks one component would otherwise issue under the other key. Entries with one kid
 * are one key.
 */
export function findSharedComponent(keys: Iterable<PublicKey>): readonly [first: string, second: string] | undefined {
  const owners = new Map<string, string>();
  for (const key of keys) {
    const components = [`Ed25519 ${toHex(key.ed25519)}`];
    if (key.alg !== 'ed25519' && key.mldsa65 !== undefined)
      components.push(`ML-DSA-65 ${toHex(defaultProvider.sha256(key.mldsa65))}`);
    for (const component of components) {
      const owner = owners.get(component);
      if (owner !== undefined && owner !== key.kid) return [owner, key.kid];
      owners.set(component, key.kid);
    }
  }
  return undefined;
}
