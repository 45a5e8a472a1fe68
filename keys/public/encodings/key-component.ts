/** What one SPKI contains: an Ed25519 key, an ML-DSA-65 key that needs one beside it, or a composite in one piece. */
import { concatBytes } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { importPublicKey, type ImportOptions, type PublicKey } from '../public-key.ts';

export type ComponentKind = 'ed25519' | 'ml-dsa-65';

export interface KeyComponent {
  readonly kind: ComponentKind | 'composite';
  /** 32 bytes, 1952, or 1984. */
  readonly bytes: Uint8Array;
}

/**
 * Pairs components in their order: an ML-DSA-65 key and the Ed25519 key right after it are one composite; an Ed25519
 * key alone is a key, and so is a composite in one piece. An ML-DSA-65 key alone is none.
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
      if (mldsa65 !== undefined) throw lonely();
      mldsa65 = bytes;
    } else if (kind === 'composite') {
      if (mldsa65 !== undefined) throw lonely();
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
  if (mldsa65 !== undefined) throw lonely();
  return keys;
}

function lonely(): VtlicError {
  return new VtlicError(
    'key_invalid',
    'an ML-DSA-65 key should be followed by the Ed25519 key of its composite, but it stands alone',
    {
      hint: 'Put both keys into one file, ML-DSA first.',
    },
  );
}
