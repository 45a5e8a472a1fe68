/**
 * Checks the signatures of licenses on all cores, in parallel over ranges of entries.
 *
 * Each thread reads its ranges from the file by itself: passing rows from one thread to another costs as much.
 */
import { availableParallelism } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { decodeCbor, isCborBytes, isCborMap } from '../../../formats/cbor/index.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { cryptoUnavailable, isCryptoUnavailable } from '../../../keys/public/provider.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { ledgerCorrupt, ledgerDamage } from '../entries/errors.ts';
import { openReadOnly } from '../store/database-file.ts';
import { blob, integer, type Row } from '../store/rows.ts';
import { ledgerFault } from '../store/sqlite-faults.ts';

/** Entries of a range. Long ranges cost less; short ones leave no thread without work at the end. */
const RANGE_ENTRIES = 96;

export interface Parallelism {
  /** Threads besides the calling one. */
  readonly threads: number;
  /** A shorter ledger is checked by the calling thread: starting threads would take longer than they save. */
  readonly minEntries: number;
}

export function parallelismOfMachine(): Parallelism {
  return { threads: availableParallelism() - 1, minEntries: 1024 };
}

/** What every thread receives. */
export interface SignatureJob {
  readonly file: string;
  /** How many entries are checked. */
  readonly entries: number;
  readonly rangeEntries: number;
  /** That may have signed. */
  readonly keys: readonly { readonly alg: Algorithm; readonly bytes: Uint8Array }[];
  /** Three counts that all threads share, by the indexes below. */
  readonly shared: Int32Array<SharedArrayBuffer>;
}

/** Entries in the ranges that were given to a thread so far. */
const TAKEN = 0;
/** Signatures found valid. */
const VALID = 1;
/** No thread takes a range that begins after this entry. */
const END = 2;

export function signatureJob(
  file: string,
  entries: number,
  keys: readonly PublicKey[],
  rangeEntries: number = RANGE_ENTRIES,
): SignatureJob {
  const shared = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  Atomics.store(shared, END, entries);
  return { file, entries, rangeEntries, keys: keys.map(({ alg, bytes }) => ({ alg, bytes })), shared };
}

/** The entries after `from`, up to and including `to`. */
export interface EntryRange {
  readonly from: number;
  readonly to: number;
}

/** The next range that no thread has taken; undefined if there is none. */
export function nextRange({ shared, rangeEntries, entries }: SignatureJob): EntryRange | undefined {
  // Stops counting here, so that the number cannot overflow.
  if (Atomics.load(shared, TAKEN) >= Atomics.load(shared, END)) return undefined;
  const from = Atomics.add(shared, TAKEN, rangeEntries);
  return from < Atomics.load(shared, END) ? { from, to: Math.min(from + rangeEntries, entries) } : undefined;
}

/** Ends the job after the range with this entry, where a thread found a fault: only earlier entries still matter. */
export function endAt({ shared }: SignatureJob, seq: number): void {
  for (let end = Atomics.load(shared, END); seq < end; end = Atomics.load(shared, END)) {
    if (Atomics.compareExchange(shared, END, end, seq) === end) return;
  }
}

export function validSignatures({ shared }: SignatureJob): number {
  return Atomics.load(shared, VALID);
}

export function entriesTaken({ shared, entries }: SignatureJob): number {
  return Math.min(entries, Atomics.load(shared, TAKEN));
}

/** The entry with a wrong signature, and the message of the error. */
export interface SignatureFault {
  readonly seq: number;
  readonly message: string;
}

/**
 * One thread's share of the job: takes ranges until there are no more, and yields after each one its first fault.
 *
 * @throws VtlicError what opening for reading throws
 */
export function* checkRanges(
  job: SignatureJob,
  keys: readonly PublicKey[],
): Generator<SignatureFault | undefined, void> {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const db = openReadOnly(job.file);
  try {
    const read = licenseReader(db);
    for (let range = nextRange(job); range !== undefined; range = nextRange(job)) {
      const fault = checkRange(job, read, byKid, range);
      if (fault !== undefined) endAt(job, fault.seq);
      yield fault;
    }
  } finally {
    db.close();
  }
}

type ReadRange = (range: EntryRange) => readonly Row[];

function licenseReader(db: DatabaseSync): ReadRange {
  const statement = db.prepare("SELECT seq, body FROM entry WHERE seq > ? AND seq <= ? AND kind IN ('issue', 'adopt')");
  statement.setReturnArrays(true);
  return ({ from, to }) => statement.all(from, to) as unknown as readonly Row[];
}

function checkRange(
  job: SignatureJob,
  read: ReadRange,
  keys: ReadonlyMap<string, PublicKey>,
  range: EntryRange,
): SignatureFault | undefined {
  let seq = range.from + 1;
  try {
    for (const row of read(range)) {
      seq = integer(row[0]);
      const fault = signatureFault(keys, blob(row[1]));
      if (fault === NO_LICENSE) continue;
      if (fault !== undefined) throw ledgerCorrupt(`entry ${seq}: ${fault}`);
      Atomics.add(job.shared, VALID, 1);
    }
    return undefined;
  } catch (error) {
    const fault = ledgerFault(error, job.file, 'read');
    if (fault instanceof VtlicError && fault.code === 'ledger_corrupt') return { seq, message: fault.message };
    throw fault;
  }
}

const NO_LICENSE = Symbol('an entry without a license');

function signatureFault(
  keys: ReadonlyMap<string, PublicKey>,
  body: Uint8Array,
): string | typeof NO_LICENSE | undefined {
  try {
    const map = decodeCbor(body, { views: true });
    const cose = isCborMap(map) ? map.get('cose') : undefined;
    if (!isCborBytes(cose)) return NO_LICENSE;
    const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(cose, TYP.license);
    const key = keys.get(kid);
    if (key === undefined) return `the license is signed by the key ${kid}, which is none of the site's license keys`;
    return key.alg === alg && verifySignature(key, sigStructure(protectedBytes, payload), signature)
      ? undefined
      : 'the signature of the license is not valid';
  } catch (error) {
    if (error instanceof VtlicError && !isCryptoUnavailable(error)) return error.message;
    throw error;
  }
}

export interface SignaturePool {
  /** Entries checked so far, or being checked. */
  readonly done: () => number;
  /**
   * Takes part with the calling thread until nothing is left, then waits for the other threads.
   *
   * @param onTick called every few milliseconds
   * @returns how many signatures are valid
   * @throws VtlicError `ledger_corrupt` for the first entry with a wrong signature
   */
  readonly finish: (onTick: () => void) => Promise<number>;
  /** Ends the job early. Resolves when no thread is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Begins on the other cores at once, so that the calling thread can do other work until it calls `finish`.
 *
 * @param file absolute path of the ledger
 * @param entries how many of its entries are checked: what it contained when the check began
 * @param keys that may have signed licenses
 */
export function startSignaturePool(
  file: string,
  entries: number,
  keys: readonly PublicKey[],
  { threads, minEntries }: Parallelism,
): SignaturePool {
  const job = signatureJob(file, entries, keys);
  const workers = Array.from({ length: entries < minEntries ? 0 : threads }, () => runWorker(job));
  const others = Promise.all(workers);
  // `finish` handles its error; if nothing calls `finish`, the error must not count as unhandled.
  others.catch(() => undefined);
  return {
    done: () => entriesTaken(job),
    finish: async (onTick) => {
      const faults: SignatureFault[] = [];
      for (const fault of checkRanges(job, keys)) {
        if (fault !== undefined) faults.push(fault);
        await setImmediate();
        onTick();
      }
      faults.push(...(await others).flat());
      onTick();
      const [first] = faults.sort((a, b) => a.seq - b.seq);
      if (first !== undefined) throw ledgerDamage(first.message, file);
      return validSignatures(job);
    },
    stop: async () => {
      endAt(job, 0);
      await others.catch(() => undefined);
    },
  };
}

/** Runs `signature-worker.ts` in a thread. @returns the faults that it found */
function runWorker(job: SignatureJob): Promise<readonly SignatureFault[]> {
  return new Promise((resolve, reject) => {
    const faults: SignatureFault[] = [];
    const main = new URL(`./signature-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
    const worker = new Worker(main, { workerData: job });
    worker.on('message', (fault: SignatureFault) => faults.push(fault));
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
