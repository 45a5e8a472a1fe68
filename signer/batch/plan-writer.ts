/**
 * Writes a batch plan as a stream: a CBOR sequence (RFC 8742) of byte strings, each holding one map (`plan-row.ts`).
 *
 * It grows under a temporary name, and takes the name of its digest (`plans/DIGEST`) once it is whole and durable.
 */
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { toHex } from '../../formats/bytes.ts';
import { describeFileError, DurableStream, makeFolders } from '../../files/index.ts';
import {
  encodeDoneRow,
  encodeEnd,
  encodeHead,
  encodeSignRow,
  type BatchEnd,
  type BatchHead,
  type DoneRow,
} from './plan-row.ts';

export class BatchPlanWriter {
  readonly #folder: string;
  readonly #hash: Hash = createHash('sha256');
  readonly #file: DurableStream;
  #rows = 0;
  #sign = 0;

  /** @param random 8 bytes for the temporary name */
  constructor(folder: string, random: Uint8Array, head: BatchHead) {
    this.#folder = folder;
    try {
      makeFolders(folder);
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', folder);
    }
    this.#file = new DurableStream(join(folder, `.batch-${toHex(random)}.tmp`), 0o600);
    this.#append(encodeHead(head));
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
    const digest = this.#hash.digest('hex');
    // Where the name is taken, the same plan has it.
    this.#file.create(join(this.#folder, digest));
    return Object.freeze({ digest, end });
  }

  /** Removes the temporary file. Does nothing when the plan is finished. */
  abandon(): void {
    this.#file.abandon();
  }

  #append(bytes: Uint8Array): void {
    for (const part of [byteStringHead(bytes.length), bytes]) {
      this.#hash.update(part);
      this.#file.write(part);
    }
  }
}

/** Head of a CBOR byte string (RFC 8949 §3), in its shortest form. */
function byteStringHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x40 + length);
  if (length < 0x100) return Uint8Array.of(0x58, length);
  if (length < 0x1_0000) return Uint8Array.of(0x59, length >> 8, length & 0xff);
  return Uint8Array.of(0x5a, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}
