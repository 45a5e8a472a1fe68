/**
 * The one way to write a file durably and atomically (fsync, then link or rename): after a crash or a power loss the
 * file is whole or absent, never half-written.
 *
 * Bytes go to a temporary name in the same folder and are flushed (fsync); then the file gets its final name, and
 * the folder is flushed. A new file never replaces another; `replaceDurably` keeps the owner and the mode of what it
 * replaces.
 */
import { closeSync, fsync, lstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { VtlicError } from '../formats/error.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';
import { addFolders, fileState, removeIfPresent } from './folders.ts';
import {
  forgetTemporary,
  naming,
  openTemporary,
  placeWithoutReplacing,
  readsBackDifferently,
  temporaryOf,
  writeAll,
} from './temporary.ts';

export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export type FileOutcome =
  /** `written` is false where a file with the same bytes already existed. */
  { readonly ok: true; readonly written: boolean } | { readonly ok: false; readonly error: VtlicError };

export interface DurableOptions {
  /** Called once the bytes are durable under their temporary names. */
  readonly written?: () => Promise<void>;
  /** Called once the files have their names; the folders are not yet durable. */
  readonly linked?: () => Promise<void>;
  /** A missing folder is an error; by default it is made. */
  readonly folderExists?: boolean;
}

/**
 * Writes a new file; never over an existing one.
 *
 * @returns 'created', or 'equal' where a file with the same bytes already exists
 * @throws VtlicError `output_exists`, `output_unwritable`; nothing half-written is left under the final name
 */
export async function createDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
  options: DurableOptions = {},
): Promise<'created' | 'equal'> {
  const [outcome] = await createManyDurably([{ path, bytes }], mode, options);
  if (outcome?.ok === true) return outcome.written ? 'created' : 'equal';
  throw outcome?.error ?? existsError(path);
}

/** Files that are open at a time. */
const MAX_OPEN = 32;

/**
 * Writes many new files: first all bytes, then all names, then all folders, each folder flushed once. The flushes run
 * in parallel, off this thread: a disk takes several at a time for little more than the price of one.
 *
 * @returns an outcome for each file, in their order: a name that is taken, a folder that is a file, a name that the
 *   file system does not take, a folder that this user may not write to
 * @throws VtlicError `output_unwritable` for everything else: the disk is full or broken, and the rest would fail too
 */
export async function createManyDurably(
  files: readonly NewFile[],
  mode: number,
  options: DurableOptions = {},
): Promise<readonly FileOutcome[]> {
  const folders = new Set<string>();
  const states: FileState[] = [];
  try {
    for (let from = 0; from < files.length; from += MAX_OPEN)
      states.push(...(await writeTemporaries(files.slice(from, from + MAX_OPEN), mode, folders, options)));
    await options.written?.();
    files.forEach((file, i) => {
      if (states[i] === 'open') states[i] = ofOneFile(() => placeTemporary(file));
    });
    await options.linked?.();
    await allSettled([...folders].map(flushFolder));
    return files.map(({ path }, i): FileOutcome => {
      const state = states[i];
      return state === 'open' || state === 'equal'
        ? { ok: true, written: state === 'open' }
        : { ok: false, error: state instanceof VtlicError ? state : existsError(path) };
    });
  } finally {
    // Once more, for a temporary file that the disk refused to remove the first time.
    for (const { path } of files) forgetTemporary(temporaryOf(path));
  }
}

/** `open`: in progress. `equal`: the same bytes already exist under that name. `exists`: another file has the name. */
type FileState = 'open' | 'equal' | 'exists' | VtlicError;

/** Error codes that concern only one name or one folder; other files can still be written. */
const OF_ONE_FILE: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EEXIST',
  'EILSEQ',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
]);

/** Returns an error that concerns only this file, and throws every other error. */
function ofOneFile(act: () => FileState): FileState {
  try {
    return act();
  } catch (error) {
    if (error instanceof VtlicError && OF_ONE_FILE.has(errorCodeOf(error.cause))) return error;
    throw error;
  }
}

/** Writes some files before it flushes the first: a flush takes along what was written before it. */
async function writeTemporaries(
  files: readonly NewFile[],
  mode: number,
  folders: Set<string>,
  { folderExists = false }: DurableOptions,
): Promise<readonly FileState[]> {
  const open: { readonly fd: number; readonly path: string }[] = [];
  try {
    const writeOne = ({ path, bytes }: NewFile): FileState =>
      naming(path, (): FileState => {
        const changed = new Set<string>();
        if (folderExists) changed.add(dirname(path));
        else addFolders(dirname(path), changed);
        for (const folder of changed) folders.add(folder);
        // Asked without throwing: in a batch of thousands an error for each missing file costs time.
        if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
          const before = fileState(path, bytes);
          if (before !== 'part') return before === 'equal' ? 'equal' : 'exists';
          removeIfPresent(path);
        }
        const fd = openTemporary(temporaryOf(path), mode);
        open.push({ fd, path });
        writeAll(fd, bytes);
        return 'open';
      });
    const states = files.map((file) => ofOneFile(() => writeOne(file)));
    await allSettled(open.map(({ fd, path }) => flush(fd, path)));
    return states;
  } finally {
    for (const { fd } of open) closeSync(fd);
  }
}

function placeTemporary({ path, bytes }: NewFile): FileState {
  const temporary = temporaryOf(path);
  try {
    return naming(path, () => {
      if (!placeWithoutReplacing(temporary, path)) return 'exists';
      if (fileState(path, bytes) !== 'equal') throw readsBackDifferently(path);
      return 'open';
    });
  } finally {
    forgetTemporary(temporary);
  }
}

function flush(fd: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => {
      if (error === null) resolve();
      else reject(describeFileError(error, 'output_unwritable', path));
    });
  });
}

async function flushFolder(folder: string): Promise<void> {
  const fd = naming(folder, () => openSync(folder, 'r'));
  try {
    await flush(fd, folder);
  } finally {
    closeSync(fd);
  }
}

/** Waits for all, then throws the first error: nothing is closed or removed while a flush is in progress. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(work)) if (one.status === 'rejected') throw one.reason;
}

function existsError(file: string): VtlicError {
  return new VtlicError('output_exists', 'a file already exists here and is never replaced', {
    file,
    hint: 'move it away, or choose another name',
  });
}
