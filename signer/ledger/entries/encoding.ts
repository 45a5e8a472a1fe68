/** Digests and key ids as bytes. */
import { fromHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';

/** 32 bytes. A plain array, so that computed digests and the blobs that SQLite returns have the same type. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nodeProvider.sha256(bytes);
}

export function bytesOfKid(kid: string): Uint8Array {
  const bytes = fromHex(kid);
  if (bytes === undefined) throw new VtlicError('internal', 'a kid is hex digits');
  return bytes;
}
