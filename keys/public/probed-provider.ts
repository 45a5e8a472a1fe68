/** A provider that computes nothing before it has given the known answers, algorithm by algorithm. */
import { cryptoUnavailable, type Provider, type ProviderAlgorithm, type ProviderName } from './provider.ts';
import { givesKnownAnswers } from './known-answers.ts';

const NAMES: Readonly<Record<ProviderAlgorithm, string>> = {
  sha256: 'SHA-256',
  sha512: 'SHA-512',
  ed25519: 'Ed25519',
  mldsa65: 'ML-DSA-65 with a context',
};

export interface ProbedProvider {
  readonly provider: Provider;
  /**
   * The provider that computes this algorithm from now on.
   *
   * @throws VtlicError `crypto_unavailable` where there is none
   */
  readonly chosen: (algorithm: ProviderAlgorithm) => Provider;
}

/**
 * Probes `candidate` for each algorithm once, when it is first needed. What it throws after that is
 * `crypto_unavailable`: a fault of the runtime is not a verdict on a signature.
 *
 * @param candidate undefined where the runtime has none
 * @param runtime for the message: `Node.js 22.1.0`
 * @param otherwise computes what the candidate cannot; without it, that is `crypto_unavailable`
 */
export function probedProvider(
  name: ProviderName,
  candidate: Provider | undefined,
  runtime: string,
  otherwise?: Provider,
): ProbedProvider {
  // A map, so that a property which someone put on Object.prototype is never taken for a choice.
  const choices = new Map<ProviderAlgorithm, Provider>();

  function chosen(algorithm: ProviderAlgorithm): Provider {
    const known = choices.get(algorithm);
    if (known !== undefined) return known;
    const choice = candidate !== undefined && givesKnownAnswers(candidate, algorithm) ? candidate : otherwise;
    if (choice === undefined) throw cryptoUnavailable(`node:crypto of ${runtime} computes ${NAMES[algorithm]} wrongly`);
    choices.set(algorithm, choice);
    return choice;
  }

  function compute<T>(algorithm: ProviderAlgorithm, by: (provider: Provider) => T): T {
    const provider = chosen(algorithm);
    try {
      return by(provider);
    } catch (error) {
      throw cryptoUnavailable(`${runtime} failed to compute ${NAMES[algorithm]}: ${textOf(error)}`, error);
    }
  }

  return {
    chosen,
    provider: Object.freeze<Provider>({
      name,
      sha256: (bytes) => compute('sha256', (by) => by.sha256(bytes)),
      sha512: (bytes) => compute('sha512', (by) => by.sha512(bytes)),
      ed25519Verify: (publicKey, message, signature) =>
        compute('ed25519', (by) => by.ed25519Verify(publicKey, message, signature)),
      mldsa65Verify: (publicKey, message, signature, context) =>
        compute('mldsa65', (by) => by.mldsa65Verify(publicKey, message, signature, context)),
    }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it threw a value that is not an error';
}
