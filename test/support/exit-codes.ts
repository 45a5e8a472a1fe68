/**
 * The exit codes as README.md promises them, written down a second time: a test that compares a run with the program's
 * own constant cannot notice that the constant was changed. `test/cli/exit-codes.test.ts` compares both with README.md.
 */
import type { ErrorCode } from '../../formats/error.ts';

export const EXIT = {
  done: 0,
  defect: 1,
  usage: 2,
  requestRefused: 3,
  ledgerRefused: 4,
  notFound: 5,
  secretRefused: 6,
  signingFailed: 7,
  signingUnknown: 8,
  declined: 10,
  notWritten: 11,
  selfCheck: 17,
  partFailed: 18,
  checksFailed: 19,
  notValid: 20,
  notInForce: 21,
  rolledBack: 22,
  inGrace: 23,
  freeTier: 24,
  interrupted: 130,
} as const;

const OF_CODE: Readonly<Record<ErrorCode, number>> = {
  internal: 1,
  usage: 2,
  configuration_invalid: 2,
  file_unreadable: 2,
  json_malformed: 2,
  key_invalid: 2,
  crypto_unavailable: 2,
  secret_missing: 2,
  keyfile_corrupt: 2,
  request_invalid: 3,
  policy_refused: 3,
  ledger_missing: 4,
  ledger_version: 4,
  ledger_corrupt: 4,
  ledger_rolled_back: 4,
  ledger_conflict: 4,
  ledger_in_use: 4,
  clock_refused: 4,
  key_claimed: 4,
  module_unusable: 5,
  token_not_found: 5,
  token_ambiguous: 5,
  key_not_found: 5,
  key_ambiguous: 5,
  passphrase_refused: 6,
  pin_refused: 6,
  pin_locked: 6,
  pin_last_try: 6,
  signing_failed: 7,
  signing_unknown: 8,
  declined: 10,
  plan_stale: 10,
  output_exists: 11,
  output_unwritable: 11,
  ledger_unwritable: 11,
  self_check_failed: 17,
  checks_failed: 19,
  license_refused: 20,
  too_large: 20,
  armor_malformed: 20,
  cbor_malformed: 20,
  cbor_not_deterministic: 20,
  cose_malformed: 20,
  typ_wrong: 20,
  alg_unknown: 20,
  claims_malformed: 20,
  claims_unknown: 20,
  interrupted: 130,
};

export const ERROR_CODES: readonly ErrorCode[] = Object.keys(OF_CODE) as ErrorCode[];

export function exitCodeOf(code: ErrorCode): number {
  return OF_CODE[code];
}
