/** The exit code of each error. */
import type { ErrorCode } from '../../formats/error.ts';
import { EXIT } from '../../formats/exit-codes.ts';

export { EXIT };

const OF_CODE: Readonly<Record<ErrorCode, number>> = {
  internal: EXIT.defect,
  usage: EXIT.usage,
  configuration_invalid: EXIT.usage,
  file_unreadable: EXIT.usage,
  json_malformed: EXIT.usage,
  key_invalid: EXIT.usage,
  crypto_unavailable: EXIT.usage,
  license_refused: EXIT.notValid,
  secret_missing: EXIT.usage,
  request_invalid: EXIT.requestRefused,
  policy_refused: EXIT.requestRefused,
  ledger_missing: EXIT.ledgerRefused,
  ledger_version: EXIT.ledgerRefused,
  ledger_corrupt: EXIT.ledgerRefused,
  ledger_rolled_back: EXIT.ledgerRefused,
  ledger_conflict: EXIT.ledgerRefused,
  ledger_in_use: EXIT.ledgerRefused,
  clock_refused: EXIT.ledgerRefused,
  key_claimed: EXIT.ledgerRefused,
  module_unusable: EXIT.notFound,
  token_not_found: EXIT.notFound,
  token_ambiguous: EXIT.notFound,
  key_not_found: EXIT.notFound,
  key_ambiguous: EXIT.notFound,
  passphrase_refused: EXIT.secretRefused,
  keyfile_corrupt: EXIT.usage,
  pin_refused: EXIT.secretRefused,
  pin_locked: EXIT.secretRefused,
  pin_last_try: EXIT.secretRefused,
  signing_failed: EXIT.signingFailed,
  signing_unknown: EXIT.signingUnknown,
  declined: EXIT.declined,
  plan_stale: EXIT.declined,
  output_exists: EXIT.notWritten,
  output_unwritable: EXIT.notWritten,
  ledger_unwritable: EXIT.notWritten,
  self_check_failed: EXIT.selfCheck,
  checks_failed: EXIT.checksFailed,
  interrupted: EXIT.interrupted,
  // Faults of a license file, where a command other than `verify` was given one.
  too_large: EXIT.notValid,
  armor_malformed: EXIT.notValid,
  cbor_malformed: EXIT.notValid,
  cbor_not_deterministic: EXIT.notValid,
  cose_malformed: EXIT.notValid,
  typ_wrong: EXIT.notValid,
  alg_unknown: EXIT.notValid,
  claims_malformed: EXIT.notValid,
  claims_unknown: EXIT.notValid,
};

export function exitCodeOf(code: ErrorCode): number {
  return OF_CODE[code];
}
