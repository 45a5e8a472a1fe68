/**
 * Writes a batch plan as a stream: a CBOR sequence (RFC 8742) of byte strings, each holding one map (`plan-row.ts`).
 *
 * It grows under a temporary name, and takes the name of its digest (`plans/DIGEST`) once it is whole and durable.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../formats/bytes.ts';
import { encodeHead, MAJOR_BYTES } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { fsyncFolder, makeFolders } from '../files/durable-file.ts';
import { describeFileError, errorCodeOf } from '../files/file-error.ts';
import {
  encodeDoneRow,
  encodeEnd,
  encodePlanHead,
  encodeSignRow,
  type BatchEnd,
  type BatchHead,
  type DoneRow,
} from './plan-row.ts';

const BUFFER_BYTES = 1 << 18;

export class BatchPlanWriter {
  readonly #folder: string;
  readonly #temporary: string;
  readonly #hash: Hash = createHash('sha256');
  readonly #buffer: Buffer = Buffer.alloc(BUFFER_BYTES);
  #filled = 0;
  #fd: number | undefined;
  #rows = 0;
  #sign = 0;

  /** @param random 8 bytes for the temporary name */
  constructor(folder: string, random: Uint8Array, head: BatchHead) {
    this.#folder = folder;
    this.#temporary = join(folder, `.batch-${toHex(random)}.tmp`);
    try {
      makeFolders(folder);
      this.#fd = openSync(this.#temporary, 'wx', 0o600);
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', this.#temporary);
    }
    this.#append(encodePlanHead(head));
  }

  get rows(): number {
    return this.#rows;
  }

  sign(line: number, row: Uint8Array, payload: Uint8Array): void {
    this.#append(encodeSignRow(line, row, payload));
    this.#rows++;
    this.#sign++;
  }

  done(row: Omit<DoneRow, 'kind'>): void {
    this.#append(encodeDoneRow(row));
    this.#rows++;
  }

  /** @returns the digest under which the plan now lies, and what its end says. */
  finish(sharded: boolean): { readonly digest: string; readonly end: BatchEnd } {
    const end: BatchEnd = Object.freeze({ rows: this.#rows, sign: this.#sign, sharded });
    this.#append(encodeEnd(end));
    const fd = this.#open();
    const digest = this.#hash.digest('hex');
    const final = join(this.#folder, digest);
    try {
      this.#flush();
      fsyncSync(fd);
      try {
        linkSync(this.#temporary, final);
      } catch (error) {
        // The very same plan, by its name.
        if (errorCodeOf(error) !== 'EEXIST') throw error;
      }
      fsyncFolder(this.#folder);
      return Object.freeze({ digest, end });
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', final);
    } finally {
      this.abandon();
    }
  }

  /** Takes the temporary file away. Does nothing a second time. */
  abandon(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    try {
      unlinkSync(this.#temporary);
    } catch {
      // A temporary file that is left is in nobody's way.
    }
  }

  #append(bytes: Uint8Array): void {
    const head = encodeHead(MAJOR_BYTES, bytes.length);
    this.#hash.update(head).update(bytes);
    for (const part of [head, bytes]) {
      if (part.length > BUFFER_BYTES) {
        this.#flush();
        this.#write(part);
      } else {
        if (this.#filled + part.length > BUFFER_BYTES) this.#flush();
        this.#buffer.set(part, this.#filled);
        this.#filled += part.length;
      }
    }
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let offset = 0; offset < bytes.length;) offset += writeSync(this.#open(), bytes, offset);
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', this.#temporary);
    }
  }

  #open(): number {
    if (this.#fd === undefined) throw new VtlicError('internal', 'a plan was to be written that is finished');
    return this.#fd;
  }
}
