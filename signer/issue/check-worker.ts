/** Runs in a worker thread: self-checks of one key's licenses. It knows only the public key. */
import { parentPort, workerData } from 'node:worker_threads';
import { otherProvider } from '../../keys/public/provider-noble.ts';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import type { CheckAnswer, CheckTask, CheckWorkerData } from './checker.ts';
import { makeSelfCheck } from './self-check.ts';

const { alg, publicKey, signedBy } = workerData as CheckWorkerData;
const key = importPublicKey(alg, publicKey);
const findFault = makeSelfCheck(key, otherProvider(signedBy));

function answerTo(task: CheckTask): CheckAnswer {
  try {
    return { id: task.id, fault: findFault(task) };
  } catch (error) {
    if (!isCryptoUnavailable(error)) throw error;
    return { id: task.id, unavailable: error.message };
  }
}

parentPort?.on('message', (task: CheckTask) => {
  parentPort?.postMessage(answerTo(task));
});
