/**
 * Token hosts that start four times as fast, for tests that start hundreds: Node keeps what it compiled of their sources.
 * Outside of these tests no host gets the variable for it (`keys/private/pkcs11/client/host-environment.ts`).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILE_CACHE, ROOT } from '../../support/run-cli.ts';

const HOST = join(ROOT, 'keys/private/pkcs11/token-host/host-main.ts');
let quick: string | undefined;

/** From now on this process starts Node, and so its token hosts, with the cache. Calling it again does nothing. */
export function useQuickHosts(): void {
  if (process.execPath === quick) return;
  const node = process.execPath;
  fillCache(node);
  const script = join(COMPILE_CACHE, 'node');
  // Under a name of its own first: another run may start the script at this moment.
  const made = `${script}.${process.pid}`;
  writeFileSync(made, `#!/bin/sh\nNODE_COMPILE_CACHE='${COMPILE_CACHE}' exec '${node}' "$@"\n`);
  chmodSync(made, 0o755);
  renameSync(made, script);
  process.execPath = script;
  quick = script;
}

/** A host ends by a signal, and Node then writes no cache. Without a pipe to an officer a host ends by an error. */
function fillCache(node: string): void {
  mkdirSync(COMPILE_CACHE, { recursive: true });
  const noPipe = openSync('/dev/null', 'r');
  try {
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    const { stderr } = spawnSync(node, [HOST], { stdio: ['ignore', 'ignore', 'pipe', noPipe], env, encoding: 'utf8' });
    if (!stderr.includes('ERR_INVALID_FD_TYPE')) throw new Error(`the token host did not load: ${stderr}`);
  } finally {
    closeSync(noPipe);
  }
}
