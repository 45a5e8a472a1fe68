/** The signature of each license in the record, checked on all cores beside the check of everything else. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { VtlicError } from '../../formats/error.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { ledgerCorrupt } from './corrupt.ts';
import { decodeFault, isFault, ISSUES, NEXT, SHARED_INTS, STOP, type SignatureJob } from './signature-job.ts';
import { signatureFaults } from './signature-faults.ts';

/** Threads that are started for less cost more than they save. */
const ALONE_BELOW = 1024;

export interface SignatureCheck {
  /** Entries looked at so far. */
  readonly done: () => number;
  /** Resolves with the number of signatures that hold; throws VtlicError `ledger_corrupt` at one that does not. */
  readonly finished: Promise<number>;
  /** Ends it early; `finished` then resolves with what was done. */
  readonly stop: () => void;
}

/**
 * @param file absolute path of the ledger
 * @param entries how many of its entries are looked at: what was there when the check began
 * @param keys that may have signed
 */
export function checkSignatures(file: string, entries: number, keys: readonly PublicKey[]): SignatureCheck {
  const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_INTS));
  const job: SignatureJob = { file, entries, keys: keys.map(({ alg, bytes }) => ({ alg, bytes })), shared };
  return {
    done: () => Math.min(entries, Atomics.load(shared, NEXT)),
    finished: entries < ALONE_BELOW ? alone(job) : onAllCores(job),
    stop: () => {
      Atomics.store(shared, STOP, 1);
    },
  };
}

async function alone(job: SignatureJob): Promise<number> {
  await Promise.resolve();
  return judge(job, [...signatureFaults(job)]);
}

async function onAllCores(job: SignatureJob): Promise<number> {
  const workers = Array.from({ length: availableParallelism() }, () => runWorker(job));
  const faults = (await Promise.all(workers)).flat();
  return judge(job, faults);
}

function runWorker(job: SignatureJob): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const faults: string[] = [];
    const main = new URL(`./signature-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    const worker = new Worker(main, { workerData: job });
    worker.on('message', (fault: unknown) => {
      if (isFault(fault)) faults.push(fault);
    });
    worker.once('error', (error) => {
      Atomics.store(job.shared, STOP, 1);
      reject(error);
    });
    worker.once('exit', (code) => {
      if (code === 0) resolve(faults);
      else reject(new VtlicError('internal', `a thread that checks signatures ended with ${code}`));
    });
  });
}

function judge(job: SignatureJob, faults: readonly string[]): number {
  const [first] = faults.map(decodeFault).sort((a, b) => a.seq - b.seq);
  if (first !== undefined) throw ledgerCorrupt(`entry ${first.seq}: ${first.what}`, { file: job.file });
  return Atomics.load(job.shared, ISSUES);
}
