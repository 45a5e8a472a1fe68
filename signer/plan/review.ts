/**
 * The officer's word. Nothing is signed but a `ReviewedPlan`, and only the two functions here make one.
 */
import { VtlicError } from '../../formats/error.ts';
import { planDigest, encodePlan, type Plan } from './plan.ts';
import { readPlan } from './plan-file.ts';

const DAY_SECONDS = 86_400;
const reviewed: unique symbol = Symbol('reviewed');

export interface ReviewedPlan {
  readonly [reviewed]: true;
  readonly plan: Plan;
  /** SHA-256 of the plan's bytes, hex: recorded with each intent. */
  readonly digest: string;
}

function markReviewed(plan: Plan): ReviewedPlan {
  return Object.freeze({ [reviewed]: true as const, plan, digest: planDigest(encodePlan(plan)) });
}

/** What a review needs of a terminal. */
export interface ReviewTerminal {
  readonly show: (text: string) => void;
  readonly ask: (prompt: string) => Promise<string>;
}

/**
 * Shows the view to a person and takes exactly `Yes` for consent.
 *
 * @throws VtlicError `declined` for any other answer.
 */
export async function reviewOnTerminal(plan: Plan, view: readonly string[], terminal: ReviewTerminal): Promise<ReviewedPlan> {
  terminal.show(`${view.join('\n')}\n\n`);
  const answer = await terminal.ask('Sign this? Type Yes to sign, anything else to decline: ');
  if (answer !== 'Yes') throw new VtlicError('declined', 'declined: nothing was signed and nothing was recorded');
  return markReviewed(plan);
}

/**
 * Takes a plan that was reviewed before, named by its digest.
 *
 * @param now seconds since 1970
 * @throws VtlicError `plan_stale` when it is missing, altered, from the future or older than 24 hours.
 */
export function reviewByDigest(folder: string, digest: string, now: number): ReviewedPlan {
  const plan = readPlan(folder, digest);
  const hint = 'make a new plan with --dry-run and review it';
  if (now - plan.made > DAY_SECONDS) throw new VtlicError('plan_stale', 'the plan is older than 24 hours', { hint });
  if (plan.made > now) throw new VtlicError('plan_stale', "the plan was made later than this machine's clock reads now", { hint: 'check the clock' });
  return markReviewed(plan);
}
