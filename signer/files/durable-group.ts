/**
 * Many new files, each whole or absent, made durable together: all bytes, then all names, then all folders, each folder once.
 *
 * The waiting is for the disk's flushes, and a disk takes several at a time for little more than one: so the files are shared among
 * worker threads.
 */
import { Worker } from 'node:worker_threads';
import { VtlicError, type ErrorCode, type ErrorDetails } from '../../formats/error.ts';
import {
  forgetTemporary,
  outcomeError,
  placeTemporary,
  syncFolder,
  writeTemporaries,
  type FileState,
  type NewFile,
  type Written,
} from './durable-phases.ts';

export type { NewFile } from './durable-phases.ts';

export type FileOutcome =
  { readonly ok: true; readonly written: boolean } | { readonly ok: false; readonly error: VtlicError };

export interface GroupSteps {
  /** The bytes are durable under temporary names. */
  readonly written: () => Promise<void>;
  /** The files have their names, and the folders are not yet durable. */
  readonly linked: () => Promise<void>;
}

export interface GroupWriter {
  /**
   * Never over an existing file: where other bytes stand, that file alone fails (`output_exists`).
   *
   * @returns an outcome for each file, in their order
   * @throws VtlicError `output_unwritable` for everything else: the disk is full or broken, and the rest would fail too
   */
  readonly create: (files: readonly NewFile[], mode: number, steps: GroupSteps) => Promise<readonly FileOutcome[]>;
  readonly close: () => Promise<void>;
}

/** One share of one phase. */
export type FileTask =
  | { readonly phase: 'write' | 'place'; readonly files: readonly NewFile[]; readonly mode: number }
  | { readonly phase: 'sync'; readonly folders: readonly string[] };

/** What goes to a worker and comes back. */
export interface NumberedTask {
  readonly id: number;
  readonly task: FileTask;
}

export type FileAnswer =
  | { readonly ok: true; readonly written?: readonly Written[]; readonly placed?: readonly FileState[] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails };

export interface NumberedAnswer {
  readonly id: number;
  readonly answer: FileAnswer;
}

interface Phases {
  readonly write: (files: readonly NewFile[], mode: number) => Promise<readonly Written[]>;
  readonly place: (files: readonly NewFile[], mode: number) => Promise<readonly FileState[]>;
  readonly sync: (folders: readonly string[]) => Promise<void>;
}

async function createGroup(
  phases: Phases,
  files: readonly NewFile[],
  mode: number,
  steps: GroupSteps,
): Promise<readonly FileOutcome[]> {
  try {
    const written = await phases.write(files, mode);
    await steps.written();
    const open = files.filter((_, i) => written[i]?.state === 'open');
    const states = await phases.place(open, mode);
    await steps.linked();
    await phases.sync([...new Set(written.flatMap(({ folders }) => folders))]);
    // Once more, for one that a disk refused to remove at its time.
    for (const file of open) forgetTemporary(file.path);
    const placed = new Map(open.map((file, i) => [file, states[i]]));
    return files.map((file, i): FileOutcome => {
      const state = placed.get(file) ?? written[i]?.state;
      return state === 'exists' || state === undefined
        ? { ok: false, error: outcomeError(file.path) }
        : { ok: true, written: state === 'open' };
    });
  } catch (error) {
    for (const file of files) forgetTemporary(file.path);
    throw error;
  }
}

/** In this thread: for a few files. */
export function groupWriter(): GroupWriter {
  const phases: Phases = {
    write: async (files, mode) => writeTemporaries(files, mode),
    place: async (files, mode) => files.map((file) => placeTemporary(file, mode)),
    sync: async (folders) => {
      folders.forEach(syncFolder);
    },
  };
  return Object.freeze<GroupWriter>({
    create: (files, mode, steps) => createGroup(phases, files, mode, steps),
    close: () => Promise.resolve(),
  });
}

/** More of them take more of the processor, and the disk gives little for it. */
const WORKERS = 2;

/** In worker threads: for many files. One group at a time. */
export function workerGroupWriter(): GroupWriter {
  const workers = Array.from({ length: WORKERS }, () => new FileWorker());
  const shared = async <T, R>(
    items: readonly T[],
    task: (share: readonly T[]) => FileTask,
    read: (answer: FileAnswer & { readonly ok: true }) => readonly R[],
  ): Promise<readonly R[]> => {
    const size = Math.ceil(items.length / workers.length);
    // All of them come to their end before one that failed is told: no file is written while its temporary name is tidied up.
    const settled = await Promise.allSettled(
      workers.map((worker, i) => worker.carryOut(task(items.slice(i * size, (i + 1) * size)))),
    );
    return settled.flatMap((one) => {
      if (one.status === 'rejected') throw one.reason;
      const answer = one.value;
      if (!answer.ok) throw new VtlicError(answer.code, answer.message, answer.details);
      return read(answer);
    });
  };
  const phases: Phases = {
    write: (files, mode) =>
      shared(
        files,
        (share) => ({ phase: 'write', files: share, mode }),
        ({ written = [] }) => written,
      ),
    place: (files, mode) =>
      shared(
        files,
        (share) => ({ phase: 'place', files: share, mode }),
        ({ placed = [] }) => placed,
      ),
    sync: async (folders) => {
      await shared(
        folders,
        (share) => ({ phase: 'sync', folders: share }),
        () => [],
      );
    },
  };
  return Object.freeze<GroupWriter>({
    create: (files, mode, steps) => createGroup(phases, files, mode, steps),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  });
}

interface Waiting {
  readonly resolve: (answer: FileAnswer) => void;
  readonly reject: (error: VtlicError) => void;
}

/** One thread. When it is gone, what it was to do has failed, and so has whatever it is asked later. */
class FileWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #lost: VtlicError | undefined;

  constructor() {
    const main = new URL(`./file-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
    this.#worker = new Worker(main, { env: {} });
    this.#worker.on('message', ({ id, answer }: NumberedAnswer) => {
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    this.#worker.on('error', (error) => {
      this.#lose(error);
    });
    this.#worker.on('exit', () => {
      this.#lose(undefined);
    });
  }

  carryOut(task: FileTask): Promise<FileAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task } satisfies NumberedTask);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #lose(cause: unknown): void {
    this.#lost ??= new VtlicError('internal', 'a worker that writes files ended before its time', { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }
}
