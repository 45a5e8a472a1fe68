/** The real process's two streams: results, and the narrative. */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { writeAll } from './streams.ts';

/** @throws VtlicError `output_unwritable` */
export function writeResult(result: string | Uint8Array): void {
  try {
    writeAll(1, result);
  } catch (error) {
    throw new VtlicError(
      'output_unwritable',
      'the result could not be written to standard output; what was done stands',
      {
        hint: 'where a license was issued, the ledger holds it and its file is written: do not issue it again',
        cause: error,
      },
    );
  }
}

export function writeLine(line: string): void {
  try {
    writeAll(2, `${cleanText(line, Number.MAX_SAFE_INTEGER)}\n`);
  } catch {
    // Nowhere is left to say it; the act itself goes on, and the exit code tells.
  }
}
