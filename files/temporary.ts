/** A file under its temporary name, and how it gets its final name without replacing another file. */
import { closeSync, linkSync, lstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { VtlicError } from '../formats/error.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';
import { removeIfPresent } from './folders.ts';

export function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/** A crash may have left a file of that name. */
export function openTemporary(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    removeIfPresent(path);
    return openSync(path, 'wx', mode);
  }
}

/** A temporary file that cannot be removed harms nothing, and the caller has an earlier error to report. */
export function forgetTemporary(path: string): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) removeIfPresent(path);
  } catch {
    // The next file of that name is written over it.
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
}

/** An error of the operating system names the file. */
export function naming<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}

/**
 * `link` fails with one of these where the file system has no hard links (FAT, exFAT, some network shares), and `chown`
 * where it has no owners or this user may not give a file away.
 */
export const UNSUPPORTED: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Gives a durable temporary file its final name, never over another file. The caller flushes the folder.
 *
 * If there are no hard links, an empty file claims the name exclusively, and the temporary file is renamed over it:
 * a crash in between leaves that empty file, which `createManyDurably` takes for its own beginning.
 *
 * @returns false if another file has the name
 */
export function placeWithoutReplacing(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST') return false;
    if (!UNSUPPORTED.has(code)) throw error;
    return renameWithoutReplacing(temporary, path);
  }
  forgetTemporary(temporary);
  return true;
}

export function renameWithoutReplacing(temporary: string, path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    renameSync(temporary, path);
    return true;
  } catch (error) {
    removeIfPresent(path);
    throw error;
  }
}

export function readsBackDifferently(file: string): VtlicError {
  return new VtlicError('output_unwritable', 'the file reads back differently from what was written', {
    file,
    hint: 'check this disk before you go on',
  });
}
