/**
 * SubjectPublicKeyInfo. A composite has two published forms: two structures, one for each component, ML-DSA-65 first;
 * or one structure with the OID of draft-ietf-lamps-pq-composite-sigs-19.
 */
import { concatBytes, equalBytes } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { ED25519_PUBLIC_KEY_BYTES, MLDSA65_PUBLIC_KEY_BYTES } from '../provider.ts';
import type { PublicKey } from '../public-key.ts';
import { COMPOSITE_SPKI_PREFIX, ED25519_SPKI_PREFIX, MLDSA65_SPKI_PREFIX } from '../spki-prefix.ts';
import { explainDer } from './explain-der.ts';
import type { KeyComponent } from './key-component.ts';

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
