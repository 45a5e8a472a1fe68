/** Durable folders, and the small acts on files that durable writing is made of. */
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { VtlicError, type ToolFault } from '../formats/error.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';

/** Flushes a file, or a folder with the names in it. */
export function fsyncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Flushes the names in a folder. */
export const fsyncFolder: (folder: string) => void = fsyncPath;

/** Creates `folder` and its missing parents, each made durable in its own parent. */
export function makeFolders(folder: string, mode = 0o755): void {
  const changed = new Set<string>();
  addFolders(folder, changed, mode);
  changed.delete(folder);
  // The outermost first.
  for (const parent of [...changed].toReversed()) fsyncFolder(parent);
}

/**
 * Creates `folder` and its missing parents, and adds to `changed` the folder and the parent of each that was made.
 *
 * It makes them one by one: `mkdir` with `recursive` never ends where a parent cannot be made (`/proc/nowhere/x`).
 */
export function addFolders(folder: string, changed: Set<string>, mode = 0o755): void {
  changed.add(folder);
  const first = madeFolder(folder, mode);
  if (first === 'exists') return;
  if (first === 'no parent') {
    addFolders(dirname(folder), changed, mode);
    if (madeFolder(folder, mode) === 'no parent')
      throw new VtlicError('output_unwritable', 'this folder cannot be made', {
        file: folder,
        cause: Object.assign(new Error('its parent takes no folder'), { code: 'ENOENT' }),
      });
  }
  changed.add(dirname(folder));
}

function madeFolder(folder: string, mode: number): 'made' | 'exists' | 'no parent' {
  // Most folders exist: a thrown error for each file of a batch would cost time.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return 'exists';
  try {
    mkdirSync(folder, { mode });
    return 'made';
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return 'exists';
    if (code === 'ENOENT' && dirname(folder) !== folder) return 'no parent';
    throw error;
  }
}

/**
 * What has a name: nothing, a file of exactly these bytes, a part of them from their beginning (what a crash leaves on
 * a disk without hard links), or something else.
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

/**
 * Whether a file or folder is there. Unlike `existsSync`, it does not call absent what this user may not look at.
 *
 * @throws VtlicError with `code`, naming the folder
 */
export function isPresent(path: string, code: ToolFault): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const folder = dirname(path);
    if (errorCodeOf(error) !== 'EACCES') throw describeFileError(error, code, folder);
    throw new VtlicError(code, `this user may not read this folder${ownerOf(folder)}`, {
      file: folder,
      hint: 'run the command as the user who owns the folder',
      cause: error,
    });
  }
}

/** Empty if this user may not see who owns the folder either. */
function ownerOf(folder: string): string {
  try {
    return `, which belongs to the user with the number ${statSync(folder).uid}`;
  } catch {
    return '';
  }
}

export function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
  }
}
