/**
 * Loads the sources with all of their changes in them, of which `state.on` selects one, and files of tests with
 * `vitest-here.ts` in place of Vitest.
 */
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/run-cli.ts';
import { dependentsOf } from './import-graph.ts';
import { withSwitches } from './mutations.ts';
import type { Source } from './sources.ts';

const MARK = '?switched=';

/** What the changed sources ask while they run. */
export const state: { on: number; marks: Uint8Array; isMarking: boolean; turns: number; maxTurns: number } = {
  /** The number of the change that is on; -1 for the sources as they are. */
  on: -1,
  /** 1 for each change that was reached, while that is recorded. */
  marks: new Uint8Array(),
  isMarking: false,
  /** How often loops have turned since a check began. */
  turns: 0,
  /** How often they may, while a change is on. */
  maxTurns: 0,
};

/** The changes that ran while the module of their source was loaded. */
export const atLoading: Set<number> = new Set();

const href = (path: string): string => pathToFileURL(join(ROOT, path)).href;

export function switchSources(sources: readonly Source[]): void {
  const changed = sources.filter(({ mutations }) => mutations.length > 0);
  const byUrl = new Map(changed.map((source) => [href(source.file), source]));
  const here = href('test/mutation/vitest-here.ts');
  const loading = new Uint8Array(sources.reduce((sum, { mutations }) => sum + mutations.length, 0));
  state.marks = new Uint8Array(loading.length);
  const loaded = new Set<number>();
  Object.assign(globalThis, {
    __mutant(first: number, last: number): number {
      if (state.isMarking) for (let id = first; id <= last; id++) state.marks[id] = 1;
      if (!loaded.has(first)) for (let id = first; id <= last; id++) loading[id] = 1;
      return state.on;
    },
    __turn(): void {
      if (++state.turns > state.maxTurns && state.on >= 0) throw new Error('a loop does not end');
    },
    __loaded(offset: number): void {
      const source = changed.find((one) => one.offset === offset);
      for (let id = offset; id < offset + (source?.mutations.length ?? 0); id++) {
        if (loading[id] === 1 && !loaded.has(id)) atLoading.add(id);
        loaded.add(id);
      }
    },
  });
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === 'vitest' && context.parentURL !== here) return { url: here, shortCircuit: true };
      const found = nextResolve(specifier, context);
      const [, copy] = (context.parentURL ?? '').split(MARK);
      return copy !== undefined && isCopied(found.url, copy) ? { ...found, url: `${found.url}${MARK}${copy}` } : found;
    },
    load(url, context, nextLoad) {
      const [plain = ''] = url.split(MARK);
      const source = byUrl.get(plain);
      return source === undefined
        ? nextLoad(url, context)
        : { format: 'module', source: sourceOf(source), shortCircuit: true };
    },
  });
}

const switched = new Map<string, string>();

function sourceOf({ file, text, mutations, offset }: Source): string {
  const known = switched.get(file) ?? stripTypeScriptTypes(withSwitches(text, mutations, offset));
  switched.set(file, known);
  return known;
}

/** Copy → URLs of all that is loaded anew for it. */
const copies = new Map<string, ReadonlySet<string>>();

const isCopied = (url: string, copy: string): boolean => copies.get(copy)?.has(url) ?? false;

/** Imports a module. */
export async function load(path: string): Promise<unknown> {
  return import(href(path));
}

/** Imports a module, and loads all that is between it and a source anew. */
export async function loadAnew(path: string, file: string, copy: number): Promise<unknown> {
  copies.set(`${copy}`, new Set([file, ...dependentsOf(file)].map(href)));
  return import(`${href(path)}${MARK}${copy}`);
}
