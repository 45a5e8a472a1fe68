#!/usr/bin/env node
/**
 * The command `vtlic`. Leaves with the exit code of the command.
 *
 * It checks the runtime first, so everything else is imported afterwards and never by a static import.
 */
import { missingFromRuntime } from './check-runtime.ts';

const argv = process.argv.slice(2);

async function run(): Promise<number> {
  const missing = await missingFromRuntime();
  if (missing !== undefined) {
    process.stderr.write(`vtlic: the signer ${missing}\n  → install Node.js 24 LTS and run this again with it\n`);
    return 2;
  }
  const [{ processIo }, { runCli }] = [await import('./io.ts'), await import('./run.ts')];
  return runCli(argv, processIo());
}

process.exit(await run());
