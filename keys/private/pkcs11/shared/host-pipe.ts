/**
 * Messages between the officer's process and the token host, over one stream: the length in 4 bytes, then the value as
 * node:v8 serializes it, or a signature's request or reply as flat bytes.
 *
 * Not the channel of `child_process`: that one throws what it cannot read outside of every handler, and a module that
 * writes into a descriptor which is not its own would end the writer of the ledger.
 */
import { writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import { decodeSignatureMessage, encodeSignatureMessage } from './signature-message.ts';

/** The host's descriptor of it. */
export const HOST_PIPE = 3;

const HEAD_BYTES = 4;
/** All keys of a full token are a few megabytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What came is no message. */
export class GarbledMessage extends Error {
  override readonly name = 'GarbledMessage';
}

/** Sends a value. The bytes, in which a PIN may be, are wiped once they are written. */
export function sendMessage(stream: Duplex, value: unknown): void {
  const bytes = framed(value);
  stream.write(bytes, () => bytes.fill(0));
}

/**
 * Sends what `framed` gave, without a secret in it, at once where the pipe has room: a reply by way of the stream's own queue costs a
 * signature a fiftieth of its time. Nothing is wiped.
 *
 * @param fd the stream's descriptor, non-blocking as the stream has made it
 */
export function sendFramedNow(stream: Duplex, fd: number, pieces: readonly Buffer[]): void {
  const [first = Buffer.alloc(0)] = pieces;
  const bytes = pieces.length === 1 ? first : Buffer.concat(pieces);
  const written = stream.writableLength === 0 ? writtenNow(fd, bytes) : 0;
  if (written < bytes.length) stream.write(bytes.subarray(written));
}

/** A message with its length: one piece for both, since each write is a call of the system. */
export function framed(value: unknown): Buffer {
  const whole = encodeSignatureMessage(value, HEAD_BYTES) ?? serialized(value);
  whole.writeUInt32BE(whole.length - HEAD_BYTES);
  return whole;
}

function serialized(value: unknown): Buffer {
  const body = serialize(value);
  const whole = Buffer.allocUnsafeSlow(HEAD_BYTES + body.length);
  whole.set(body, HEAD_BYTES);
  body.fill(0);
  return whole;
}

/** @returns how many bytes the pipe took; of a full or broken one the stream tells */
function writtenNow(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch {
    return 0;
  }
}

/** Puts messages together out of what a stream brings. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #have = 0;
  #wanted = HEAD_BYTES;
  #inBody = false;

  /**
   * @returns the messages that are whole now
   * @throws GarbledMessage
   */
  read(chunk: Buffer): unknown[] {
    const messages: unknown[] = [];
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    while (this.#have >= this.#wanted) {
      const bytes = this.#take(this.#wanted);
      if (this.#inBody) messages.push(valueOf(bytes));
      this.#inBody = !this.#inBody;
      this.#wanted = this.#inBody ? bytes.readUInt32BE() : HEAD_BYTES;
      if (this.#wanted > MOST_BYTES) throw new GarbledMessage(`a message of ${this.#wanted} bytes`);
    }
    return messages;
  }

  #take(length: number): Buffer {
    const all = this.#joined();
    this.#chunks = all.length === length ? [] : [all.subarray(length)];
    this.#have -= length;
    return all.subarray(0, length);
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const all = Buffer.concat(this.#chunks);
    // A PIN stays in one place, where its owner wipes it.
    for (const chunk of this.#chunks) chunk.fill(0);
    return all;
  }
}

function valueOf(bytes: Buffer): unknown {
  const signature = decodeSignatureMessage(bytes);
  if (signature !== undefined) return signature;
  try {
    return deserialize(bytes);
  } catch (cause) {
    throw new GarbledMessage('not a message', { cause });
  }
}
