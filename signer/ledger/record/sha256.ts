import { nodeProvider } from '../../../keys/public/provider-node.ts';

/** 32 bytes. A plain array, so that what is computed and what SQLite gives back are of one type. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nodeProvider.sha256(bytes);
}
