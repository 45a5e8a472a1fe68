#!/usr/bin/env node
/** The command `vtlic-conform`. Leaves with the exit code of the run, and ends the verifiers that it started. */
import { join } from 'node:path';
import { killAllHarnesses } from '../protocol/process.ts';
import { runConform } from './conform.ts';

const VERSION = '0.1.0';
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

for (const [signal, exit] of Object.entries(EXIT_OF_SIGNAL))
  process.on(signal, () => {
    killAllHarnesses();
    process.exit(exit);
  });
process.on('exit', killAllHarnesses);

// No process.exit: what was written to a pipe must arrive.
void runConform(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  report: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  vectors: join(import.meta.dirname, '../../vectors/v1'),
  version: VERSION,
  now: () => Math.floor(Date.now() / 1000),
}).then((exit) => {
  process.exitCode = exit;
});
