import { parentPort } from 'node:worker_threads';
import { encodeFault, type OpenStretches, type StretchJob } from './stretch-job.ts';
import { stretchFaults } from './stretch-share.ts';

/** This thread's share; each fault goes to the thread that asked. */
export function postFaults(job: StretchJob, open: OpenStretches): void {
  for (const fault of stretchFaults(job, open)) if (fault !== undefined) parentPort?.postMessage(encodeFault(fault));
}
