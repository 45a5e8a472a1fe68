/**
 * The one way to write a file: after a crash or a power loss it is whole or absent, never half-written.
 *
 * Bytes go to a temporary name in the same folder and are flushed (fsync); then the file gets its final name, and
 * the folder is flushed. A new file never replaces another; `replaceDurably` keeps the owner and the mode of what it
 * replaces.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { VtlicError } from '../formats/error.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';
import { addFolders, fileState, fsyncFolder, removeIfPresent } from './folders.ts';

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
 * @returns an outcome for each file, in their order; only `output_exists` is the fault of one file
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
      if (states[i] === 'open') states[i] = placeTemporary(file);
    });
    await options.linked?.();
    await allSettled([...folders].map(flushFolder));
    return files.map(({ path }, i): FileOutcome => {
      const state = states[i];
      return state === 'open' || state === 'equal'
        ? { ok: true, written: state === 'open' }
        : { ok: false, error: existsError(path) };
    });
  } finally {
    // Once more, for a temporary file that the disk refused to remove the first time.
    for (const { path } of files) forgetTemporary(temporaryOf(path));
  }
}

/** `open`: in progress. `equal`: the same bytes already exist under that name. `exists`: another file has the name. */
type FileState = 'open' | 'equal' | 'exists';

/** Writes some files before it flushes the first: a flush takes along what was written before it. */
async function writeTemporaries(
  files: readonly NewFile[],
  mode: number,
  folders: Set<string>,
  { folderExists = false }: DurableOptions,
): Promise<readonly FileState[]> {
  const open: { readonly fd: number; readonly path: string }[] = [];
  try {
    const states = files.map(({ path, bytes }) =>
      naming(path, (): FileState => {
        if (folderExists) folders.add(dirname(path));
        else addFolders(dirname(path), folders);
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
      }),
    );
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

/**
 * `link` fails with one of these where the file system has no hard links (FAT, exFAT, some network shares), and `chown`
 * where it has no owners or this user may not give a file away.
 */
const UNSUPPORTED: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Gives a durable temporary file its final name, never over another file. The caller flushes the folder.
 *
 * Where there are no hard links, an empty file claims the name exclusively, and the temporary file is renamed over it:
 * a crash in between leaves that empty file, which `createDurably` takes for its own beginning.
 *
 * @returns false where another file has the name
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

function renameWithoutReplacing(temporary: string, path: string): boolean {
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

export interface ReplaceOptions {
  /** Where the new file is made; by default a hidden name in the same folder. */
  readonly temporary?: string;
}

/**
 * Replaces a file atomically, or makes it: after a crash the old or the new one exists, whole. The new file is read
 * back before it takes the place of the old one.
 *
 * @param mode of a file that did not exist; the new file otherwise gets owner and mode of the old one
 * @throws VtlicError `output_unwritable`
 */
export function replaceDurably(path: string, bytes: Uint8Array, mode: number, options: ReplaceOptions = {}): void {
  const stream = new DurableStream(options.temporary ?? join(dirname(path), `.${basename(path)}.new`), mode);
  try {
    stream.write(bytes);
    stream.replace(path, bytes);
  } finally {
    stream.abandon();
  }
}

const BUFFER_BYTES = 1 << 18;

/** A file of any size that grows under a temporary name. `create` or `replace` finishes it, `abandon` removes it. */
export class DurableStream {
  readonly #temporary: string;
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;
  #fd: number | undefined;

  /** Removes what a crash left under the temporary name. @throws VtlicError `output_unwritable` */
  constructor(temporary: string, mode: number) {
    this.#temporary = temporary;
    this.#fd = naming(temporary, () => openTemporary(temporary, mode));
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > BUFFER_BYTES - this.#filled) this.#empty();
    if (bytes.length > BUFFER_BYTES) {
      naming(this.#temporary, () => {
        writeAll(this.#open(), bytes);
      });
      return;
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** @returns false where another file has the name already */
  create(path: string): boolean {
    this.#empty();
    return naming(path, () => {
      fsyncSync(this.#open());
      const created = placeWithoutReplacing(this.#temporary, path);
      fsyncFolder(dirname(path));
      this.abandon();
      return created;
    });
  }

  /** @param expected what the whole file should read back as, where the caller has it in memory */
  replace(path: string, expected?: Uint8Array): void {
    this.#empty();
    naming(path, () => {
      const fd = this.#open();
      keepOwnerAndMode(fd, path);
      fsyncSync(fd);
      if (expected !== undefined && !readFileSync(this.#temporary).equals(expected)) throw readsBackDifferently(path);
      renameSync(this.#temporary, path);
      this.#close();
      fsyncFolder(dirname(path));
    });
  }

  /** Removes the temporary file. Does nothing when the file is finished. */
  abandon(): void {
    if (this.#fd === undefined) return;
    this.#close();
    forgetTemporary(this.#temporary);
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #empty(): void {
    const filled = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    naming(this.#temporary, () => {
      writeAll(this.#open(), filled);
    });
  }

  #open(): number {
    if (this.#fd === undefined) throw new VtlicError('internal', 'the file is finished and takes no more bytes');
    return this.#fd;
  }
}

/**
 * A run as root must not lock out the owner of the file that it replaces. A user who may not give a file away keeps
 * what they may: the file then belongs to them.
 */
function keepOwnerAndMode(fd: number, path: string): void {
  const old = lstatSync(path, { throwIfNoEntry: false });
  if (old?.isFile() !== true) return;
  try {
    fchownSync(fd, old.uid, old.gid);
    fchmodSync(fd, old.mode & 0o7777);
  } catch (error) {
    if (!UNSUPPORTED.has(errorCodeOf(error))) throw error;
  }
}

function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/** A crash may have left a file of that name. */
function openTemporary(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    removeIfPresent(path);
    return openSync(path, 'wx', mode);
  }
}

/** A temporary file that cannot be removed harms nothing, and the caller has an earlier error to report. */
function forgetTemporary(path: string): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) removeIfPresent(path);
  } catch {
    // The next file of that name is written over it.
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
}

/** An error of the operating system names the file. */
function naming<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
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

export function existsError(file: string): VtlicError {
  return new VtlicError('output_exists', 'a file stands here already and is never replaced', {
    file,
    hint: 'move it away, or choose another name',
  });
}

function readsBackDifferently(file: string): VtlicError {
  return new VtlicError('output_unwritable', 'the file reads back differently from what was written', {
    file,
    hint: 'check this disk before you go on',
  });
}
