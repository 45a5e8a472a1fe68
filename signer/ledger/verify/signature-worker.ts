/** Main file of a thread that checks signatures (`verify-stretches.ts`). */
import { workerData } from 'node:worker_threads';
import { importPublicKey } from '../../../keys/public/public-key.ts';
import { postFaults } from './post-faults.ts';
import type { SignatureJob } from './stretch-job.ts';
import { signatureStretches } from './signature-stretches.ts';

const { keys, ...job } = workerData as SignatureJob;
postFaults(
  job,
  signatureStretches(
    job,
    keys.map(({ alg, bytes }) => importPublicKey(alg, bytes)),
  ),
);
