#!/usr/bin/env node
/** The command `vtlic`. Leaves with the exit code of the command. */
import { processIo } from './process-io.ts';
import { runCli } from './run.ts';

process.exit(await runCli(process.argv.slice(2), processIo()));
