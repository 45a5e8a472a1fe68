/** Which files import which, of the rooms and the tests: read from the sources, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { ROOT } from '../support/run-cli.ts';

const FOLDERS = ['formats', 'files', 'keys', 'verifier', 'signer', 'conformance', 'test', 'packages'];

/** File → the files that import it. */
let importers: ReadonlyMap<string, readonly string[]> | undefined;

function readImporters(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const folder of FOLDERS)
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const file = join(folder, name);
      for (const [, specifier = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
        const target = join(dirname(file), specifier);
        found.set(target, [...(found.get(target) ?? []), file]);
      }
    }
  return found;
}

/** How many imports are between each file that depends on `file` and it. */
export function distancesTo(file: string): ReadonlyMap<string, number> {
  importers ??= readImporters();
  const distances = new Map([[file, 0]]);
  for (const [at, distance] of distances)
    for (const importer of importers.get(at) ?? []) if (!distances.has(importer)) distances.set(importer, distance + 1);
  return distances;
}

export function dependentsOf(file: string): readonly string[] {
  return [...distancesTo(file).keys()].filter((dependent) => dependent !== file);
}
