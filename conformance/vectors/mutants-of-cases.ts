/** Which mutants fail which cases: found by `try-mutants.ts`, kept in `mutants-of-cases.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS } from '../mutants/mutants.ts';

/** Ids of cases. */
export interface Caught {
  /**
   * Refusals that the mutant accepts, and contexts of misuse in which it judges the license: any verdict is wrong then.
   */
  readonly accepts: readonly string[];
  /** Cases on which it says something else that is wrong. */
  readonly differs: readonly string[];
}

export const MUTANTS_OF_CASES: string = join(import.meta.dirname, 'mutants-of-cases.json');

/** Name of a mutant → what it gets wrong. */
export function knownMutants(): Readonly<Record<string, Caught>> {
  return JSON.parse(readFileSync(MUTANTS_OF_CASES, 'utf8')) as Record<string, Caught>;
}

export interface MutantsOfCase {
  /** Names, in the order of the list of mutants. */
  readonly mutants: readonly string[];
  /** What the mutant lacks that accepts the case and fails the fewest others. */
  readonly lacks: string | undefined;
}

/** Id of a case → its mutants. */
export function mutantsByCase(): ReadonlyMap<string, MutantsOfCase> {
  const known = knownMutants();
  const found = new Map<string, MutantsOfCase & { readonly breadth: number }>();
  for (const { name, lacks } of MUTANTS) {
    const { accepts = [], differs = [] } = known[name] ?? {};
    const breadth = accepts.length + differs.length;
    for (const id of [...accepts, ...differs]) {
      const { mutants, ...narrowest } = found.get(id) ?? { mutants: [], lacks: undefined, breadth: Infinity };
      const isNarrower = accepts.includes(id) && breadth < narrowest.breadth;
      found.set(id, { mutants: [...mutants, name], ...(isNarrower ? { lacks, breadth } : narrowest) });
    }
  }
  return found;
}
