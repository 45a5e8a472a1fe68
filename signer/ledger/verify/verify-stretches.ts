/**
 * What needs no following of the record, stretch by stretch on all cores: signatures, or else the links of the entries.
 *
 * Each thread reads the stretches that it checks: to be handed what another has read costs as much.
 */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { VtlicError } from '../../../formats/error.ts';
import { cryptoUnavailable, isCryptoUnavailable } from '../../../keys/public/crypto-unavailable.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import {
  decodeFault,
  encodeFault,
  endAt,
  handedOut,
  signaturesOf,
  stretchJob,
  type OpenStretches,
  type SignatureJob,
  type StretchFault,
  type StretchJob,
} from './stretch-job.ts';
import { linkStretches } from './link-stretches.ts';
import { signatureStretches } from './signature-stretches.ts';
import { stretchFaults } from './stretch-share.ts';

/** Entries of a stretch: long ones cost less, and of signatures short ones leave no thread without work at the end. */
const LENGTH = { signatures: 96, links: 256 } as const;

/** Who takes part. */
export interface Hands {
  /** Threads beside the calling one. */
  readonly threads: number;
  /** For fewer entries the calling thread checks signatures alone: threads would cost more to start than they save. */
  readonly signaturesFrom: number;
  /** For fewer entries who follows the record checks the links as well. */
  readonly linksFrom: number;
}

export function handsOfMachine(): Hands {
  const threads = availableParallelism() - 1;
  return { threads, signaturesFrom: 1024, linksFrom: threads > 0 ? 65_536 : Infinity };
}

export interface Stretches {
  /** Entries looked at so far. */
  readonly done: () => number;
  /**
   * Takes part with the calling thread until nothing is left, then waits for the other threads.
   *
   * @param last entry that matters
   * @param look called every few milliseconds
   * @returns the fault that stands first in the record, and how many signatures hold
   */
  readonly join: (
    last: number,
    look: () => void,
  ) => Promise<{ readonly fault: StretchFault | undefined; readonly signatures: number }>;
  /** Ends it early. Resolves when no thread is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Begins on another core at once; the calling thread has its own work until it joins.
 *
 * @param file absolute path of the ledger
 * @param entries how many of its entries are looked at: what was there when the check began
 */
export function checkLinks(file: string, entries: number, { threads }: Hands): Stretches {
  const job = stretchJob(file, entries, LENGTH.links);
  // One needs less time for them than the calling thread to follow the record.
  return checkStretches(
    job,
    linkStretches,
    Array.from({ length: Math.min(1, threads) }, () => runWorker('link-worker', job, job)),
  );
}

/**
 * Begins on the other cores at once, as `checkLinks`.
 *
 * @param keys that may have signed licenses
 */
export function checkSignatures(
  file: string,
  entries: number,
  keys: readonly PublicKey[],
  { threads, signaturesFrom }: Hands,
): Stretches {
  const job = stretchJob(file, entries, LENGTH.signatures);
  const data: SignatureJob = { ...job, keys: keys.map(({ alg, bytes }) => ({ alg, bytes })) };
  return checkStretches(
    job,
    signatureStretches(job, keys),
    Array.from({ length: entries < signaturesFrom ? 0 : threads }, () => runWorker('signature-worker', job, data)),
  );
}

function checkStretches(
  job: StretchJob,
  open: OpenStretches,
  threads: readonly Promise<readonly string[]>[],
): Stretches {
  const others = Promise.all(threads);
  // Looked at by `join`; until then its error must not be one that nobody handles.
  others.catch(() => undefined);
  return {
    done: () => handedOut(job),
    join: async (last, look) => {
      endAt(job, last);
      const faults: string[] = [];
      for (const fault of stretchFaults(job, open)) {
        if (fault !== undefined) faults.push(encodeFault(fault));
        await setImmediate();
        look();
      }
      faults.push(...(await others).flat());
      look();
      const [fault] = faults.map(decodeFault).sort((a, b) => a.seq - b.seq);
      return { fault: fault !== undefined && fault.seq <= last ? fault : undefined, signatures: signaturesOf(job) };
    },
    stop: async () => {
      endAt(job, 0);
      await others.catch(() => undefined);
    },
  };
}

/** @returns the faults it found */
function runWorker(name: string, job: StretchJob, workerData: StretchJob): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const faults: string[] = [];
    const main = new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    const worker = new Worker(main, { workerData });
    worker.on('message', (fault: unknown) => {
      if (typeof fault === 'string') faults.push(fault);
    });
    worker.once('error', (error) => {
      endAt(job, 0);
      reject(isCryptoUnavailable(error) ? cryptoUnavailable(error.message, error) : error);
    });
    worker.once('exit', (code) => {
      if (code === 0) resolve(faults);
      else reject(new VtlicError('internal', `a thread that checks the record ended with ${code}`));
    });
  });
}
