/**
 * The officer's consent. The signer signs only what is `Reviewed`, and only the functions here make such a value.
 */
import { VtlicError } from '../../formats/error.ts';
import { planDigest, encodePlan, type Plan, type PlanOrigin, readPlan } from './plan.ts';
import { checkPlanAge } from './plan-freshness.ts';

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

/** Only for the functions in which an officer reviews a plan, here and in batch/review.ts. */
export function markReviewed(origin: PlanOrigin, digest: string): Reviewed {
  return Object.freeze({ [reviewed]: true as const, origin, digest });
}

function markPlan(plan: Plan): ReviewedPlan {
  return Object.freeze({ ...markReviewed(plan, planDigest(encodePlan(plan))), plan });
}

/** What a review needs of a terminal. */
export interface ReviewTerminal {
  readonly show: (text: string) => void;
  readonly ask: (prompt: string) => Promise<string>;
}

/**
 * Shows the view to a person and takes exactly `Yes` for consent. @throws VtlicError `declined` for any other answer
 */
export async function askForYes(view: readonly string[], prompt: string, terminal: ReviewTerminal): Promise<void> {
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

/**
 * Takes a plan that was reviewed before, named by its digest.
 *
 * @param now seconds since 1970
 * @throws VtlicError `plan_stale` when it is missing, altered, from the future or older than 24 hours.
 */
export function reviewByDigest(folder: string, digest: string, now: number): ReviewedPlan {
  const plan = readPlan(folder, digest);
  checkPlanAge(plan.made, now);
  return markPlan(plan);
}
