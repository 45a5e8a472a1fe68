/**
 * Main file of a thread that checks signatures (`signature-pool.ts`). Posts each fault to the thread that started it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { checkRanges, type SignatureJob } from './signature-pool.ts';

const job = workerData as SignatureJob;
const keys = job.keys.map(({ alg, bytes }) => importPublicKey(alg, bytes));
for (const fault of checkRanges(job, keys)) if (fault !== undefined) parentPort?.postMessage(fault);
