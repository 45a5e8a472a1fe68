/** Main file of a thread that checks signatures (`verify-signatures.ts`). */
import { parentPort, workerData } from 'node:worker_threads';
import { signatureFaults } from './signature-faults.ts';
import type { SignatureJob } from './signature-job.ts';

for (const fault of signatureFaults(workerData as SignatureJob)) if (fault !== undefined) parentPort?.postMessage(fault);
