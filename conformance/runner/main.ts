#!/usr/bin/env node
/** The command `vtlic-conform`. It ends with the exit code of the run, and ends the verifiers that it started. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { killAllHarnesses } from '../protocol/process.ts';
import { EXIT_NOTHING_RUN, reportDefect, runConform, type ConformIo } from './conform.ts';

/** The root of the checkout, or of the package that is built from it. */
const ROOT = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;

for (const [signal, exit] of Object.entries(EXIT_OF_SIGNAL)) process.on(signal, () => process.exit(exit));
process.on('exit', killAllHarnesses);
// A reader that goes away, such as `head`, ends the output and not the run: its reports and its exit code still count.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const io: ConformIo = {
  out: (text) => void process.stdout.write(text),
  report: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  vectors: join(ROOT, 'vectors/v1'),
  version,
  seed: randomInt(2 ** 31),
  now: () => Math.floor(Date.now() / 1000),
};
// Nobody awaits an error in an event of a pipe, a timer or a process.
process.on('uncaughtException', (error) => {
  reportDefect(error, io);
  process.exit(EXIT_NOTHING_RUN);
});

// No process.exit: what was written to a pipe must arrive.
void runConform(process.argv.slice(2), io).then((exit) => {
  process.exitCode = exit;
});
