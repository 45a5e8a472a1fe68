/** What stands where a proof should go. */
import { lstatSync } from 'node:fs';
import { describeFileError, readLimited } from '../../files/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';
import { checkInclusion, type LogKey } from '../ledger/index.ts';

const MAX_PROOF_BYTES = 1 << 20;

/**
 * `holds`: a proof of this very license, to a checkpoint of one of the keys. `other`: anything else, a proof of another
 * license too.
 *
 * @param cose the license as the ledger has it
 * @throws VtlicError `output_unwritable` where that cannot be seen
 */
export function existingProof(path: string, cose: Uint8Array, keys: readonly LogKey[]): 'absent' | 'holds' | 'other' {
  if (!exists(path)) return 'absent';
  try {
    checkInclusion(readLimited(path, MAX_PROOF_BYTES, 'checks_failed'), keys, cose);
    return 'holds';
  } catch (error) {
    if (error instanceof VtlicError && !isCryptoUnavailable(error)) return 'other';
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}
