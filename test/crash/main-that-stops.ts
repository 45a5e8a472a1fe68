/**
 * The real command with one change: when a given step has taken effect, the process gets a signal.
 *
 *   node main-that-stops.ts STEP SIGNAL [command line of vtlic…]
 */
import { processIo } from '../../signer/cli/io.ts';
import { runCli } from '../../signer/cli/run.ts';

const [stepName, signal, ...args] = process.argv.slice(2);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const io = processIo({
  step: async (step) => {
    if (step === stepName) process.kill(process.pid, signal);
    await turn();
    await turn();
  },
});
process.exit(await runCli(args, io));
