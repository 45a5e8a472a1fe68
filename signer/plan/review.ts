/**
 * The officer's word. Nothing is signed but what is `Reviewed`, and only the functions here make one.
 */
import { VtlicError } from '../../formats/error.ts';
import type { RowsChecked } from '../batch/check-rows.ts';
import type { BatchPlan } from '../batch/plan-reader.ts';
import { planDigest, encodePlan, type Plan, type PlanOrigin } from './plan.ts';
import { readPlan } from './plan-file.ts';

const DAY_SECONDS = 86_400;
const reviewed: unique symbol = Symbol('reviewed');

export interface Reviewed {
  readonly [reviewed]: true;
  readonly origin: PlanOrigin;
  /** SHA-256 of the plan's bytes, hex: recorded with each intent. */
  readonly digest: string;
}

export interface ReviewedPlan extends Reviewed {
  readonly plan: Plan;
}

export interface ReviewedBatch extends Reviewed {
  readonly batch: BatchPlan;
}

function markPlan(plan: Plan): ReviewedPlan {
  return Object.freeze({ [reviewed]: true as const, origin: plan, plan, digest: planDigest(encodePlan(plan)) });
}

function markBatch(batch: BatchPlan): ReviewedBatch {
  return Object.freeze({ [reviewed]: true as const, origin: batch.head, batch, digest: batch.digest });
}

/** What a review needs of a terminal. */
export interface ReviewTerminal {
  readonly show: (text: string) => void;
  readonly ask: (prompt: string) => Promise<string>;
}

/** Shows the view to a person and takes exactly `Yes` for consent. @throws VtlicError `declined` for any other answer */
async function askForYes(view: readonly string[], prompt: string, terminal: ReviewTerminal): Promise<void> {
  terminal.show(`${view.join('\n')}\n\n`);
  const answer = await terminal.ask(prompt);
  if (answer !== 'Yes') throw new VtlicError('declined', 'declined: nothing was signed and nothing was recorded');
}

/** @throws VtlicError `declined` for any answer but `Yes` */
export async function reviewOnTerminal(
  plan: Plan,
  view: readonly string[],
  terminal: ReviewTerminal,
): Promise<ReviewedPlan> {
  await askForYes(view, 'Sign this? Type Yes to sign, anything else to decline: ', terminal);
  return markPlan(plan);
}

/** @throws VtlicError `declined` for any answer but `Yes` */
export async function reviewBatchOnTerminal(
  batch: BatchPlan,
  view: readonly string[],
  terminal: ReviewTerminal,
): Promise<ReviewedBatch> {
  await askForYes(
    view,
    `Sign these ${batch.end.sign.toLocaleString('en-US')} licenses? Type Yes to sign, anything else to decline: `,
    terminal,
  );
  return markBatch(batch);
}

const HINT = 'make a new plan with --dry-run and review it';

function checkAge(made: number, now: number): void {
  if (now - made > DAY_SECONDS) throw new VtlicError('plan_stale', 'the plan is older than 24 hours', { hint: HINT });
  if (made > now)
    throw new VtlicError('plan_stale', "the plan was made later than this machine's clock reads now", {
      hint: 'check the clock',
    });
}

/**
 * Takes a plan that was reviewed before, named by its digest.
 *
 * @param now seconds since 1970
 * @throws VtlicError `plan_stale` when it is missing, altered, from the future or older than 24 hours.
 */
export function reviewByDigest(folder: string, digest: string, now: number): ReviewedPlan {
  const plan = readPlan(folder, digest);
  checkAge(plan.made, now);
  return markPlan(plan);
}

/**
 * Takes a batch's plan that the officer named by its digest.
 *
 * @throws VtlicError `plan_stale` when it is from the future or older than 24 hours.
 */
export function reviewBatchByDigest(batch: BatchPlan, now: number): ReviewedBatch {
  checkAge(batch.head.made, now);
  return markBatch(batch);
}

/**
 * Takes the plan of a batch that was reviewed and begun: it is good at any age.
 *
 * @param checked what the ledger says of the plan: only one that has reserved a counter was reviewed
 */
export function reviewedWhenBegun(batch: BatchPlan, checked: Pick<RowsChecked, 'begun'>): ReviewedBatch {
  if (!checked.begun) throw new VtlicError('internal', 'a plan was to be taken for one that was begun');
  return markBatch(batch);
}
