/** Runs in a worker thread: self-checks of one key's licenses. It knows the public key alone. */
import { parentPort, workerData } from 'node:worker_threads';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { otherProvider } from '../../keys/public/second-opinion.ts';
import type { CheckAnswer, CheckTask, CheckWorkerData } from './checker.ts';
import { nobleForOneKey } from './one-key-provider.ts';
import { makeSelfCheck } from './self-check.ts';

const { alg, publicKey, signedBy } = workerData as CheckWorkerData;
const key = importPublicKey(alg, publicKey);
const provider = otherProvider(signedBy);
const findFault = makeSelfCheck(key, provider.name === 'noble' ? nobleForOneKey(key.ed25519) : provider);

parentPort?.on('message', (task: CheckTask) => {
  const answer: CheckAnswer = { id: task.id, fault: findFault(task) };
  parentPort?.postMessage(answer);
});
