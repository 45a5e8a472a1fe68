import { VtlicError } from '../../../formats/error.ts';

/** The `VtlicError` that `act` throws; anything else, or nothing, is an error of the test. */
export function faultOf(act: () => unknown): VtlicError {
  try {
    act();
  } catch (error) {
    if (error instanceof VtlicError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** `code@offset`, for tables. */
export function codeAt(act: () => unknown): string {
  const { code, place } = faultOf(act);
  return `${code}@${place.offset ?? '-'}`;
}

export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new Error(`no hex: ${text}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
