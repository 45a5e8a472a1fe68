/** The helper by which tests catch an error: it is ours, or the test fails with what was thrown instead. */
import { VtlicError } from '../../formats/error.ts';

/** The error that `act` throws. */
export function thrown(act: () => unknown): VtlicError {
  try {
    act();
  } catch (error) {
    if (error instanceof VtlicError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The error that `work` ends with. */
export async function rejected(work: Promise<unknown>): Promise<VtlicError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof VtlicError) return error;
  throw new Error(error === undefined ? 'nothing was thrown' : 'another error was thrown', { cause: error });
}

/** Code and message on one line, for a comparison with both. */
export function inWords({ code, message }: VtlicError): string {
  return `${code}: ${message}`;
}

/** `code@offset`, for tables. */
export function codeAt(act: () => unknown): string {
  const { code, place } = thrown(act);
  return `${code}@${place.offset ?? '-'}`;
}
