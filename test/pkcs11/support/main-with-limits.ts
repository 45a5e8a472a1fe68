/**
 * The real command with one change: a call of a token may take this many milliseconds, whatever it is.
 *
 *   node main-with-limits.ts MILLISECONDS [command line of vtlic…]
 */
import { processIo } from '../../../signer/cli/io.ts';
import { runCli } from '../../../signer/cli/run.ts';

const [milliseconds, ...args] = process.argv.slice(2);
const limit = Number(milliseconds);
process.exit(
  await runCli(args, processIo({ tokenLimits: { sign: limit, keyGeneration: limit, login: limit, other: limit } })),
);
