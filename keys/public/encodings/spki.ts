/**
 * SubjectPublicKeyInfo. A composite has two published forms: two structures, one for each component, ML-DSA-65 first;
 * or one structure with the OID of draft-ietf-lamps-pq-composite-sigs-19.
 */
import { concatBytes, equalBytes, fromHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import {
  ED25519_PUBLIC_KEY_BYTES,
  ED25519_SPKI_PREFIX,
  MLDSA65_PUBLIC_KEY_BYTES,
  MLDSA65_SPKI_PREFIX,
} from '../provider.ts';
import { type ImportOptions, importPublicKey, type PublicKey } from '../public-key.ts';
import { explainDer } from './explain-der.ts';

/**
 * The DER before a composite in one piece: OID 1.3.6.1.5.5.7.6.48, id-MLDSA65-Ed25519-SHA512
 * (draft-ietf-lamps-pq-composite-sigs-19). 1984 bytes follow, the ML-DSA-65 key and then the Ed25519 key.
 */
export const COMPOSITE_SPKI_PREFIX: Uint8Array =
  fromHex('308207d1300a06082b06010505070630038207c100') ?? new Uint8Array();

export type ComponentKind = 'ed25519' | 'ml-dsa-65';

/**
 * What one structure contains: an Ed25519 key, an ML-DSA-65 key that needs an Ed25519 key beside it, or a composite in
 * one piece.
 */
export interface KeyComponent {
  readonly kind: ComponentKind | 'composite';
  /** 32 bytes, 1952, or 1984. */
  readonly bytes: Uint8Array;
}

/** Ed25519: one DER structure of 44 bytes. Composite: two, of 1974 and 44 bytes. */
export function encodeSpki(key: PublicKey): readonly Uint8Array[] {
  const ed25519 = concatBytes(ED25519_SPKI_PREFIX, key.ed25519);
  return key.mldsa65 === undefined ? [ed25519] : [concatBytes(MLDSA65_SPKI_PREFIX, key.mldsa65), ed25519];
}

/** A composite as one DER structure of 2005 bytes. */
export function encodeCompositeSpki(compositeBytes: Uint8Array): Uint8Array {
  return concatBytes(COMPOSITE_SPKI_PREFIX, compositeBytes);
}

const FORMS = [
  { kind: 'ed25519', prefix: ED25519_SPKI_PREFIX, keyBytes: ED25519_PUBLIC_KEY_BYTES },
  { kind: 'ml-dsa-65', prefix: MLDSA65_SPKI_PREFIX, keyBytes: MLDSA65_PUBLIC_KEY_BYTES },
  {
    kind: 'composite',
    prefix: COMPOSITE_SPKI_PREFIX,
    keyBytes: MLDSA65_PUBLIC_KEY_BYTES + ED25519_PUBLIC_KEY_BYTES,
  },
] as const;

/**
 * The components of one or more DER structures that follow one another with nothing between.
 *
 * @throws VtlicError `key_invalid` for any other algorithm, encoding or rest
 */
export function decodeSpki(der: Uint8Array): readonly KeyComponent[] {
  const components: KeyComponent[] = [];
  let at = 0;
  while (at < der.length) {
    const form = FORMS.find(({ prefix }) => equalBytes(der.subarray(at, at + prefix.length), prefix));
    if (form === undefined) throw explainDer(der.subarray(at)).at({ offset: at });
    const end = at + form.prefix.length + form.keyBytes;
    if (end > der.length)
      throw new VtlicError('key_invalid', `the DER of the ${form.kind} key is truncated`, { offset: at });
    components.push({ kind: form.kind, bytes: der.slice(at + form.prefix.length, end) });
    at = end;
  }
  return components;
}

/**
 * Pairs components in their order: an ML-DSA-65 key and the Ed25519 key right after it are one composite; an Ed25519
 * key without one before it is a key, and so is a composite in one piece. A single ML-DSA-65 key is none.
 *
 * @throws VtlicError `key_invalid`
 */
export function keysOfComponents(
  components: readonly KeyComponent[],
  options: ImportOptions = {},
): readonly PublicKey[] {
  const keys: PublicKey[] = [];
  let mldsa65: Uint8Array | undefined;
  for (const { kind, bytes } of components) {
    if (kind === 'ml-dsa-65') {
      if (mldsa65 !== undefined) throw unpairedMldsa65();
      mldsa65 = bytes;
    } else if (kind === 'composite') {
      if (mldsa65 !== undefined) throw unpairedMldsa65();
      keys.push(importPublicKey('ed25519+ml-dsa-65', bytes, options));
    } else {
      keys.push(
        mldsa65 === undefined
          ? importPublicKey('ed25519', bytes, options)
          : importPublicKey('ed25519+ml-dsa-65', concatBytes(mldsa65, bytes), options),
      );
      mldsa65 = undefined;
    }
  }
  if (mldsa65 !== undefined) throw unpairedMldsa65();
  return keys;
}

function unpairedMldsa65(): VtlicError {
  return new VtlicError(
    'key_invalid',
    'an ML-DSA-65 key should be followed by the Ed25519 key of its composite, but nothing follows it',
    {
      hint: 'Put both keys into one file, ML-DSA first.',
    },
  );
}
