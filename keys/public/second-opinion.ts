import type { Provider } from './provider.ts';
import { nobleProvider } from './provider-noble.ts';
import { nodeProvider } from './provider-node.ts';

/**
 * The provider that judges what `maker` signed: never the maker itself. A token's signature is judged by node:crypto.
 */
export function otherProvider(maker: 'node' | 'noble' | 'token'): Provider {
  return maker === 'node' ? nobleProvider : nodeProvider;
}
