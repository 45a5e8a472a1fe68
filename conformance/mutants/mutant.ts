/** A wrong verifier: the reference verifier without one named check. */

export interface Patch {
  /** The source file that is changed. */
  readonly file: string;
  /** The part of the source that is replaced. White space does not count, and it occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What it does not check, or does wrongly: "a verifier that accepts it has forgotten …". */
  readonly lacks: string;
  readonly patches: readonly Patch[];
}

/**
 * The source with a part replaced.
 *
 * @throws Error where the part is not there exactly once: the source was changed, and the patch must follow
 */
export function patched(source: string, { file, find, replace }: Patch): string {
  const characters = Array.from(find.replaceAll(/\s/g, ''), (character) => character.replace(/[^\w"' ]/, '\\$&'));
  const pattern = new RegExp(characters.join('\\s*'), 'g');
  const found = find === '' ? 0 : [...source.matchAll(pattern)].length;
  if (found !== 1) throw new Error(`this should be in ${file} exactly once, but it is there ${found} times: ${find}`);
  return source.replace(pattern, () => replace);
}

/** One patch in one file. */
export function mutant(name: string, lacks: string, file: string, find: string, replace: string): Mutant {
  return { name, lacks, patches: [{ file, find, replace }] };
}
