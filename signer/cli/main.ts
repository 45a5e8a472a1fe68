#!/usr/bin/env node
/**
 * The command `vtlic`. It ends with the exit code of the command.
 *
 * It checks the runtime first, so everything else is imported afterwards and never by a static import.
 */
import { missingFromRuntime, tooOld } from './check-runtime.ts';

const argv = process.argv.slice(2);

/**
 * True for what neither signs nor opens a ledger: the version is enough then, and the probes would take 6 ms of the 60
 * of such a process. `vtlic verify` has its provider probe each algorithm.
 */
function versionIsEnough([command, ...rest]: readonly string[]): boolean {
  if (command === 'verify' || command === 'inspect') return true;
  return rest.length === 0 && [undefined, 'help', '--help', '-h', '--version', '-V'].includes(command);
}

async function run(): Promise<number> {
  const missing = versionIsEnough(argv) ? tooOld() : await missingFromRuntime();
  if (missing !== undefined) {
    process.stderr.write(`vtlic: the signer ${missing}\n  → install Node.js 24 LTS and run this again with it\n`);
    return 2;
  }
  const { runProcess } = await import('./run.ts');
  return runProcess(argv);
}

process.exit(await run());
