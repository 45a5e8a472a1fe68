/** Other spellings of the hint of an ML-DSA-65 signature (FIPS 204 algorithms 20 and 21). */

const MLDSA65_SIGNATURE_BYTES = 3309;
/** ω: at most so many indices. k: the polynomials, each with the end of its indices. */
const [MAX_INDICES, POLYNOMIALS] = [55, 6];
const HINT = MLDSA65_SIGNATURE_BYTES - MAX_INDICES - POLYNOMIALS;

/** The hint in the one spelling that is allowed → the same hint in another one. */
const SPELLINGS: Readonly<Record<'unsorted' | 'repeated' | 'unused', (hint: Uint8Array) => void>> = {
  unsorted: (hint) => {
    const [first = 0, second = 0] = hint;
    hint.set([second, first]);
  },
  repeated: (hint) => {
    hint.copyWithin(1, 0, MAX_INDICES - 1);
    for (let i = MAX_INDICES; i < hint.length; i++) hint[i] = (hint[i] ?? 0) + 1;
  },
  unused: (hint) => hint.fill(255, MAX_INDICES - 1, MAX_INDICES),
};

export type HintSpelling = keyof typeof SPELLINGS;

/** @param signature of ML-DSA-65, or of a composite; its first polynomial has two hints or more, and an index is unused */
export function respelledHint(signature: Uint8Array, spelling: HintSpelling): Uint8Array {
  const out = Uint8Array.from(signature);
  SPELLINGS[spelling](out.subarray(HINT, MLDSA65_SIGNATURE_BYTES));
  return out;
}

/** What a verifier sees that only collects the indices of each polynomial. */
export function canonicalHint(signature: Uint8Array): Uint8Array {
  const out = Uint8Array.from(signature);
  const hint = out.subarray(HINT, MLDSA65_SIGNATURE_BYTES);
  const [indices, ends] = [hint.slice(0, MAX_INDICES), hint.slice(MAX_INDICES)];
  hint.fill(0, 0, MAX_INDICES);
  let [from, to] = [0, 0];
  ends.forEach((end, i) => {
    const own = [...new Set(indices.subarray(from, end))].sort((a, b) => a - b).slice(0, MAX_INDICES - to);
    hint.set(own, to);
    from = end;
    to += own.length;
    hint[MAX_INDICES + i] = to;
  });
  return out;
}
