/**
 * The binary part of an age file (c2sp.org/age, "Payload"): a nonce of 16 bytes, then chunks of 64 KiB under
 * ChaCha20-Poly1305. A chunk's nonce is an 11-byte counter and a byte that is 1 only in the last chunk.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';

const NONCE_BYTES = 16;
const TAG_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;

/** @param nonce 16 fresh random bytes. */
export function sealPayload(plain: Uint8Array, fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  const key = payloadKey(fileKey, nonce);
  try {
    const parts: Uint8Array[] = [nonce];
    const chunks = Math.max(1, Math.ceil(plain.length / CHUNK_BYTES));
    for (let i = 0; i < chunks; i++) {
      const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce(i, i === chunks - 1), {
        authTagLength: TAG_BYTES,
      });
      parts.push(
        cipher.update(plain.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)),
        cipher.final(),
        cipher.getAuthTag(),
      );
    }
    return concatBytes(...parts);
  } finally {
    key.fill(0);
  }
}

/** @throws VtlicError `keyfile_corrupt`; nothing of an altered file is returned. */
export function openPayload(payload: Uint8Array, fileKey: Uint8Array): Uint8Array {
  if (payload.length < NONCE_BYTES + TAG_BYTES) throw corrupt('the key file is truncated: it ends before its content');
  const sealed = payload.subarray(NONCE_BYTES);
  const sealedChunk = CHUNK_BYTES + TAG_BYTES;
  const chunks = Math.ceil(sealed.length / sealedChunk);
  const lastChunk = sealed.length - (chunks - 1) * sealedChunk;
  // Only a file of no content ends in an empty chunk.
  if (lastChunk < TAG_BYTES || (chunks > 1 && lastChunk === TAG_BYTES)) {
    throw corrupt('the content of the key file was altered or truncated: it ends in a part too short');
  }
  const plain = new Uint8Array(sealed.length - chunks * TAG_BYTES);
  const key = payloadKey(fileKey, payload.subarray(0, NONCE_BYTES));
  try {
    for (let i = 0; i < chunks; i++) {
      const chunk = sealed.subarray(i * sealedChunk, (i + 1) * sealedChunk);
      const opened = openChunk(chunk, key, chunkNonce(i, i === chunks - 1));
      if (opened === undefined)
        throw corrupt('the content of the key file was altered or truncated: its authentication code does not match');
      plain.set(opened, i * CHUNK_BYTES);
      opened.fill(0);
    }
    return plain;
  } catch (error) {
    plain.fill(0);
    throw error;
  } finally {
    key.fill(0);
  }
}

function openChunk(chunk: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(chunk.subarray(chunk.length - TAG_BYTES));
  const opened = decipher.update(chunk.subarray(0, chunk.length - TAG_BYTES));
  try {
    decipher.final();
    return opened;
  } catch {
    opened.fill(0);
    return undefined;
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, nonce, utf8('payload'), 32));
}

function chunkNonce(index: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function corrupt(message: string): VtlicError {
  return new VtlicError('keyfile_corrupt', message, { hint: 'Restore the key file from its backup.' });
}
