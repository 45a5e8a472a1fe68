/**
 * The real command as a user without privileges: root is refused nothing, so what is about modes must not run as root.
 *
 * As root it becomes nobody. The checkout may lie where nobody cannot go (`/root`), so it is mounted once more at an open place,
 * in a mount namespace of its own.
 */
import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN, ROOT, runCli, type CliOptions, type CliResult } from './run-cli.ts';

export const NOBODY = 65_534;
export const isRoot: boolean = process.getuid?.() === 0;

const BECOME_NOBODY = 'mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';

export function runUnprivileged(args: readonly string[], options: CliOptions = {}): CliResult {
  if (!isRoot) return runCli(args, options);
  const open = mkdtempSync(join(tmpdir(), 'vtlic-open-'));
  chmodSync(open, 0o755);
  const moved = (path: string): string => (path.startsWith(`${ROOT}/`) ? open + path.slice(ROOT.length) : path);
  try {
    return runCli(args, { ...options, cwd: '/', node: moved(process.execPath), main: moved(options.main ?? MAIN), prefix: ['unshare', '-m', 'sh', '-c', BECOME_NOBODY, 'sh', ROOT, open] });
  } finally {
    rmdirSync(open);
  }
}
