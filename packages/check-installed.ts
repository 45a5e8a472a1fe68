/**
 * Loaded before a script of this repository (`node --import`): names the packages that the script may need and that
 * are not installed, instead of a stack trace at the first import. It imports nothing that has to be installed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Readonly<
  Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>
>;
const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
  (name) => !existsSync(join(root, 'node_modules', name, 'package.json')),
);
if (missing.length > 0) {
  process.stderr.write(
    `vtlic: this needs packages that are not installed: ${missing.join(', ')}\n  → run npm ci (without --omit=dev)\n`,
  );
  process.exit(2);
}
