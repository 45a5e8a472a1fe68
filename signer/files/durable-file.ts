/**
 * Files that are whole or absent, also after a power loss.
 *
 * A file is written under a temporary name in its own folder, fsynced, given its final name without
 * ever replacing another file, and the folder is fsynced.
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
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

/**
 * Creates `folder` and its missing parents, each made durable in its own parent.
 * One by one: `mkdir` with `recursive` never ends where a parent cannot be made (`/proc/nowhere/x`).
 */
export function makeFolders(folder: string, mode = 0o755): void {
  if (madeFolder(folder, mode)) return;
  makeFolders(dirname(folder), mode);
  if (!madeFolder(folder, mode))
    throw new VtlicError('output_unwritable', 'this folder cannot be made', { file: folder });
}

/** False where the parent is missing. */
function madeFolder(folder: string, mode: number): boolean {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return true;
    if (code === 'ENOENT' && dirname(folder) !== folder) return false;
    throw error;
  }
  fsyncFolder(dirname(folder));
  return true;
}

function writeWhole(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, 'wx', mode);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * What exists under a name: nothing, the very bytes, a part of them from their beginning (what a crash leaves on a disk that
 * knows no links), or something else.
 */
export function fileState(path: string, bytes: Uint8Array): 'absent' | 'equal' | 'part' | 'other' {
  try {
    const facts = lstatSync(path);
    if (!facts.isFile() || facts.size > bytes.length) return 'other';
    const found = readFileSync(path);
    if (Buffer.compare(found, bytes.subarray(0, found.length)) !== 0) return 'other';
    return found.length === bytes.length ? 'equal' : 'part';
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
export async function createDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
  steps: DurableSteps = {},
): Promise<'created' | 'equal'> {
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
    if (before === 'part') removeIfPresent(path);
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
      throw new VtlicError('output_unwritable', 'the file reads back differently from what was written', {
        file: path,
        hint: 'check this disk before you go on',
      });
    }
    return 'created';
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}

/** Gives a file its final name. @throws VtlicError `output_exists` where something else has it; what the system says otherwise */
export function placeWithoutReplacing(temporary: string, path: string, bytes: Uint8Array, mode: number): void {
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

export function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
  }
}

export function existsError(path: string): VtlicError {
  return new VtlicError('output_exists', 'a file stands here already and is never replaced', {
    file: path,
    hint: 'move it away, or choose another name',
  });
}
