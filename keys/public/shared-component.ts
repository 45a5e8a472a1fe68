import { toHex } from '../../formats/bytes.ts';
import { defaultProvider } from './provider-default.ts';
import type { PublicKey } from './public-key.ts';

/**
 * The kids of two different keys that share a component. Components of a composite are made for it and used for
 * nothing else: whoever holds or breaks one component would otherwise issue under the other key. Entries with one kid
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
