/** A named change of a draft. */
import fc from 'fast-check';
import type { Draft } from '../draft.ts';

export interface Change {
  /** For programs and statistics: the same for all values of its parameters. */
  readonly name: string;
  /** For people, as the rest of "a license that…" or "a trust that…". */
  readonly words: string;
  /**
   * Changes of the license come before those of the trust and the context, which may depend on what was signed. A change
   * of both is applied twice: `draft.signed` is absent the first time.
   */
  readonly of: 'license' | 'surroundings' | 'both';
  /** Whether the reason is compared: a change that makes more than one fault at once leaves it open. */
  readonly scored: boolean;
  readonly apply: (draft: Draft) => void;
}

/** Changes of one kind. */
export interface Changes {
  readonly any: fc.Arbitrary<Change>;
  /** Every one, where they can be counted; none of those with free parameters. */
  readonly all: readonly Change[];
}

interface Options {
  readonly of?: Change['of'];
  readonly scored?: boolean;
}

/** A change without parameters. */
export function one(name: string, apply: (draft: Draft) => void, options: Options = {}): Changes {
  const change = made(name, name, apply, options);
  return { any: fc.constant(change), all: [change] };
}

/** A change with one of several values, each with its words. */
export function each<T>(
  name: string,
  values: readonly (readonly [words: string, value: T])[],
  apply: (draft: Draft, value: T) => void,
  options: Options = {},
): Changes {
  const all = values.map(([words, value]) => made(name, `${name}: ${words}`, (draft) => apply(draft, value), options));
  return { any: fc.constantFrom(...all), all };
}

/** A change with free parameters. Its faults cannot be counted, so its reason is left open. */
export function free(any: fc.Arbitrary<Pick<Change, 'name' | 'words' | 'apply'>>): Changes {
  return { any: any.map(({ name, words, apply }) => made(name, words, apply, { scored: false })), all: [] };
}

function made(name: string, words: string, apply: Change['apply'], options: Options): Change {
  return { name, words, apply, of: options.of ?? 'license', scored: options.scored ?? true };
}
