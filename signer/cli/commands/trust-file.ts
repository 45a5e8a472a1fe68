import { resolve } from 'node:path';
import { VtlicError } from '../../../formats/error.ts';
import { MAX_KEY_FILE_BYTES, parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { readLimited } from '../../../files/index.ts';
import type { Io } from '../io.ts';

/** Public keys in any form that `vtlic key export` writes. */
export function readTrustFile(io: Io, name: string): readonly PublicKey[] {
  const path = resolve(io.cwd, name);
  try {
    return parsePublicKeys(readLimited(path, MAX_KEY_FILE_BYTES, 'key_invalid'));
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}
