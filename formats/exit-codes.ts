/**
 * What a process tells its caller: the one list for `vtlic` and `vtlic-product` (README, "Exit codes"), so that no
 * number has two meanings. 9, 12 and 13 are Node's own.
 */
export const EXIT = {
  done: 0,
  defect: 1,
  usage: 2,
  requestRefused: 3,
  ledgerRefused: 4,
  notFound: 5,
  secretRefused: 6,
  signingFailed: 7,
  /** A key was asked to sign, and it is not known whether it did: the counter is void. */
  signingUnknown: 8,
  declined: 10,
  notWritten: 11,
  selfCheck: 17,
  /** Part of a batch failed; its results say which rows. */
  partFailed: 18,
  checksFailed: 19,
  /** `vtlic verify`: not a valid license. `vtlic-product`: the product does not start. */
  notValid: 20,
  notInForce: 21,
  rolledBack: 22,
  /** `vtlic-product` only: the license is in its grace. */
  inGrace: 23,
  /** `vtlic-product` only: the product starts with its free tier. */
  freeTier: 24,
  interrupted: 130,
} as const;
