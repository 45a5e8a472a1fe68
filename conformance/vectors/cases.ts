/** All cases, in the order of their ids. */
import type { CaseFolder } from './case.ts';
import { armorCases } from './armor-cases.ts';
import { cborCases } from './cbor-cases.ts';
import { exampleCases } from './from-examples.ts';

/** @throws Error for an id that is there twice */
export function allCases(): readonly CaseFolder[] {
  const cases = [...exampleCases(), ...armorCases(), ...cborCases()].sort((a, b) => (a.value.id < b.value.id ? -1 : 1));
  for (const [i, { value }] of cases.entries())
    if (cases[i - 1]?.value.id === value.id) throw new Error(`there are two cases ${value.id}`);
  return cases;
}
