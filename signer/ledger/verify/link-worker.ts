/** Main file of a thread that checks the links of entries (`verify-stretches.ts`). It loads no more than that: a short check is soon over. */
import { workerData } from 'node:worker_threads';
import { linkStretches } from './link-stretches.ts';
import { postFaults } from './post-faults.ts';
import type { StretchJob } from './stretch-job.ts';

postFaults(workerData as StretchJob, linkStretches);
