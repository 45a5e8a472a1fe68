/**
 * The one error type of the toolkit, with a closed set of codes.
 *
 * Codes are the interface, messages are not. A verdict about a license is a value
 * (`verifier/verdict.ts`); what is thrown is misuse, bad input or a failed act.
 */

/** Faults of encodings, in the order in which a verifier meets them (docs/format.md, "The order, and the reasons"). */
export type FormatFault =
  | 'too_large'
  | 'armor_malformed'
  | 'cbor_malformed'
  | 'cbor_not_deterministic'
  | 'cose_malformed'
  | 'typ_wrong'
  | 'alg_unknown'
  | 'claims_malformed'
  | 'claims_unknown';

/** Everything else that can go wrong; each maps to one exit code (`signer/cli/exit-codes.ts`). */
export type ToolFault =
  | 'internal'
  | 'usage'
  | 'configuration_invalid'
  | 'file_unreadable'
  | 'json_malformed'
  | 'key_invalid'
  /** The runtime's cryptography fails, so there is no verdict on the bytes. */
  | 'crypto_unavailable'
  /** A product in production must not start; `cause` is the runtime's notice with the reason. */
  | 'license_refused'
  | 'secret_missing'
  | 'request_invalid'
  | 'policy_refused'
  | 'ledger_missing'
  | 'ledger_version'
  | 'ledger_corrupt'
  | 'ledger_rolled_back'
  | 'ledger_conflict'
  | 'ledger_in_use'
  | 'clock_refused'
  | 'key_claimed'
  | 'module_unusable'
  | 'token_not_found'
  | 'token_ambiguous'
  | 'key_not_found'
  | 'key_ambiguous'
  | 'passphrase_refused'
  | 'keyfile_corrupt'
  | 'pin_refused'
  | 'pin_locked'
  | 'pin_last_try'
  | 'signing_failed'
  | 'signing_unknown'
  | 'declined'
  | 'plan_stale'
  | 'output_exists'
  | 'output_unwritable'
  | 'ledger_unwritable'
  | 'self_check_failed'
  | 'checks_failed'
  | 'interrupted';

export type ErrorCode = FormatFault | ToolFault;

/** The place of the fault, as far as it is known. Lines and columns count from 1, offsets are bytes from 0. */
export interface ErrorPlace {
  readonly file?: string;
  readonly field?: string;
  readonly line?: number;
  readonly column?: number;
  readonly offset?: number;
}

export interface ErrorDetails extends ErrorPlace {
  /** The next command or act that mends it, in one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class VtlicError extends Error {
  override readonly name = 'VtlicError';
  readonly code: ErrorCode;
  readonly place: ErrorPlace;
  readonly hint: string | undefined;

  /**
   * @param message one sentence: what was expected and what was found. Clean untrusted text in it with `cleanText`.
   */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const { hint, cause: _cause, ...place } = details;
    this.code = code;
    this.place = Object.freeze(place);
    this.hint = hint;
  }

  /** The same error with more of its place: what a caller knows and the thrower did not (a file name, for example). */
  at(place: ErrorPlace): VtlicError {
    return new VtlicError(this.code, this.message, {
      ...place,
      ...this.place,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      cause: this.cause,
    });
  }
}
