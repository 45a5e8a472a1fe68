/** Reads a file of any size piece by piece. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { VtlicError, type ToolFault } from '../../formats/error.ts';
import { describeFileError } from './file-error.ts';

const CHUNK_BYTES = 1 << 18;

/** Each chunk is good until the next one is asked for. @throws VtlicError with `code` naming the file */
export function* readChunks(path: string, code: ToolFault = 'file_unreadable'): Generator<Uint8Array> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw describeFileError(error, code, path);
  }
  try {
    if (fstatSync(fd).isDirectory()) throw new VtlicError(code, 'this is a folder, not a file', { file: path });
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
