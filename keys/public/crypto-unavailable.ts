/**
 * The error for cryptography that fails: it says nothing about what was judged, so no caller may turn it into a
 * verdict or damage.
 */
import { VtlicError } from '../../formats/error.ts';

/** @param message names the runtime and the algorithm */
export function cryptoUnavailable(message: string, cause?: unknown): VtlicError {
  return new VtlicError('crypto_unavailable', message, {
    hint: 'this says nothing about the file: run the same on another version of the runtime (Node.js 24 LTS)',
    cause,
  });
}

/** Also true of such an error from a worker thread, which arrives with its properties but without its class. */
export function isCryptoUnavailable(error: unknown): error is Error & { readonly code: 'crypto_unavailable' } {
  return error instanceof Error && 'code' in error && error.code === 'crypto_unavailable';
}
