/**
 * The real command with one change: when so many steps have taken effect, the process gets a signal.
 *
 *   node batch-that-stops.ts STEP|any COUNT SIGNAL [command line of vtlic…]
 */
import { processIo } from '../../signer/cli/io.ts';
import { runCli } from '../../signer/cli/run.ts';

const [stepName, count, signal, ...args] = process.argv.slice(2);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let left = Number(count);
const io = processIo({
  step: async (step) => {
    if ((stepName === 'any' || step === stepName) && --left === 0) process.kill(process.pid, signal);
    await turn();
  },
});
process.exit(await runCli(args, io));
