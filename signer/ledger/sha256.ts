import { hash } from 'node:crypto';

/** 32 bytes. A plain array, so that what is computed and what SQLite gives back are of one type. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = hash('sha256', bytes, 'buffer');
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
}
