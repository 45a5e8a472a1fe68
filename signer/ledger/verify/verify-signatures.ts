/** The signature of each license in the record, checked on all cores beside the check of everything else. */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { VtlicError } from '../../../formats/error.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { ledgerCorrupt } from '../record/corrupt.ts';
import { decodeFault, isFault, ISSUES, NEXT, SHARED_INTS, STOP, type SignatureJob } from './signature-job.ts';
import { signatureFaults } from './signature-faults.ts';

/** Threads that are started for less cost more than they save. */
const ALONE_BELOW = 1024;

export interface SignatureCheck {
  /** Entries looked at so far. */
  readonly done: () => number;
  /**
   * Takes part with the calling thread until nothing is left, then waits for the other threads.
   *
   * @param look called every few milliseconds
   * @returns the number of signatures that hold
   * @throws VtlicError `ledger_corrupt` at one that does not
   */
  readonly join: (look: () => void) => Promise<number>;
  /** Ends it early. Resolves when no thread is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Begins on the other cores at once; the calling thread has its own work until it joins.
 *
 * @param file absolute path of the ledger
 * @param entries how many of its entries are looked at: what was there when the check began
 * @param keys that may have signed
 */
export function checkSignatures(file: string, entries: number, keys: readonly PublicKey[]): SignatureCheck {
  const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_INTS));
  const job: SignatureJob = { file, entries, keys: keys.map(({ alg, bytes }) => ({ alg, bytes })), shared };
  const others = Promise.all(Array.from({ length: entries < ALONE_BELOW ? 0 : availableParallelism() - 1 }, () => runWorker(job)));
  // Looked at by `join`; until then its error must not be one that nobody handles.
  others.catch(() => undefined);
  return {
    done: () => Math.min(entries, Atomics.load(shared, NEXT)),
    join: async (look) => {
      const faults: string[] = [];
      for (const fault of signatureFaults(job)) {
        if (fault !== undefined) faults.push(fault);
        await setImmediate();
        look();
      }
      faults.push(...(await others).flat());
      look();
      return judge(job, faults);
    },
    stop: async () => {
      Atomics.store(shared, STOP, 1);
      await others.catch(() => undefined);
    },
  };
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
