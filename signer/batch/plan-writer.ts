/**
 * Writes a batch plan as a stream: a CBOR sequence (RFC 8742) of byte strings, each holding one map (`plan-row.ts`).
 *
 * It grows under a temporary name, and takes the name of its digest (`plans/DIGEST`) once it is whole and durable.
 */
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { toHex } from '../../formats/bytes.ts';
import { describeFileError, DurableStream, makeFolders } from '../../files/index.ts';
import { encodeHead, MAJOR_BYTES } from '../../formats/cbor/index.ts';
import {
  encodeDoneRow,
  encodeEnd,
  encodePlanHead,
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
    for (const part of [encodeHead(MAJOR_BYTES, bytes.length), bytes]) {
      this.#hash.update(part);
      this.#file.write(part);
    }
  }
}
