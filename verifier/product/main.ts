#!/usr/bin/env node
/** The command `vtlic-product`, for the operator of a product. It ends with the exit code of the command. */
import { runProduct } from './run.ts';

// No process.exit: what was written to a pipe must arrive.
void runProduct(process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  report: (text) => void process.stderr.write(text),
}).then((exit) => {
  process.exitCode = exit;
});
