/**
 * Processes of a user without privileges: the system refuses nothing to root, so tests of file modes must not run as
 * root.
 *
 * If the tests run as root, these processes run as the user `nobody`. That user may not be able to read the checkout
 * (in `/root`), so the files that they run are copied to a place that everybody can read.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MAIN, ROOT, runCli, type CliOptions, type CliResult } from './run-cli.ts';

export const NOBODY = 65_534;
export const isRoot: boolean = process.getuid?.() === 0;

const COPIED: readonly string[] = [
  'formats',
  'files',
  'keys',
  'verifier',
  'signer',
  'test/unit/signer/ledger',
  'test/support',
  'package.json',
  ...['@noble', 'cbor-x', 'commander'].map((name) => `node_modules/${name}`),
];

export interface Unprivileged {
  /** Put before a command. */
  readonly prefix: readonly string[];
  readonly node: string;
  /** The path of a file of the checkout for these processes. */
  readonly path: (file: string) => string;
}

let made: Unprivileged | undefined;

export function unprivileged(): Unprivileged {
  made ??= isRoot ? openCopy() : { prefix: [], node: process.execPath, path: (file) => file };
  return made;
}

function openCopy(): Unprivileged {
  const open = mkdtempSync(join(tmpdir(), 'vtlic-open-'));
  process.on('exit', () => {
    rmSync(open, { recursive: true, force: true });
  });
  chmodSync(open, 0o755);
  for (const name of COPIED) {
    mkdirSync(dirname(join(open, name)), { recursive: true });
    cpSync(join(ROOT, name), join(open, name), { recursive: true });
  }
  const node = join(open, 'node');
  copyFileSync(process.execPath, node);
  execFileSync('chmod', ['-R', 'a+rX', open]);
  chmodSync(node, 0o755);
  return {
    prefix: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
    node,
    path: (file) => (file.startsWith(`${ROOT}/`) ? open + file.slice(ROOT.length) : file),
  };
}

/** The real command as that user. */
export function runUnprivileged(args: readonly string[], options: CliOptions = {}): CliResult {
  const { prefix, node, path } = unprivileged();
  return runCli(args, {
    ...options,
    cwd: '/',
    node,
    main: path(options.main ?? MAIN),
    prefix: [...prefix, ...(options.prefix ?? [])],
  });
}
