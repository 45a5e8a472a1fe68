/**
 * Files that are whole or absent, also after a power loss.
 *
 * A file is written under a temporary name in its own folder, fsynced, given its final name without
 * ever replacing another file, and the folder is fsynced.
 */
import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';

export function fsyncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Creates `folder` and its missing parents, each made durable in its own parent. */
export function makeFolders(folder: string, mode = 0o755): void {
  const first = mkdirSync(folder, { recursive: true, mode });
  if (first === undefined) return;
  const parent = dirname(first);
  for (let made = folder; made !== parent; made = dirname(made)) fsyncFolder(made);
  fsyncFolder(parent);
}

function writeWhole(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, 'wx', mode);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What exists under a name: nothing, the very bytes, or something else. */
export function fileState(path: string, bytes: Uint8Array): 'absent' | 'equal' | 'other' {
  try {
    if (!lstatSync(path).isFile()) return 'other';
    return equalBytes(readFileSync(path), bytes) ? 'equal' : 'other';
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return 'absent';
    throw describeFileError(error, 'output_unwritable', path);
  }
}

export interface DurableSteps {
  readonly written?: () => Promise<void>;
  readonly linked?: () => Promise<void>;
}

/**
 * Writes a new file; never over an existing one.
 *
 * @returns 'created', or 'equal' where the very bytes stand there already.
 * @throws VtlicError `output_exists`, `output_unwritable`; nothing half-written is left under the final name.
 */
export async function createDurably(path: string, bytes: Uint8Array, mode: number, steps: DurableSteps = {}): Promise<'created' | 'equal'> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.tmp`);
  try {
    makeFolders(folder);
    // A crash may have left one.
    removeIfPresent(temporary);
    const before = fileState(path, bytes);
    if (before === 'equal') {
      fsyncFolder(folder);
      return 'equal';
    }
    if (before === 'other') throw existsError(path);
    try {
      writeWhole(temporary, bytes, mode);
      await steps.written?.();
      placeWithoutReplacing(temporary, path, bytes, mode);
      await steps.linked?.();
    } finally {
      removeIfPresent(temporary);
    }
    fsyncFolder(folder);
    if (fileState(path, bytes) !== 'equal') {
      throw new VtlicError('output_unwritable', 'the file reads back differently from what was written', { file: path, hint: 'check this disk before you go on' });
    }
    return 'created';
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}

function placeWithoutReplacing(temporary: string, path: string, bytes: Uint8Array, mode: number): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST') throw existsError(path);
    // A disk that knows no hard links (FAT, some network shares): exclusive create, then read back by the caller.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      try {
        writeWhole(path, bytes, mode);
      } catch (second) {
        if (errorCodeOf(second) === 'EEXIST') throw existsError(path);
        removeIfPresent(path);
        throw second;
      }
      return;
    }
    throw error;
  }
}

/** Replaces a file of the site atomically (`site.json`): the old or the new stands there, never a half. */
export function replaceDurably(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  try {
    removeIfPresent(temporary);
    try {
      writeWhole(temporary, bytes, mode);
      renameSync(temporary, path);
    } catch (error) {
      removeIfPresent(temporary);
      throw error;
    }
    fsyncFolder(dirname(path));
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}

function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
  }
}

function existsError(path: string): VtlicError {
  return new VtlicError('output_exists', 'a file stands here already and is never replaced', { file: path, hint: 'move it away, or choose another name' });
}
