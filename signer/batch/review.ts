/** The officer's review of a batch, and the second check of the plan's rows against the policy. */
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError, type ErrorCode } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyAccess } from '../keys/keystores.ts';
import { openKey } from '../keys/open-key.ts';
import { checkPlanAge } from '../plan/plan-freshness.ts';
import { askForYes, markReviewed, type Reviewed, type ReviewTerminal } from '../plan/review.ts';
import { recheckLicense, refusePlanned, type CheckedAgainst } from '../plan/recheck-policy.ts';
import type { KeyRecord } from '../site/site.ts';
import type { RowsChecked } from './row-status.ts';
import type { BatchPlan } from './plan-file.ts';
import type { SignRow } from './plan-row.ts';

export interface ReviewedBatch extends Reviewed {
  readonly batch: BatchPlan;
}

function markBatch(batch: BatchPlan): ReviewedBatch {
  return Object.freeze({ ...markReviewed(batch.head, batch.digest), batch });
}

/** @throws VtlicError `declined` for any answer but `Yes` */
export async function reviewBatchOnTerminal(
  batch: BatchPlan,
  view: readonly string[],
  terminal: ReviewTerminal,
): Promise<ReviewedBatch> {
  const what = batch.end.sign === 1 ? 'this license' : `these ${groupDigits(batch.end.sign)} licenses`;
  await askForYes(view, `Sign ${what}? Type Yes to sign, anything else to decline: `, terminal);
  return markBatch(batch);
}

/**
 * Takes a batch's plan that the officer named by its digest.
 *
 * @throws VtlicError `plan_stale` when it is from the future or older than 24 hours.
 */
export function reviewBatchByDigest(batch: BatchPlan, now: number): ReviewedBatch {
  checkPlanAge(batch.head.made, now);
  return markBatch(batch);
}

/**
 * Takes the plan of a batch that was reviewed and begun: it is valid at any age.
 *
 * @param checked what the ledger says of the plan: only one that has reserved a counter was reviewed
 */
export function reviewedWhenBegun(batch: BatchPlan, checked: Pick<RowsChecked, 'begun'>): ReviewedBatch {
  if (!checked.begun) throw new VtlicError('internal', 'a plan was to be taken for one that was begun');
  return markBatch(batch);
}

/**
 * A row of a batch's plan. One that was reviewed before, in a run that stopped, keeps its time of issue.
 *
 * @throws VtlicError `policy_refused`
 */
export function checkPlannedRow({ line, item: { license } }: SignRow, made: number, against: CheckedAgainst): void {
  const where = ` (line ${line})`;
  refusePlanned(
    license,
    where,
    license.iat <= made ? undefined : 'its time of issue is later than the time at which the plan was made',
  );
  recheckLicense(license, where, against);
}

/** Faults of a secret, after which the plan that was confirmed can still be signed. */
const SECRET_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'passphrase_refused',
  'pin_refused',
  'secret_missing',
  'declined',
  'interrupted',
]);

/**
 * Opens a key for a plan that was reviewed. If its secret is wrong, the error says how to sign the same plan without
 * a second review.
 *
 * @param again the options with which `--confirm` signs this plan, and whether a run before this one began it
 */
export async function openKeyFor(
  { head, digest }: BatchPlan,
  access: KeyAccess,
  record: KeyRecord,
  again: { readonly begun: boolean; readonly options: string },
): Promise<SigningKey> {
  try {
    return await openKey(access, record, head.ledger);
  } catch (error) {
    if (!(error instanceof VtlicError) || !SECRET_FAULTS.has(error.code)) throw error;
    const kept =
      (again.begun
        ? 'nothing was signed in this run; sign the rest with: '
        : 'nothing was signed, and the plan that you confirmed is kept for 24 hours: ') +
      `vtlic batch --confirm ${digest}${again.options}`;
    throw new VtlicError(error.code, error.message, {
      ...error.place,
      hint: error.hint === undefined ? kept : `${error.hint.replace(/\.$/, '')}; ${kept}`,
      cause: error,
    });
  }
}
