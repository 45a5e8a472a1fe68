/** Reads files: whole with a size limit, so that a larger one never fills the memory, or of any size piece by piece. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { LICENSE_LIMITS } from '../formats/armor.ts';
import { concatBytes } from '../formats/bytes.ts';
import { VtlicError, type ErrorCode, type ToolFault } from '../formats/error.ts';
import { MAX_CHAIN_BYTES } from '../formats/keyset/keyset.ts';
import { parseStrictJson, type JsonNode } from '../formats/json/index.ts';
import { describeFileError, errorCodeOf } from './file-error.ts';

/**
 * @param limit the most bytes to read
 * @param tooLarge the code for a larger file: the one that the format's own decoder gives for it, so that one fault has
 *   one name
 * @throws VtlicError with `tooLarge`, or with `code` (default `file_unreadable`), naming the file
 */
export function readLimited(
  path: string,
  limit: number,
  tooLarge: ErrorCode,
  code: ToolFault = 'file_unreadable',
): Uint8Array {
  const bytes = readBeginning(path, limit + 1, code);
  if (bytes.length > limit) throw new VtlicError(tooLarge, `the file is larger than ${limit} bytes`, { file: path });
  return bytes;
}

/**
 * A license file, or the beginning of a larger one: enough for `dearmor` to refuse it as `too_large`, whatever its
 * size.
 *
 * @throws VtlicError `file_unreadable` naming the file
 */
export function readLicenseFile(path: string): Uint8Array {
  return readBeginning(path, LICENSE_LIMITS.fileBytes + 1, 'file_unreadable');
}

/**
 * Reads a chain of keysets; of a file that is too large, only the beginning.
 *
 * @throws VtlicError `file_unreadable` naming the file
 */
export function readKeysetFile(path: string): Uint8Array {
  return readBeginning(path, MAX_CHAIN_BYTES + 1, 'file_unreadable');
}

/** At most `maxBytes` bytes of the file. */
function readBeginning(path: string, maxBytes: number, code: ToolFault): Uint8Array {
  try {
    // A pipe without a writer would block the process, and a Ctrl-C, for ever.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      requireFile(fstatSync(fd), path, code);
      const chunks: Uint8Array[] = [];
      let total = 0;
      while (total < maxBytes) {
        const chunk = new Uint8Array(Math.min(65_536, maxBytes - total));
        const count = readSync(fd, chunk, 0, chunk.length, null);
        if (count === 0) break;
        chunks.push(chunk.subarray(0, count));
        total += count;
      }
      return concatBytes(...chunks);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw describeFileError(error, code, path);
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * At most `maxBytes` bytes of standard input, up to its end.
 *
 * @throws VtlicError `file_unreadable`
 */
export function readStandardInput(maxBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let total = 0; total < maxBytes;) {
    const chunk = new Uint8Array(Math.min(65_536, maxBytes - total));
    let count: number;
    try {
      count = readSync(0, chunk, 0, chunk.length, null);
    } catch (error) {
      if (errorCodeOf(error) !== 'EAGAIN') throw describeFileError(error, 'file_unreadable', 'standard input');
      Atomics.wait(pause, 0, 0, 5);
      continue;
    }
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return concatBytes(...chunks);
}

const CHUNK_BYTES = 1 << 18;

/** Each chunk is good until the next one is asked for. @throws VtlicError with `code` naming the file */
export function* readChunks(path: string, code: ToolFault = 'file_unreadable'): Generator<Uint8Array> {
  let fd: number;
  try {
    // A pipe without a writer would block the process, and a Ctrl-C, for ever.
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

function requireFile(facts: Stats, path: string, code: ToolFault): void {
  if (facts.isDirectory()) throw new VtlicError(code, 'this is a folder, not a file', { file: path });
  if (!facts.isFile())
    throw new VtlicError(code, 'this is a pipe or a device, not a file', {
      file: path,
      hint: 'write it to a file first',
    });
}

/** Strict JSON of a named file: an error says which file. @param limit in bytes */
export function parseJsonFile(bytes: Uint8Array, file: string, limit: number): JsonNode {
  try {
    return parseStrictJson(bytes, { bytes: limit });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file }) : error;
  }
}

/** SHA-256 in hex: the name of a file's bytes in plans, records and results. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
