import { jsonLine } from '../../formats/json/json-line.ts';
import type { VtlicError } from '../../formats/error.ts';
import { errorDocument, errorLines } from './output.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Io } from './io.ts';

/** Says an error on standard error, and as a document on standard output where `--json` asks for one; returns the exit code. */
export function reportError(error: VtlicError, argv: readonly string[], { out, err }: Pick<Io, 'out' | 'err'>): number {
  for (const line of errorLines(error)) err(line);
  if (argv.includes('--json')) tryToWrite(out, jsonLine(errorDocument(error)));
  return exitCodeOf(error.code);
}

/** The exit code tells where standard output takes nothing. */
function tryToWrite(out: Io['out'], text: string): void {
  try {
    out(text);
  } catch {
    // Said on standard error already.
  }
}
