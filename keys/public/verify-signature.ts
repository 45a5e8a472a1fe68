import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from './composite.ts';
import { defaultProvider } from './provider-default.ts';
import type { Provider } from './provider.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Whether the signature (64 bytes, or 3373 for the composite, ML-DSA first) is valid for the message. A composite
 * signature is valid only if both components are. Returns false for a wrong length. For anything COSE the message is
 * the Sig_structure.
 */
export function verifySignature(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  provider: Provider = defaultProvider,
): boolean {
  if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;
  // By alg, an own property of every key: a polluted Object.prototype cannot turn a key into a composite.
  if (key.alg === 'ed25519' || key.mldsa65 === undefined)
    return provider.ed25519Verify(key.ed25519, message, signature);
  const both = compositeMessage(message, provider);
  const components = splitCompositeSignature(signature);
  return (
    provider.ed25519Verify(key.ed25519, both, components.ed25519) &&
    provider.mldsa65Verify(key.mldsa65, both, components.mldsa65, COMPOSITE_LABEL)
  );
}
