/** ML-DSA-65 with a context by node:crypto, in the cheaper of two forms. */
import { verify, type KeyObject } from 'node:crypto';

/** What `verify` takes: the key and its options in one object, or the key with an option of its own. */
type KeyWithContext = KeyObject & { context?: Uint8Array | undefined };

/**
 * Whether this Node reads the context off the key itself. Of an object around the key it first asks whether that is a key, and throws
 * and catches an error for each no, which takes a seventh of a verification.
 */
let readsContextOfKey: boolean | undefined;

/** @param context at most 255 bytes (FIPS 204 §5.3) */
export function verifyWithContext(
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
  context: Uint8Array,
): boolean {
  if (readsContextOfKey === true) return verifyOnKey(key, message, signature, context);
  const holds = verify(null, message, { key, context }, signature);
  if (holds) readsContextOfKey ??= isReadOffKey(key, message, signature, context);
  return holds;
}

/** Tried once, on the first signature that holds: a context that is left out must not go unnoticed. */
function isReadOffKey(key: KeyObject, message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean {
  try {
    return verifyOnKey(key, message, signature, context) && !verifyOnKey(key, message, signature, otherThan(context));
  } catch {
    // A Node whose keys take no property of ours.
    return false;
  }
}

function verifyOnKey(key: KeyWithContext, message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean {
  key.context = context;
  try {
    return verify(null, message, key, signature);
  } finally {
    key.context = undefined;
  }
}

function otherThan(context: Uint8Array): Uint8Array {
  return context.length === 0 ? Uint8Array.of(0) : context.map((byte) => byte ^ 1);
}
