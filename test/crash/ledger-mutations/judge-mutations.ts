/** Changes one ledger many times at random, each time by one change, and counts the results. */
import { Random } from '../campaign/random.ts';
import { makeExampleLedger } from './example-ledger.ts';
import { MutationJudge } from './judge.ts';
import { Mutations } from './mutations.ts';

export interface MutationTotals {
  readonly noticed: number;
  /** Accepted by the check: no row, no answer and no start differs. */
  readonly harmless: readonly string[];
  readonly problems: readonly string[];
}

/** @param changes how many real ones; what SQLite does not take is not counted */
export async function judgeMutations({
  changes,
  seed,
}: {
  readonly changes: number;
  readonly seed: number;
}): Promise<MutationTotals> {
  const example = await makeExampleLedger();
  const mutations = new Mutations(example.ledger, new Random(seed));
  let noticed = 0;
  const harmless: string[] = [];
  const problems: string[] = [];
  try {
    const judge = new MutationJudge(example);
    while (noticed + harmless.length < changes) {
      const { what, outcome, problem } = await judge.judge(mutations.next());
      if (outcome === 'noticed') noticed++;
      else if (outcome === 'harmless') harmless.push(what);
      if (problem !== undefined) problems.push(`${what}: ${problem}`);
    }
  } finally {
    mutations.close();
    example.remove();
  }
  return Object.freeze({ noticed, harmless, problems });
}
