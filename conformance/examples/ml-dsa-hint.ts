/** Other spellings of the hint of an ML-DSA-65 signature (FIPS 204 algorithms 20 and 21). */

export const MLDSA65_SIGNATURE_BYTES = 3309;
/** ω: at most so many indices. k: the polynomials, each with the end of its indices. */
export const MAX_INDICES = 55;
const POLYNOMIALS = 6;
/** Where the hint begins. */
export const HINT: number = MLDSA65_SIGNATURE_BYTES - MAX_INDICES - POLYNOMIALS;

/** The hint in the one spelling that is allowed → the same hint in another one. */
const SPELLINGS: Readonly<Record<'unsorted' | 'repeated' | 'unused', (hint: Uint8Array) => void>> = {
  unsorted: (hint) => {
    const [first = 0, second = 0] = hint;
    hint[0] = second;
    hint[1] = first;
  },
  repeated: (hint) => {
    hint.copyWithin(1, 0, MAX_INDICES - 1);
    for (let i = MAX_INDICES; i < hint.length; i++) hint[i] = (hint[i] ?? 0) + 1;
  },
  unused: (hint) => hint.fill(255, MAX_INDICES - 1, MAX_INDICES),
};

export type HintSpelling = keyof typeof SPELLINGS;

/**
 * @param signature of ML-DSA-65, or of a composite; its first polynomial has two hints or more, and an index is unused.
 *   If it is cut, only what is left of the hint changes
 */
export function respelledHint(signature: Uint8Array, spelling: HintSpelling): Uint8Array {
  const out = Uint8Array.from(signature);
  SPELLINGS[spelling](out.subarray(HINT, MLDSA65_SIGNATURE_BYTES));
  return out;
}
