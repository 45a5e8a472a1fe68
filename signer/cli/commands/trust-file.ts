import { resolve } from 'node:path';
import { VtlicError } from '../../../formats/error.ts';
import { parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { readLimited } from '../../../files/index.ts';
import type { Io } from '../io.ts';

const MOST_KEY_BYTES = 1 << 20;

/** Public keys in any form that `vtlic key export` writes. */
export function readTrustFile(io: Io, name: string): readonly PublicKey[] {
  const path = resolve(io.cwd, name);
  try {
    return parsePublicKeys(readLimited(path, MOST_KEY_BYTES));
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}
