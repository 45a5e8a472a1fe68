/**
 * Carries out a reviewed plan: for each item intended → signed → self-checked → issued → anchored → released.
 *
 * Whatever fails between intent and issue voids the counter before the error is reported.
 */
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { type Ledger, lineageText, type VoidReason } from '../ledger/index.ts';
import type { PlanItem } from '../plan/plan.ts';
import type { ReviewedPlan } from '../plan/review.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import {
  anchorIssued,
  recordIssue,
  release,
  sign,
  type IntendedLicense,
  type IssuedLicense,
  type ReleasedLicense,
} from './pipeline.ts';
import { requireClock } from './open-ledger.ts';
import { reserveCounter } from './reserve-counter.ts';
import { type Checker, directChecker } from './checker.ts';

export interface SigningContext {
  readonly ledger: Ledger;
  /** Absolute path of the site. */
  readonly siteFolder: string;
  readonly key: SigningKey;
  readonly runtime: Runtime;
}

export async function signPlan(reviewed: ReviewedPlan, context: SigningContext): Promise<readonly ReleasedLicense[]> {
  const { ledger, siteFolder, key, runtime } = context;
  const checker = directChecker(key);
  const released: ReleasedLicense[] = [];
  for (const item of reviewed.plan.items) {
    const issued = await signOne(reviewed, item, checker, context);
    const group = await anchorIssued(ledger, [issued]);
    await runtime.step('anchor-durable');
    for (const anchored of group) released.push(await release(ledger, siteFolder, anchored, runtime));
  }
  return released;
}

async function signOne(
  reviewed: ReviewedPlan,
  item: PlanItem,
  checker: Checker,
  { ledger, key, runtime }: SigningContext,
): Promise<IssuedLicense> {
  stopIfInterrupted(runtime);
  // A passphrase may have been asked for since the ledger was opened.
  await ledger.requireAnchor();
  requireClock(ledger, nowSeconds(runtime));
  const intended = reserveCounter(ledger, reviewed, item, { custody: key.custody, operator: runtime.operator });
  try {
    await runtime.step('intent-durable');
    stopIfInterrupted(runtime);
    const signed = await sign(intended, key);
    await runtime.step('signed');
    const checked = await checker.check(signed);
    await runtime.step('self-checked');
    const issued = recordIssue(ledger, checked);
    await runtime.step('issue-durable');
    return issued;
  } catch (error) {
    throw voidOpen(ledger, intended, voidReasonOf(error)) ? namingVoid(error, intended) : error;
  }
}

/**
 * Nothing to do when the issue is already recorded, or when the ledger itself fails: the next start voids it then.
 *
 * @returns whether the counter was voided here
 */
function voidOpen(ledger: Ledger, intended: IntendedLicense, reason: VoidReason): boolean {
  try {
    if (ledger.findByIntent(intended.intent.seq)?.state !== 'open') return false;
    ledger.void_(intended.intent.seq, reason);
    return true;
  } catch {
    // The first error is the one to tell; an open intent is voided by the next start.
    return false;
  }
}

function namingVoid(error: unknown, { intent }: IntendedLicense): unknown {
  if (!(error instanceof VtlicError)) return error;
  const { body } = intent;
  return new VtlicError(error.code, `${error.message}; counter ${body.ctr} of ${lineageText(body)} is void`, {
    ...error.place,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

export function voidReasonOf(error: unknown): VoidReason {
  const code = error instanceof VtlicError ? error.code : 'internal';
  if (code === 'signing_unknown' || code === 'self_check_failed' || code === 'interrupted') return code;
  return 'signing_failed';
}

function stopIfInterrupted(runtime: Runtime): void {
  if (runtime.interrupted())
    throw new VtlicError('interrupted', 'interrupted: nothing was signed', { hint: 'run it again' });
}
