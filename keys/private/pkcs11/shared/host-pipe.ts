/**
 * Messages between the officer's process and the token host, over one stream: the length in 4 bytes, then the value as
 * node:v8 serializes it.
 *
 * It does not use the channel of `child_process`, which throws, outside of every handler, when it cannot read a
 * message: a module that writes into a descriptor of another would end the writer of the ledger.
 */
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

/** The host's descriptor of it. */
export const HOST_PIPE = 3;

const HEAD_BYTES = 4;
/** All keys of a full token are a few megabytes. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The bytes that were received are not a message. */
export class GarbledMessage extends Error {
  override readonly name = 'GarbledMessage';
}

/** Sends a value. The bytes, in which a PIN may be, are wiped once they are written. */
export function sendMessage(stream: Duplex, value: unknown): void {
  const bytes = framed(value);
  stream.write(bytes, () => bytes.fill(0));
}

/** A message with its length: one piece for both, since each write is a call of the system. */
function framed(value: unknown): Buffer {
  const body = serialize(value);
  const whole = Buffer.allocUnsafeSlow(HEAD_BYTES + body.length);
  whole.writeUInt32BE(body.length);
  whole.set(body, HEAD_BYTES);
  body.fill(0);
  return whole;
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
      if (this.#wanted > MAX_MESSAGE_BYTES) throw new GarbledMessage(`a message of ${this.#wanted} bytes`);
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
  try {
    return deserialize(bytes);
  } catch (cause) {
    throw new GarbledMessage('not a message', { cause });
  }
}
