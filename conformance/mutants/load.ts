/**
 * Loads a module, and all that it imports of this project, from patched sources: `judge.ts?mutant=typ-ignored`. Each
 * mutant has modules of its own, so that many live in one process.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { patched } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const ROOT = join(import.meta.dirname, '../..');

/** URL of a source file → its patched text, by mutant. */
const sources = new Map<string, Map<string, string>>();

/**
 * The sources that a mutant changes, by their URLs.
 *
 * @throws Error for an unknown name, or where a patch does not fit the source
 */
export function sourcesOf(name: string): ReadonlyMap<string, string> {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  const made = new Map<string, string>();
  for (const patch of mutant.patches) {
    const url = pathToFileURL(join(ROOT, patch.file)).href;
    made.set(url, patched(made.get(url) ?? readFileSync(fileURLToPath(url), 'utf8'), patch));
  }
  sources.set(name, made);
  return made;
}

const MARK = '?mutant=';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    const [, name] = (context.parentURL ?? '').split(MARK);
    return name === undefined || !specifier.startsWith('.') ? found : { ...found, url: `${found.url}${MARK}${name}` };
  },
  load(url, context, nextLoad) {
    const [plain = '', name] = url.split(MARK);
    const source = name === undefined ? undefined : sourcesOf(name).get(plain);
    return source === undefined
      ? nextLoad(url, context)
      : { format: 'module', source: stripTypeScriptTypes(source), shortCircuit: true };
  },
});

/**
 * @param url of the module, `import.meta.resolve('./judge.ts')`
 * @returns its exports, as they are with the check removed
 */
export async function loadMutant(name: string, url: string): Promise<unknown> {
  sourcesOf(name);
  return import(`${url}${MARK}${name}`);
}
