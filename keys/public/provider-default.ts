import { probedProvider, type ProbedProvider } from './probed-provider.ts';
import { nobleProvider } from './provider-noble.ts';
import { nodeProviderOf } from './provider-node.ts';
import type { Provider, ProviderAlgorithm, ProviderName } from './provider.ts';
import { findNodeCrypto, runtimeName, type NodeCrypto } from './runtime.ts';

/** node:crypto for each algorithm that it computes rightly, and noble for the others. */
export function chooseProvider(crypto: NodeCrypto | undefined, runtime: string): ProbedProvider {
  const candidate = crypto === undefined ? undefined : nodeProviderOf(crypto);
  return probedProvider('default', candidate, runtime, nobleProvider);
}

const here = chooseProvider(findNodeCrypto(), runtimeName());

/** The provider that a verifier uses where it is given none: the fastest that is right, on every runtime. */
export const defaultProvider: Provider = here.provider;

/** Which provider computes each algorithm on this runtime: for support, and for tests. */
export function chosenProviders(): Readonly<Record<ProviderAlgorithm, ProviderName>> {
  return {
    sha256: here.chosen('sha256').name,
    sha512: here.chosen('sha512').name,
    ed25519: here.chosen('ed25519').name,
    mldsa65: here.chosen('mldsa65').name,
  };
}
