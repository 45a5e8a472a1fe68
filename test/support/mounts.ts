/**
 * Whether, and how, the tests can mount file systems of their own. A container often allows neither way; `test/run.ts`
 * then says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In this process' own mounts (needs CAP_SYS_ADMIN), or as root of a user namespace, which ends with the command. */
const WAYS: readonly (readonly string[])[] = [[], ['unshare', '-U', '-r', '-m']];

function works(way: readonly string[]): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-mount-'));
  try {
    const script = 'mount -t tmpfs tmpfs "$1" && mount -o remount,bind,ro "$1" && umount "$1"';
    const [command, ...args] = [...way, 'sh', '-c', script, 'sh', folder] as const;
    return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  } finally {
    spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What to put before a command that mounts; undefined where nothing that runs here may mount. */
export const mountPrefix: readonly string[] | undefined = WAYS.find(works);
