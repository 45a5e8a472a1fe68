/** One worker of the campaign: a share of the inputs, and then what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { runShare } from './campaign.ts';

export interface WorkerTask {
  readonly seed: number;
  readonly inputs: number;
  /** Milliseconds since 1970: no new inputs from then on. */
  readonly until: number;
}

const { seed, inputs, until } = workerData as WorkerTask;
// Every refusal is an error inside the verifier, and nobody reads their stacks here.
Error.stackTraceLimit = 0;
const share = runShare(seed, inputs, (done) => {
  if (done % 20_000 === 0) parentPort?.postMessage(done);
  return Date.now() < until;
});
parentPort?.postMessage(share);
