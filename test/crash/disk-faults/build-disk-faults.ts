/** Builds the preload library (`disk-faults.c`) once, and keeps it outside the tree under the digest of its source. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../support/tokens/cache-folder.ts';

const SOURCE = join(import.meta.dirname, 'disk-faults.c');
const LIBRARY = 'libdisk_faults.so';

export function ensureDiskFaults(): string {
  const folder = cacheFolder([['disk-faults.c', readFileSync(SOURCE)]]);
  const library = join(folder, LIBRARY);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const part = `${library}.${process.pid}`;
  const built = spawnSync(
    'cc',
    ['-std=gnu11', '-Wall', '-Wextra', '-Wno-unused-result', '-O1', '-shared', '-fPIC', '-o', part, SOURCE, '-ldl'],
    { encoding: 'utf8' },
  );
  if (built.error !== undefined)
    throw new Error('the library of disk faults cannot be built: cc is missing. Run: apt-get install build-essential');
  if (built.status !== 0) throw new Error(`the library of disk faults did not build:\n${built.stderr}`);
  renameSync(part, library);
  return library;
}

/** What a process is given so that its disk goes wrong at the n-th call below a folder. */
export function diskFaultEnv(
  under: string,
  fault: { readonly at: number; readonly how: string } | undefined,
  log?: string,
): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: ensureDiskFaults(),
    VTLIC_DISK_UNDER: under,
    ...(fault === undefined ? {} : { VTLIC_DISK_FAULT: `${fault.at} ${fault.how}` }),
    ...(log === undefined ? {} : { VTLIC_DISK_LOG: log }),
  };
}
