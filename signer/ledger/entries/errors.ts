import { VtlicError } from '../../../formats/error.ts';

/**
 * The stored bytes contradict themselves. `what` is a clause: "entry 7: its chain value does not follow from entry 6".
 */
export function ledgerCorrupt(
  what: string,
  details: { readonly file?: string; readonly cause?: unknown } = {},
): VtlicError {
  return new VtlicError('ledger_corrupt', `the ledger is damaged or was changed: ${what}`, { ...details, hint: HINT });
}

/** The error that another thread found: only its message was passed on. */
export function ledgerDamage(message: string, file: string): VtlicError {
  return new VtlicError('ledger_corrupt', message, { file, hint: HINT });
}

const HINT = 'restore the newest good copy, and keep the damaged file: vtlic ledger restore COPY';
