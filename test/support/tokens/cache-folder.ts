/** Where native modules built for tests, and runtimes for tests, are kept: outside the tree, so that a fresh clone finds them, under their digest. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** @param sources names and contents of everything that the result depends on */
export function cacheFolder(
  sources: readonly (readonly [name: string, content: Buffer])[],
  kind: 'tokens' | 'runtimes' | 'harnesses' = 'tokens',
): string {
  const xdg = process.env['XDG_CACHE_HOME'];
  const root = xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg;
  const hash = createHash('sha256').update(process.platform).update(process.arch);
  for (const [name, content] of sources) hash.update(`\0${name}\0`).update(content);
  return join(root, 'vtlic', kind, hash.digest('hex'));
}
