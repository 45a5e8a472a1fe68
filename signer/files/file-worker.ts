/** Runs in a worker thread: one phase of one share of files, synchronously. The main thread waits for no disk. */
import { parentPort } from 'node:worker_threads';
import { VtlicError } from '../../formats/error.ts';
import { placeTemporary, syncFolder, writeTemporaries } from './durable-phases.ts';
import type { FileAnswer, FileTask, NumberedAnswer, NumberedTask } from './durable-group.ts';

function carryOut(task: FileTask): FileAnswer {
  try {
    switch (task.phase) {
      case 'write':
        return { ok: true, written: writeTemporaries(task.files, task.mode) };
      case 'place':
        return { ok: true, placed: task.files.map((file) => placeTemporary(file, task.mode)) };
      default:
        task.folders.forEach(syncFolder);
        return { ok: true };
    }
  } catch (error) {
    const fault =
      error instanceof VtlicError
        ? error
        : new VtlicError('internal', error instanceof Error ? error.message : 'a value was thrown that is no error');
    return {
      ok: false,
      code: fault.code,
      message: fault.message,
      details: { ...fault.place, ...(fault.hint === undefined ? {} : { hint: fault.hint }) },
    };
  }
}

parentPort?.on('message', ({ id, task }: NumberedTask) => {
  parentPort?.postMessage({ id, answer: carryOut(task) } satisfies NumberedAnswer);
});
