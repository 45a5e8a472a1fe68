/** How the command was called, so that the next command that a hint names runs as it is printed. */
import { basename, dirname, relative, resolve } from 'node:path';

/**
 * What a person types to call the command again: `vtlic` if the shell finds it, otherwise its path, relative to the
 * current folder if it is below that. A command that npx started has its path too, because in another folder npx would
 * ask a registry for a package of this name. `bin/vtlic` stores the name by which it was called in VTLIC_CALLED.
 *
 * @param main the file that Node.js was started with
 */
export function calledName(
  main: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string {
  const called = env['VTLIC_CALLED'] ?? main ?? '';
  if (basename(called) !== 'vtlic' || !called.includes('/')) return 'vtlic';
  // npx puts the folder into the PATH of its own processes only.
  const isFound = (env['PATH'] ?? '').split(':').includes(dirname(called)) && env['npm_lifecycle_event'] !== 'npx';
  if (isFound) return 'vtlic';
  const fromHere = relative(cwd, resolve(cwd, called));
  if (fromHere.startsWith('../')) return shellQuote(called);
  return shellQuote(fromHere.includes('/') ? fromHere : `./${fromHere}`);
}

/** A next command in a sentence, named as this one was called (`bin/vtlic`), so that it runs as printed. */
export function asCalled(text: string, name: string): string {
  return text.replace(/(?<![\w./-])vtlic (?=[a-z])/g, () => `${name} `);
}

/** A word as a POSIX shell reads it back: unchanged if that is safe, otherwise between single quotes. */
export function shellQuote(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
