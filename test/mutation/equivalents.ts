/** The changes that nothing can notice, each with its reason: `equivalents.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutation } from './mutations.ts';
import type { Source } from './sources.ts';
import type { Outcome } from './try-changes.ts';

export interface Equivalent {
  readonly file: string;
  /** The line of the source. */
  readonly code: string;
  /** As `Mutation.change`. */
  readonly change: string;
  /** Which one of those with the same code and change, from 1; 1 where it is absent. */
  readonly nth?: number;
  readonly reason: string;
}

export function readEquivalents(): readonly Equivalent[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'equivalents.json'), 'utf8')) as readonly Equivalent[];
}

const fits = (source: Source, mutation: Mutation, one: Equivalent): boolean =>
  one.file === source.file &&
  one.code === mutation.code &&
  one.change === mutation.change &&
  (one.nth ?? 1) === mutation.nth;

/**
 * What is wrong with the list: an unnoticed change that is not in it, an entry that was noticed, and an entry for a
 * change that is no longer there.
 */
export function problemsOf(
  sources: readonly Source[],
  outcomes: ReadonlyMap<number, Outcome>,
  equivalents: readonly Equivalent[],
  isWhole: boolean,
): readonly string[] {
  const problems: string[] = [];
  const found = new Set<Equivalent>();
  for (const source of sources)
    for (const mutation of source.mutations) {
      const outcome = outcomes.get(source.offset + mutation.id);
      const listed = equivalents.find((one) => fits(source, mutation, one));
      if (listed !== undefined) found.add(listed);
      const where = `${source.file}:${mutation.line} ${mutation.change}${mutation.nth > 1 ? ` #${mutation.nth}` : ''}`;
      if (outcome === 'survived' && listed === undefined) problems.push(`SURVIVED ${where}`);
      if (outcome !== undefined && outcome !== 'survived' && listed !== undefined)
        problems.push(`LISTED AS EQUIVALENT, BUT NOTICED ${where}`);
    }
  if (isWhole)
    for (const one of equivalents)
      if (!found.has(one)) problems.push(`LISTED, BUT NOT THERE ${one.file}: ${one.change} in ${one.code}`);
  return problems;
}
