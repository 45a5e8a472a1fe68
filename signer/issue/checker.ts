/** Signed → self-checked, here or on other cores. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { armor } from '../../formats/armor.ts';
import { copyBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { otherProvider } from '../../keys/public/provider-noble.ts';
import { cryptoUnavailable } from '../../keys/public/provider.ts';
import { makeSelfCheck, selfCheckFailed, type Output } from './self-check.ts';
import type { CheckedLicense, SignedLicense } from './pipeline.ts';

export interface Checker {
  /** @throws VtlicError `self_check_failed` naming the check. */
  readonly check: (signed: SignedLicense) => Promise<CheckedLicense>;
  readonly close: () => Promise<void>;
}

/** What a worker is given at its start. */
export interface CheckWorkerData {
  readonly alg: SigningKey['publicKey']['alg'];
  readonly publicKey: Uint8Array;
  readonly signedBy: SigningKey['signedBy'];
}

export interface CheckTask extends Output {
  readonly id: number;
}

export type CheckAnswer =
  | { readonly id: number; readonly fault: string | undefined }
  /** The message of `crypto_unavailable`: the check was not made. */
  | { readonly id: number; readonly unavailable: string };

type FindFault = (output: Output) => string | undefined | Promise<string | undefined>;

function checkWith(findFault: FindFault, close: () => Promise<void>): Checker {
  return Object.freeze({
    check: async (signed: SignedLicense): Promise<CheckedLicense> => {
      const file = armor('VTLIC', signed.cose);
      const fault = await findFault({ file, cose: signed.cose, payload: signed.intended.item.payload });
      if (fault !== undefined) throw selfCheckFailed(fault);
      return Object.freeze({ stage: 'self-checked' as const, intended: signed.intended, cose: signed.cose, file });
    },
    close,
  });
}

export function directChecker(key: SigningKey): Checker {
  return checkWith(makeSelfCheck(key.publicKey, otherProvider(key.signedBy)), () => Promise.resolve());
}

/**
 * What a software key signed is judged in pure JavaScript, which takes longer than the signature: as many workers as
 * there are cores.
 */
export function workerChecker(key: SigningKey, workers: number = availableParallelism()): Checker {
  const pool = new CheckPool(key, workers);
  return checkWith(
    (output) => pool.run(output),
    () => pool.close(),
  );
}

/** Workers take longer to start than this many licenses to check. */
const FEW_LICENSES = 64;

/** Checks here what a token signed, which is slower than its check, and what is too little for workers. */
export function checkerFor(key: SigningKey, licenses: number): Checker {
  return key.signedBy === 'token' || licenses < FEW_LICENSES ? directChecker(key) : workerChecker(key);
}

interface Waiting {
  readonly task: CheckTask;
  readonly resolve: (fault: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Each worker has up to two tasks, so that it does not wait for its next one. The other tasks queue here. */
const TASKS_A_WORKER = 2;

class CheckPool {
  readonly #workers: readonly { readonly worker: Worker; readonly at: Map<number, Waiting> }[];
  readonly #queue: Waiting[] = [];
  #next = 0;
  #lost: VtlicError | undefined;
  #closing = false;

  constructor(key: SigningKey, workers: number) {
    const main = new URL(`./check-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    const workerData: CheckWorkerData = {
      alg: key.publicKey.alg,
      publicKey: key.publicKey.bytes,
      signedBy: key.signedBy,
    };
    this.#workers = Array.from({ length: workers }, () => {
      const entry = { worker: new Worker(main, { workerData, env: {} }), at: new Map<number, Waiting>() };
      entry.worker.on('message', (answer: CheckAnswer) => {
        const waiting = entry.at.get(answer.id);
        entry.at.delete(answer.id);
        if ('unavailable' in answer) waiting?.reject(cryptoUnavailable(answer.unavailable));
        else waiting?.resolve(answer.fault);
        this.#feed();
      });
      entry.worker.on('error', (error) => {
        this.#lose(error);
      });
      entry.worker.on('exit', () => {
        this.#lose(undefined);
      });
      return entry;
    });
  }

  run(output: Output): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#queue.push({
        task: { id: this.#next++, file: whole(output.file), cose: whole(output.cose), payload: whole(output.payload) },
        resolve,
        reject,
      });
      this.#feed();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map(({ worker }) => worker.terminate()));
  }

  #feed(): void {
    if (this.#lost !== undefined) {
      for (const waiting of this.#queue.splice(0)) waiting.reject(this.#lost);
      return;
    }
    for (const { worker, at } of this.#workers) {
      while (at.size < TASKS_A_WORKER) {
        const waiting = this.#queue.shift();
        if (waiting === undefined) return;
        at.set(waiting.task.id, waiting);
        worker.postMessage(waiting.task);
      }
    }
  }

  /** A check that could not be made counts as failed: the license is not released. */
  #lose(cause: unknown): void {
    if (this.#closing || this.#lost !== undefined) return;
    this.#lost = new VtlicError('internal', 'a worker that checks licenses ended before its time', { cause });
    for (const { at } of this.#workers) {
      for (const waiting of at.values()) waiting.reject(this.#lost);
      at.clear();
    }
    this.#feed();
  }
}

/** A view is posted with all the memory behind it: what is only a part of something is copied first. */
function whole(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : copyBytes(bytes);
}
