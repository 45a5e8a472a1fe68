/**
 * The plan of a batch on disk: a CBOR sequence (RFC 8742) of byte strings, each of which contains one map
 * (`plan-row.ts`).
 *
 * A plan is read as a stream, as often as needed. The digest is checked over the whole file first. A digest of each
 * block of rows is kept from then, and checked again whenever the block is read: what is signed is what was reviewed.
 */
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { concatBytes, equalBytes, toHex } from '../../formats/bytes.ts';
import { readByteStringHead, encodeHead, MAJOR_BYTES } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import {
  type BatchEnd,
  type BatchHead,
  decodeEnd,
  decodePlanHead,
  decodeRow,
  type PlanRow,
  encodeDoneRow,
  encodeEnd,
  encodePlanHead,
  encodeSignRow,
  type DoneRow,
} from './plan-row.ts';
import { readChunks, describeFileError, DurableStream, makeFolders } from '../../files/index.ts';

/** The rows of one block, which are in memory together. */
const BLOCK_ROWS = 256;
const MAX_ITEM_BYTES = 1 << 21;

export interface BatchPlan {
  /** SHA-256 of the file, hex: its name. */
  readonly digest: string;
  readonly head: BatchHead;
  readonly end: BatchEnd;
  /** All rows in their order. @throws VtlicError `plan_stale` where the file is no longer what it was */
  readonly rows: () => Generator<PlanRow>;
}

/**
 * @throws VtlicError `usage` for a digest of the wrong form, `plan_stale` for a plan that is missing, altered or of
 * another version
 */
export function openBatchPlan(folder: string, digest: string): BatchPlan {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new VtlicError('usage', '--confirm takes the 64 hex digits that --dry-run printed');
  const path = join(folder, digest);
  const blocks: Uint8Array[] = [];
  const { head, end } = scan(path, digest, blocks);
  return Object.freeze({ digest, head, end, rows: () => readRows(path, head.kid, end.rows, blocks) });
}

function altered(path: string, found: string): VtlicError {
  return new VtlicError('plan_stale', `the plan was altered after it was made: ${found}`, {
    file: path,
    hint: 'make a new plan with --dry-run and review it',
  });
}

/** The whole file once: its digest, its first and last map, and a digest of each block of rows between them. */
function scan(
  path: string,
  digest: string,
  blocks: Uint8Array[],
): { readonly head: BatchHead; readonly end: BatchEnd } {
  const whole = createHash('sha256');
  let block = createHash('sha256');
  let rows = 0;
  let first: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  for (const item of items(path)) {
    whole.update(item.head).update(item.bytes);
    if (first === undefined) {
      first = item.bytes;
      continue;
    }
    if (last !== undefined) {
      block.update(last);
      if (++rows % BLOCK_ROWS === 0) {
        blocks.push(block.digest());
        block = createHash('sha256');
      }
    }
    last = item.bytes;
  }
  const found = whole.digest('hex');
  if (found !== digest) throw altered(path, `its digest is now ${found}`);
  if (first === undefined || last === undefined) throw altered(path, 'it is incomplete');
  if (rows % BLOCK_ROWS !== 0) blocks.push(block.digest());
  const end = decodeEnd(last);
  if (end.rows !== rows) throw altered(path, `it says ${end.rows} rows and has ${rows}`);
  return { head: decodePlanHead(first), end };
}

function* readRows(path: string, kid: string, rows: number, blocks: readonly Uint8Array[]): Generator<PlanRow> {
  let held: Uint8Array[] = [];
  let seen = -1;
  for (const { bytes } of items(path)) {
    if (++seen === 0) continue;
    if (seen > rows) return;
    held.push(bytes);
    if (held.length < BLOCK_ROWS && seen < rows) continue;
    const hash = createHash('sha256');
    for (const row of held) hash.update(row);
    const expected = blocks[Math.ceil(seen / BLOCK_ROWS) - 1];
    if (expected === undefined || !equalBytes(hash.digest(), expected))
      throw altered(path, 'a part of it changed while it was read');
    for (const row of held) yield decodeRow(row, kid);
    held = [];
  }
  throw altered(path, 'it became shorter while it was read');
}

interface Item {
  readonly head: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The byte strings of the sequence. */
function* items(path: string): Generator<Item> {
  let rest: Uint8Array = new Uint8Array(0);
  for (const chunk of readChunks(path, 'plan_stale')) {
    let bytes = concatBytes(rest, chunk);
    for (;;) {
      const head = readByteStringHead(bytes);
      if (head === 'incomplete') break;
      if (head === 'malformed' || head.length > MAX_ITEM_BYTES)
        throw altered(path, 'it is not a sequence of byte strings');
      const end = head.headBytes + head.length;
      if (bytes.length < end) break;
      yield { head: bytes.slice(0, head.headBytes), bytes: bytes.slice(head.headBytes, end) };
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  }
  if (rest.length > 0) throw altered(path, 'it ends in the middle of a row');
}

/**
 * Writes a plan as a stream. The file grows under a temporary name, and takes the name of its digest (`plans/DIGEST`)
 * once it is whole and durable.
 */
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

  /** @returns the digest, which is the name of the file, and what its end says. */
  finish(sharded: boolean): { readonly digest: string; readonly end: BatchEnd } {
    const end: BatchEnd = Object.freeze({ rows: this.#rows, sign: this.#sign, sharded });
    this.#append(encodeEnd(end));
    const digest = this.#hash.digest('hex');
    // If the name is taken, the same plan has it.
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
