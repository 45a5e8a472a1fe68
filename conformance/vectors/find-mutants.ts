/**
 * `node conformance/vectors/find-mutants.ts [NAME…]`: shows for each mutant the cases on which it differs from the
 * reference verifier.
 */
import { loadMutant } from '../mutants/load.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { allCases } from './cases.ts';
import type { agrees, judgeCase } from './judge.ts';

interface Judge {
  readonly agrees: typeof agrees;
  readonly judgeCase: typeof judgeCase;
}

const words = process.argv.slice(2);
const cases = allCases();
for (const { name } of MUTANTS.filter((one) => words.length === 0 || words.some((word) => one.name.includes(word)))) {
  const judge = (await loadMutant(name, import.meta.resolve('./judge.ts'))) as Judge;
  const caught: string[] = [];
  for (const folder of cases) {
    const { value } = folder;
    if (value.operation === 'history') continue;
    let found: string;
    try {
      const outcome = judge.judgeCase(folder);
      if (judge.agrees(value, outcome)) continue;
      found = outcome.verdict === 'accepted' ? 'accepted' : outcome.reason;
    } catch (error) {
      found = `ERROR ${String(error)}`;
    }
    caught.push(`${value.id}${found === 'accepted' ? '' : ` (${found})`}`);
  }
  process.stdout.write(`${name}: ${caught.length} ${caught.slice(0, 12).join(', ')}\n`);
}
