/** Which keys of a keyset sign licenses at a time, and of which products and tiers none does. */
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';

/** Product → its tiers. */
export type Sold = ReadonlyMap<string, readonly string[]>;

export function isSignedFor({ purpose, products }: IssuingKey, product: string): boolean {
  return purpose === 'license' && products?.includes(product) !== false;
}

/** Whether licenses are signed with a key at that time, and are in force by the policy. */
export function signsAt({ alg, status, from = 0, until }: IssuingKey, after: Keyset, at: number): boolean {
  const { requireComposite, ed25519Until } = after;
  if (alg === 'ed25519' && (requireComposite || (ed25519Until !== undefined && ed25519Until <= at))) return false;
  return status === 'active' && from <= at && (until === undefined || at < until);
}

/** Whether a key for these products, or tiers, is for all of the others; absent: every one. */
export function containsAll(of: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  return of === undefined || (others !== undefined && others.every((each) => of.includes(each)));
}

/** Of a product or a tier that nobody can name: only a key without a list signs for it. */
const ANY = '';

/**
 * The products and tiers that these keys may sign for, and for which no key of the keyset signs at that time: in words
 * that follow "licenses"; undefined where there is none.
 */
export function unsigned(keys: readonly IssuingKey[], after: Keyset, at: number, sold: Sold): string | undefined {
  const signers = after.keys.filter((key) => key.purpose === 'license' && signsAt(key, after, at));
  let isSome = false;
  const missing = new Set<string>();
  for (const { products, tiers, until } of keys) {
    if (until !== undefined && until <= at) continue;
    for (const product of products ?? (sold.size === 0 ? [ANY] : sold.keys()))
      for (const tier of tiersOf(product, tiers, sold))
        if (signers.some((key) => key.products?.includes(product) !== false && key.tiers?.includes(tier) !== false))
          isSome = true;
        else missing.add(product === ANY ? ANY : tier === ANY ? product : `${product} / ${tier}`);
  }
  if (missing.size === 0) return undefined;
  const named = [...missing].filter((each) => each !== ANY);
  return !isSome && signers.length === 0 ? '' : named.length === 0 ? ' of every product' : ` of ${named.join(', ')}`;
}

function tiersOf(product: string, tiers: readonly string[] | undefined, sold: Sold): readonly string[] {
  const known = sold.get(product);
  if (known === undefined) return tiers ?? [ANY];
  return tiers === undefined ? known : known.filter((tier) => tiers.includes(tier));
}
