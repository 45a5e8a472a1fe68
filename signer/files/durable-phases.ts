/** The three phases in which new files are made durable, for one file or folder each. All of it is synchronous: it may run in a worker. */
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { existsError, fileState, fsyncFolder, placeWithoutReplacing, removeIfPresent } from './durable-file.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';

export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** `open`: on its way. `equal`: the very bytes stood there already. `exists`: something else stands there, and is never replaced. */
export type FileState = 'open' | 'equal' | 'exists';

export interface Written {
  readonly state: FileState;
  /** Folders whose entries changed: the file's own, and the parent of each that was made. */
  readonly folders: readonly string[];
}

function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/** Files of one thread that are open at a time. */
const MOST_OPEN = 32;

/**
 * Phase 1: the bytes are durable under temporary names. Some files are written before the first of them is flushed: a flush takes along
 * what stands before it, and costs a third less than one after each file.
 *
 * @throws VtlicError `output_unwritable`
 */
export function writeTemporaries(files: readonly NewFile[], mode: number): readonly Written[] {
  const written: Written[] = [];
  for (let from = 0; from < files.length; from += MOST_OPEN)
    written.push(...writeSome(files.slice(from, from + MOST_OPEN), mode));
  return written;
}

function writeSome(files: readonly NewFile[], mode: number): readonly Written[] {
  const open: { readonly fd: number; readonly path: string }[] = [];
  try {
    const written = files.map((file) =>
      naming(file.path, (): Written => {
        const folders = makeFolder(dirname(file.path));
        if (lstatSync(file.path, { throwIfNoEntry: false }) !== undefined)
          return { state: fileState(file.path, file.bytes) === 'equal' ? 'equal' : 'exists', folders };
        const fd = openNew(temporaryOf(file.path), mode);
        open.push({ fd, path: file.path });
        for (let offset = 0; offset < file.bytes.length;) offset += writeSync(fd, file.bytes, offset);
        return { state: 'open', folders };
      }),
    );
    for (const { fd, path } of open) {
      naming(path, () => {
        fsyncSync(fd);
      });
    }
    return written;
  } finally {
    for (const { fd } of open) closeSync(fd);
  }
}

/** What goes wrong is told of this file. */
function naming<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}

/** A crash may have left one of that name. */
function openNew(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    removeIfPresent(path);
    return openSync(path, 'wx', mode);
  }
}

/**
 * With its missing parents, one by one: `mkdir` with `recursive` never ends where a parent cannot be made.
 *
 * @returns the folder, and the parent of each that was made
 */
function makeFolder(folder: string): readonly string[] {
  const first = madeFolder(folder);
  if (first === 'stands') return [folder];
  if (first === 'made') return [folder, dirname(folder)];
  const parents = makeFolder(dirname(folder));
  if (madeFolder(folder) === 'no parent')
    throw new VtlicError('output_unwritable', 'this folder cannot be made', { file: folder });
  return [folder, ...parents];
}

function madeFolder(folder: string): 'made' | 'stands' | 'no parent' {
  // Asked first: most stand, and an error that is thrown and caught for each file is felt in a batch.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return 'stands';
  try {
    mkdirSync(folder, { mode: 0o755 });
    return 'made';
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return 'stands';
    if (code === 'ENOENT' && dirname(folder) !== folder) return 'no parent';
    throw error;
  }
}

/** Phase 2: the file has its name. @throws VtlicError `output_unwritable` */
export function placeTemporary(file: NewFile, mode: number): FileState {
  const temporary = temporaryOf(file.path);
  try {
    placeWithoutReplacing(temporary, file.path, file.bytes, mode);
    if (fileState(file.path, file.bytes) !== 'equal')
      throw new VtlicError('output_unwritable', 'the file reads back differently from what was written', {
        file: file.path,
        hint: 'check this disk before you go on',
      });
    return 'open';
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'output_exists') return 'exists';
    throw describeFileError(error, 'output_unwritable', file.path);
  } finally {
    forgetTemporary(file.path);
  }
}

/** What is left under a temporary name is in nobody's way. */
export function forgetTemporary(path: string): void {
  try {
    const temporary = temporaryOf(path);
    // Asked first, as above.
    if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) removeIfPresent(temporary);
  } catch {
    // The first error is the one to tell.
  }
}

/** Phase 3: the names are durable. @throws VtlicError `output_unwritable` */
export function syncFolder(folder: string): void {
  naming(folder, () => {
    fsyncFolder(folder);
  });
}

/** What is told of a file that could not be placed. */
export function outcomeError(path: string): VtlicError {
  return existsError(path);
}
