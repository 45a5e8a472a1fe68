/** Runs in a worker thread: self-checks of one key's licenses. It knows only the public key. */
import { parentPort, workerData } from 'node:worker_threads';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { otherProvider } from '../../keys/public/second-opinion.ts';
import type { CheckAnswer, CheckTask, CheckWorkerData } from './checker.ts';
import { makeSelfCheck } from './self-check.ts';

const { alg, publicKey, signedBy } = workerData as CheckWorkerData;
const key = importPublicKey(alg, publicKey);
const findFault = makeSelfCheck(key, otherProvider(signedBy));

parentPort?.on('message', (task: CheckTask) => {
  const answer: CheckAnswer = { id: task.id, fault: findFault(task) };
  parentPort?.postMessage(answer);
});
