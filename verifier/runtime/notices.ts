/**
 * Everything that a runtime tells an operator: one table of codes, each with one sentence and one remedy. A product
 * translates by the code; `detail` is what was found in this one case.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { KEYSET_REASONS, type KeysetReason } from '../keyset/index.ts';
import { REASONS, type Reason } from '../reasons.ts';

/** Why there is no license in force, beside the reasons of `verify()`. */
export type RuntimeReason =
  | 'file_missing'
  | 'state_corrupt'
  | 'state_newer'
  | 'state_unwritable'
  | 'configuration_invalid'
  | 'commit_refused'
  | 'not_yet_valid'
  | 'lapsed';

/** What an operator should know while the product runs. */
export type WarningCode =
  | 'in_grace'
  | 'renewal_waits'
  | 'kept_license_serves'
  | 'kept_license_unusable'
  | 'state_created'
  | 'state_not_durable'
  | 'state_store_unreachable'
  | 'state_copy_repaired'
  | 'state_locked'
  | 'state_lock_unusable'
  | 'clock_ahead'
  | 'after_commit_failed'
  | 'keyset_file_unusable'
  | 'refresh_failed';

/** Why an installation is refused, beside the reasons above. */
export type InstallReason = 'install_not_possible' | 'file_unwritable';

export type NoticeCode = Reason | KeysetReason | RuntimeReason | WarningCode | InstallReason;

export interface NoticeFacts {
  /** For the operator of the product. */
  readonly sentence: string;
  /** What to do next. */
  readonly remedy: string;
}

export interface Notice extends NoticeFacts {
  readonly code: NoticeCode;
  /** What was found, in this one case; safe for a terminal. */
  readonly detail: string;
  /** For a translated sentence: dates as seconds since 1970, counts of days, paths. */
  readonly values: Readonly<Record<string, string | number>>;
}

const CHECK_FOLDER =
  'Check that the folder is mounted, that this user may write in it, and that its disk is neither full nor ' +
  'read-only; then start again.';

const RUNTIME_FACTS: Readonly<Record<RuntimeReason | WarningCode | InstallReason, NoticeFacts>> = Object.freeze({
  file_missing: {
    sentence: 'There is no license file, or it cannot be read.',
    remedy: 'Put the license file at the path of LICENSE_PATH, readable for this user, and start again.',
  },
  state_corrupt: {
    sentence: 'Every copy of the license state is damaged.',
    remedy: 'Restore the state from a backup. If there is none, ask the vendor before you delete it.',
  },
  state_newer: {
    sentence: 'The license state was written by a later release of the product, which this release cannot read.',
    remedy: 'Start the later release again, or restore the state from a backup that this release made.',
  },
  state_unwritable: {
    sentence: 'The license state cannot be read or written.',
    remedy: CHECK_FOLDER,
  },
  configuration_invalid: {
    sentence: 'A setting of the license is wrong.',
    remedy: 'Correct the variable that the detail names, and start again.',
  },
  commit_refused: {
    sentence: 'The product could not switch to the new license. The license before it stays in force.',
    remedy: 'Read the detail and the log of the product. The product tries again by itself.',
  },
  not_yet_valid: {
    sentence: 'The license is not valid yet.',
    remedy: 'Wait until the date in the detail, or check the clock of this host.',
  },
  lapsed: {
    sentence: 'The license has expired, and its grace is over.',
    remedy: 'Ask the vendor for a renewal and install it.',
  },
  in_grace: {
    sentence: 'The license has expired, and its grace is running.',
    remedy: 'Ask the vendor for a renewal and install it before the grace ends.',
  },
  renewal_waits: {
    sentence: 'A renewal is installed and comes into force by itself.',
    remedy: 'Nothing needs to be done.',
  },
  kept_license_serves: {
    sentence: 'The license file cannot be used now. The license that was accepted last is in force instead.',
    remedy:
      'If the file is a renewal that waits for its date, do nothing. Otherwise install the newest license that the ' +
      'vendor sent on this host.',
  },
  kept_license_unusable: {
    sentence: 'The license that was accepted last is not in force either.',
    remedy: 'Read in the detail why it is not. Ask the vendor for a license that is valid today, and install it.',
  },
  state_created: {
    sentence: 'The license state was created, as on the first start of an installation.',
    remedy: 'If this is not the first start, check that the volume with the state is mounted.',
  },
  state_not_durable: {
    sentence: 'The license state is kept in memory only and is lost with the process.',
    remedy:
      'If another warning says what is wrong with the state, correct that. Otherwise set LICENSE_STATE_PATH to a ' +
      'file on a durable volume. A product in production does not start without durable state.',
  },
  state_store_unreachable: {
    sentence: 'A copy of the license state cannot be reached; the others are used.',
    remedy: 'Check the store that the detail names. The product tries again by itself.',
  },
  state_copy_repaired: {
    sentence: 'A copy of the license state was missing or damaged, and was written anew from the others.',
    remedy: 'Find out why the store that the detail names lost its copy.',
  },
  state_locked: {
    sentence: 'Another process used the license state for too long, so the product read the state without the lock.',
    remedy: 'If this appears again, find the process that uses the state. Otherwise do nothing.',
  },
  state_lock_unusable: {
    sentence: 'The lock of the license state cannot be used, and the state is written without it.',
    remedy: 'Remove what the detail names, so that two processes never install a license at the same time.',
  },
  clock_ahead: {
    sentence: 'The clock of this host is more than a day ahead of the time that the product has seen so far.',
    remedy: 'Check the clock. After a long pause this is normal and ends after three days of running.',
  },
  after_commit_failed: {
    sentence: 'The license is in force, but the product could not finish switching to it.',
    remedy: 'Read the detail and the log of the product. The product tries again at its next start.',
  },
  keyset_file_unusable: {
    sentence: 'The keyset file cannot be read; the keysets that are known stay in force.',
    remedy: 'Put the keyset file at the path of LICENSE_KEYSET_PATH, readable for this user.',
  },
  refresh_failed: {
    sentence: 'The product could not judge the license again. The license that is in force stays in force.',
    remedy: 'Send the detail to the vendor. The product tries again each minute.',
  },
  install_not_possible: {
    sentence: 'A license cannot be installed this way here.',
    remedy: 'Put the new license in the place that the detail names, and start the product again.',
  },
  file_unwritable: {
    sentence: 'The license file cannot be replaced.',
    remedy: 'Make the folder of LICENSE_PATH writable for this user, or replace the file by hand and start again.',
  },
});

/** A path may be in it, which has up to 4,096 bytes and may contain any character. */
const MAX_DETAIL = 5000;

export function notice(
  code: NoticeCode,
  detail: string,
  values: Readonly<Record<string, string | number>> = {},
): Notice {
  const { sentence, remedy } = NOTICES[code];
  return Object.freeze({
    code,
    sentence,
    remedy,
    detail: cleanText(detail, MAX_DETAIL),
    values: Object.freeze({ ...values }),
  });
}

/** For a text that comes from a product, or from the host: bounded, and safe for a terminal. */
export function shownError(error: unknown): string {
  return cleanText(error instanceof Error ? error.message : 'an unknown error', 300);
}

/** Every code with its sentence and remedy: what a product translates. */
export const NOTICES: Readonly<Record<NoticeCode, NoticeFacts>> = Object.freeze({
  ...Object.fromEntries(
    Object.entries({ ...REASONS, ...KEYSET_REASONS }).map(([code, { sentence, remedy }]) => [
      code,
      { sentence, remedy },
    ]),
  ),
  ...RUNTIME_FACTS,
} as Record<NoticeCode, NoticeFacts>);

/** The error with which a product in production does not start. */
export function startRefused(fault: Notice): VtlicError {
  return new VtlicError('license_refused', `${fault.sentence} (${fault.code}: ${fault.detail})`, {
    hint: fault.remedy,
    cause: fault,
  });
}
