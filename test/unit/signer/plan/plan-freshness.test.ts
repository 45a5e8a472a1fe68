import { describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../../../formats/license/bounds.ts';
import { checkPlanAge } from '../../../../signer/plan/plan-freshness.ts';

const MADE = 1_800_000_000;

describe('the age of a plan', () => {
  it.each([0, 1, DAY_SECONDS])('is accepted %i seconds after the plan was made', (age) => {
    expect(() => checkPlanAge(MADE, MADE + age)).not.toThrow();
  });

  it('is refused one second after 24 hours', () => {
    expect(() => checkPlanAge(MADE, MADE + DAY_SECONDS + 1)).toThrow('the plan is older than 24 hours');
  });

  it('is refused when the plan was made later than the clock reads', () => {
    expect(() => checkPlanAge(MADE, MADE - 1)).toThrow("later than this machine's clock reads now");
  });
});
