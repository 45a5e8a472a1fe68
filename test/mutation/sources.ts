/** The sources that are changed, and all changes, each with a number of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { ROOT } from '../support/run-cli.ts';
import { mutationsOf, type Mutation } from './mutations.ts';

/** Files without anything that a verdict or a product depends on, with the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'verifier/product/main.ts': 'starts the command, in a process of its own',
};

export interface Source {
  readonly file: string;
  readonly text: string;
  /** Of its first change. */
  readonly offset: number;
  readonly mutations: readonly Mutation[];
}

export function readSources(): readonly Source[] {
  const files = ['formats', 'verifier'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  let offset = 0;
  return files
    .filter((file) => file.endsWith('.ts') && !Object.hasOwn(LEFT_OUT, file))
    .toSorted()
    .map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const source = { file, text, offset, mutations: mutationsOf(text) };
      offset += source.mutations.length;
      return source;
    });
}

/** @param id the number of a change among all */
export function sourceOf(sources: readonly Source[], id: number): Source {
  const source = sources.findLast(({ offset, mutations }) => offset <= id && mutations.length > 0);
  if (source === undefined) throw new Error(`there is no change ${id}`);
  return source;
}
