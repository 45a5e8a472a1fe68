/** Reads a file of any size piece by piece. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { VtlicError, type ToolFault } from '../../formats/error.ts';
import { describeFileError } from './file-error.ts';

const CHUNK_BYTES = 1 << 18;

/** @throws VtlicError with `code` for a folder, a pipe or a device */
export function requireFile(facts: Stats, path: string, code: ToolFault): void {
  if (facts.isDirectory()) throw new VtlicError(code, 'this is a folder, not a file', { file: path });
  if (!facts.isFile())
    throw new VtlicError(code, 'this is a pipe or a device, not a file', {
      file: path,
      hint: 'write it to a file first',
    });
}

/** Each chunk is good until the next one is asked for. @throws VtlicError with `code` naming the file */
export function* readChunks(path: string, code: ToolFault = 'file_unreadable'): Generator<Uint8Array> {
  let fd: number;
  try {
    // A pipe without a writer would hold the process, and a Ctrl-C, for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw describeFileError(error, code, path);
  }
  try {
    requireFile(fstatSync(fd), path, code);
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      let count: number;
      try {
        count = readSync(fd, buffer, 0, buffer.length, null);
      } catch (error) {
        throw describeFileError(error, code, path);
      }
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}
