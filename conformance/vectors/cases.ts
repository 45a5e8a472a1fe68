/** All cases, in the order of their ids. */
import type { CaseFolder } from './case.ts';
import { armorCases } from './armor-cases.ts';
import { cborCases } from './cbor-cases.ts';
import { claimsCases } from './claims-cases.ts';
import { contextCases } from './context-cases.ts';
import { coseCases } from './cose-cases.ts';
import { historyCases } from './history-cases.ts';
import { keysetAcceptanceCases } from './keyset-acceptance-cases.ts';
import { keysetCases } from './keyset-cases.ts';
import { keysetStateCases } from './keyset-state-cases.ts';
import { mixedOrderCases } from './mixed-order-cases.ts';
import { mutantsByCase } from './mutants-of-cases.ts';
import { isTestedBy, REQUIREMENTS } from './requirements.ts';
import { overrideCases } from './override-cases.ts';
import { verdictHistoryCases } from './verdict-history-cases.ts';
import { signatureCases } from './signature-cases.ts';
import { trustCases } from './trust-cases.ts';
import { sentenceOf } from './forgets.ts';
import { exampleCases } from './from-examples.ts';
import { withIntermediate } from './intermediate.ts';

/** @throws Error for an id that is there twice */
export function allCases(): readonly CaseFolder[] {
  const cases = [
    ...exampleCases(),
    ...armorCases(),
    ...cborCases(),
    ...coseCases(),
    ...signatureCases(),
    ...mixedOrderCases(),
    ...claimsCases(),
    ...contextCases(),
    ...keysetCases(),
    ...keysetStateCases(),
    ...keysetAcceptanceCases(),
    ...historyCases(),
    ...verdictHistoryCases(),
    ...overrideCases(),
    ...trustCases(),
  ].sort((a, b) => (a.value.id < b.value.id ? -1 : 1));
  for (const [i, { value }] of cases.entries())
    if (cases[i - 1]?.value.id === value.id) throw new Error(`there are two cases ${value.id}`);
  const mutants = mutantsByCase();
  return cases.map(withIntermediate).map(({ value, files }) => {
    const found = mutants.get(value.id);
    const forgets = sentenceOf(value.id) ?? found?.lacks ?? value.forgets;
    const requirements = REQUIREMENTS.filter((one) => isTestedBy(value.id, one)).map(({ id }) => id);
    return {
      value: {
        ...value,
        ...(requirements.length === 0 ? {} : { requirements }),
        ...(forgets === undefined ? {} : { forgets }),
        ...(found === undefined ? {} : { mutants: found.mutants }),
      },
      files,
    };
  });
}
