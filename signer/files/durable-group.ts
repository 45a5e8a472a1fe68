/**
 * Many new files, each whole or absent, made durable together: a file's own bytes are fsynced one by one, and a folder once for all
 * files that were made in it.
 */
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { existsError, fileState, placeWithoutReplacing, removeIfPresent } from './durable-file.ts';
import { describeFileError } from './file-error.ts';

export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export type FileOutcome = { readonly ok: true; readonly written: boolean } | { readonly ok: false; readonly error: VtlicError };

/** Files on their way to the disk at once: a disk takes many flushes together for little more than one. */
const AT_ONCE = 12;
/** So many that files on their way never keep a key that signs in libuv's threads waiting. */
const THREADS = 16;

/**
 * Asks for more threads than libuv's four. Counts only where nothing has used them yet in this process (Node makes no promise
 * beyond that); without them files are written all the same, only slower.
 */
export function askForThreads(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(THREADS);
}

export interface GroupSteps {
  /** The bytes are durable under temporary names. */
  readonly written: () => Promise<void>;
  /** The files have their names, and the folders are not yet durable. */
  readonly linked: () => Promise<void>;
}

/**
 * Never over an existing file: where other bytes stand, that file alone fails (`output_exists`).
 *
 * @returns an outcome for each file, in their order
 * @throws VtlicError `output_unwritable` for everything else: the disk is full or broken, and the rest would fail too
 */
export async function createGroupDurably(files: readonly NewFile[], mode: number, steps: GroupSteps): Promise<readonly FileOutcome[]> {
  const outcomes = new Array<FileOutcome | undefined>(files.length);
  const folders = new Set<string>();
  const temporary = (file: NewFile): string => join(dirname(file.path), `.${basename(file.path)}.tmp`);
  const writeOne = async (file: NewFile, i: number): Promise<void> => {
    try {
      makeFolderLater(dirname(file.path), folders);
      removeIfPresent(temporary(file));
      const before = fileState(file.path, file.bytes);
      if (before === 'equal') outcomes[i] = { ok: true, written: false };
      else if (before === 'other') outcomes[i] = { ok: false, error: existsError(file.path) };
      else await writeWhole(temporary(file), file.bytes, mode);
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', file.path);
    }
  };
  try {
    await eachAtOnce(files, AT_ONCE, writeOne);
    await steps.written();
    files.forEach((file, i) => {
      if (outcomes[i] === undefined) outcomes[i] = place(file, temporary(file), mode);
    });
    await steps.linked();
  } finally {
    for (const file of files) {
      try {
        removeIfPresent(temporary(file));
      } catch {
        // What is left under a temporary name is in nobody's way; the first error is the one to tell.
      }
    }
  }
  await eachAtOnce([...folders], AT_ONCE, syncFolder);
  return files.map((file, i) => outcomes[i] ?? { ok: false, error: new VtlicError('internal', 'a file was neither written nor refused', { file: file.path }) });
}

function place(file: NewFile, temporary: string, mode: number): FileOutcome {
  try {
    placeWithoutReplacing(temporary, file.path, file.bytes, mode);
    if (fileState(file.path, file.bytes) === 'equal') return { ok: true, written: true };
    throw new VtlicError('output_unwritable', 'the file reads back differently from what was written', { file: file.path, hint: 'check this disk before you go on' });
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'output_exists') return { ok: false, error };
    throw describeFileError(error, 'output_unwritable', file.path);
  }
}

/** Makes a folder and its missing parents, and notes which must be fsynced: itself, and the parent of each that is new. */
function makeFolderLater(folder: string, later: Set<string>): void {
  if (later.has(folder)) return;
  const first = mkdirSync(folder, { recursive: true, mode: 0o755 });
  later.add(folder);
  if (first === undefined) return;
  for (let made = folder; made !== first; made = dirname(made)) later.add(dirname(made));
  later.add(dirname(first));
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', folder);
  }
}

async function writeWhole(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws the first error, once nothing is under way any more */
async function eachAtOnce<T>(items: readonly T[], atOnce: number, act: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    while (next < items.length && failed === undefined) {
      const index = next++;
      const item = items[index];
      if (item === undefined) return;
      try {
        await act(item, index);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failed !== undefined) throw failed.error;
}
