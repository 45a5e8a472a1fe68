/** Replaces a file atomically, and writes files of any size as a stream. */
import { closeSync, fchmodSync, fchownSync, fsyncSync, lstatSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { VtlicError } from '../formats/error.ts';
import { errorCodeOf } from './file-error.ts';
import { fsyncFolder } from './folders.ts';
import {
  forgetTemporary,
  naming,
  openTemporary,
  placeWithoutReplacing,
  readsBackDifferently,
  UNSUPPORTED,
  writeAll,
} from './temporary.ts';

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
 * A run as root must not lock out the owner of the file that it replaces. If this user may not change the owner of a
 * file, the new file belongs to this user.
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
