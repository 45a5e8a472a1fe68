/** Reads whole files with a size limit: what is larger is refused before it fills the memory. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { VtlicError, type ToolFault } from '../../formats/error.ts';
import { describeFileError } from './file-error.ts';
import { requireFile } from './read-chunks.ts';

/**
 * @param limit most bytes to read
 * @throws VtlicError with `code` (default `file_unreadable`) naming the file
 */
export function readLimited(path: string, limit: number, code: ToolFault = 'file_unreadable'): Uint8Array {
  try {
    // A pipe without a writer would hold the process, and a Ctrl-C, for ever.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      requireFile(fstatSync(fd), path, code);
      const chunks: Uint8Array[] = [];
      let total = 0;
      for (;;) {
        const chunk = new Uint8Array(Math.min(65_536, limit + 1 - total));
        const count = readSync(fd, chunk, 0, chunk.length, null);
        if (count === 0) break;
        chunks.push(chunk.subarray(0, count));
        total += count;
        if (total > limit) throw new VtlicError(code, `the file is larger than ${limit} bytes`, { file: path });
      }
      const out = new Uint8Array(total);
      let offset = 0;
      for (const chunk of chunks) {
        out.set(chunk, offset);
        offset += chunk.length;
      }
      return out;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw describeFileError(error, code, path);
  }
}
