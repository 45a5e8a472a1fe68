/** The published histories, as a verifier with state is asked about them, notice the verifiers that lack one rule. */
import { describe, expect, it } from 'vitest';
import { answering, readTrust, REFERENCE, type Judge } from '../../../conformance/harness/reference/answer.ts';
import { mismatchOf } from '../../../conformance/properties/compare.ts';
import { STATEFUL_MUTANTS } from '../../../conformance/properties/stateful-mutants.ts';
import { readVectors, type RunnerCase } from '../../../conformance/runner/cases.ts';
import { VECTORS } from '../../../conformance/vectors/files.ts';

const histories = readVectors(VECTORS).cases.filter(({ id, steps }) => id.startsWith('history/') && steps.length > 0);

/** Whether the reference verifier, or one with another installation, agrees in every step. */
function passes({ steps }: RunnerCase, judge: Judge = REFERENCE): boolean {
  const ask = answering(judge);
  return steps.every(({ request, expected }) => mismatchOf(ask(request), expected, true) === undefined);
}

const judgeOf = ([, make]: (typeof STATEFUL_MUTANTS)[string]): Judge => ({
  ...REFERENCE,
  installation: ({ trust, context, clock }) => new make(readTrust(trust), context, clock),
});

describe('a published history that a verifier with state is asked about', () => {
  it('is passed by the reference verifier', () => {
    expect(histories.length).toBeGreaterThan(40);
    expect(histories.filter((one) => !passes(one)).map(({ id }) => id)).toEqual([]);
  });

  it.each(Object.keys(STATEFUL_MUTANTS))('is failed by the wrong verifier %s', (name) => {
    const mutant = STATEFUL_MUTANTS[name];
    if (mutant === undefined) throw new Error(`there is no wrong verifier ${name}`);
    expect(histories.some((one) => !passes(one, judgeOf(mutant)))).toBe(true);
  });

  it('is failed by a wrong verifier if a product runs for hours in it', () => {
    const isRunning = ({ steps }: RunnerCase): boolean =>
      steps.some(({ request }) => request.op === 'set-time' && request.ran !== undefined);
    const running = histories.filter(isRunning);
    expect(running.length).toBeGreaterThan(10);
    const free = running.filter((one) =>
      Object.values(STATEFUL_MUTANTS).every((mutant) => passes(one, judgeOf(mutant))),
    );
    expect(free.map(({ id }) => id)).toEqual([]);
  });
});
