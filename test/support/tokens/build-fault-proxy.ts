/**
 * Builds the fault proxy (see `fault-proxy/`) once, and keeps it outside the tree under the digest of its sources:
 * `${XDG_CACHE_HOME:-~/.cache}/vtlic/tokens/DIGEST/libfault_proxy.so`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';

const FOLDER = fileURLToPath(new URL('./fault-proxy', import.meta.url));
const LIBRARY = 'libfault_proxy.so';
/** Hidden, since glibc has functions of the same names as some of the proxy's. */
const FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-O1', '-shared', '-fPIC', '-fvisibility=hidden'];

export function ensureFaultProxy(): string {
  const names = readdirSync(FOLDER).toSorted();
  const folder = cacheFolder(names.map((name) => [name, readFileSync(join(FOLDER, name))]));
  const library = join(folder, LIBRARY);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const part = `${library}.${process.pid}`;
  const sources = names.filter((name) => name.endsWith('.c')).map((name) => join(FOLDER, name));
  const built = spawnSync('cc', [...FLAGS, '-o', part, ...sources, '-ldl', '-lpthread'], { encoding: 'utf8' });
  if (built.error !== undefined)
    throw new Error('the fault proxy cannot be built: cc is missing. Run: apt-get install build-essential');
  if (built.status !== 0) throw new Error(`the fault proxy did not build:\n${built.stderr}`);
  renameSync(part, library);
  return library;
}
