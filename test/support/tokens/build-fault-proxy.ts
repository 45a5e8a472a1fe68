/**
 * Builds the fault proxy (see `fault-proxy/fault-proxy.c`) once, and keeps it outside the tree under the digest of its
 * source: `${XDG_CACHE_HOME:-~/.cache}/vtlic/tokens/DIGEST/libfault_proxy.so`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';

const SOURCE = fileURLToPath(new URL('./fault-proxy/fault-proxy.c', import.meta.url));
const LIBRARY = 'libfault_proxy.so';

export function ensureFaultProxy(): string {
  const folder = cacheFolder([['fault-proxy.c', readFileSync(SOURCE)]]);
  const library = join(folder, LIBRARY);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const part = `${library}.${process.pid}`;
  const built = spawnSync('cc', ['-std=gnu11', '-Wall', '-Wextra', '-O1', '-shared', '-fPIC', '-o', part, SOURCE, '-ldl', '-lpthread'], { encoding: 'utf8' });
  if (built.error !== undefined) throw new Error('the fault proxy cannot be built: cc is missing. Run: apt-get install build-essential');
  if (built.status !== 0) throw new Error(`the fault proxy did not build:\n${built.stderr}`);
  renameSync(part, library);
  return library;
}
