/**
 * Reads a secret (a passphrase or PIN): the first line of a file, a pipe or a socket. No source blocks the command for
 * ever. Whoever gets the bytes of a secret wipes them with `fill(0)` in a `finally`; there is no other wiping helper.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';

export const MAX_SECRET_BYTES = 1024;
export const SECRET_SECONDS = 60;

const POLL_MILLISECONDS = 50;
const [LINE_FEED, CARRIAGE_RETURN] = [10, 13];

export type SecretFault =
  /** A folder or a device; or a pipe, where only a file is expected. */
  | 'not a file'
  /** Other users can read or write it. */
  | 'open to others'
  | 'too long'
  | 'empty'
  /** A pipe without a line until the time is over. */
  | 'silent';

export type SecretLine =
  { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly fault: SecretFault };

export interface SecretOptions {
  /** Whether the source may be a pipe: `file:<(pass show x)` of a shell is one. A descriptor always may be one. */
  readonly pipes: boolean;
  readonly seconds?: number;
}

/**
 * @param source a path, or the number of an open descriptor
 * @returns the line without its end; the caller wipes it
 * @throws what the operating system says
 */
export async function readSecretLine(source: string | number, options: SecretOptions): Promise<SecretLine> {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
  try {
    const length = await readInto(buffer, source, options);
    return typeof length === 'number' ? firstLine(buffer.subarray(0, length)) : { ok: false, fault: length };
  } finally {
    buffer.fill(0);
  }
}

async function readInto(
  buffer: Buffer,
  source: string | number,
  { pipes, seconds = SECRET_SECONDS }: SecretOptions,
): Promise<number | SecretFault> {
  const until = performance.now() + seconds * 1000;
  if (typeof source === 'number') {
    const facts = fstatSync(source);
    if (isPipe(facts)) return readPipe(source, buffer, until);
    return facts.isFile() ? readWhole(source, buffer) : 'not a file';
  }
  // Asked before it is opened: opening some devices has effects.
  const facts = statSync(source);
  if (!facts.isFile() && !(pipes && isPipe(facts))) return 'not a file';
  for (;;) {
    // Without O_NONBLOCK the open itself would wait for a writer.
    const fd = openSync(source, constants.O_RDONLY | constants.O_NONBLOCK);
    const opened = fstatSync(fd);
    const refused = (opened.mode & 0o077) !== 0 ? 'open to others' : undefined;
    if (refused !== undefined || !isPipe(opened)) {
      try {
        return refused ?? readWhole(fd, buffer);
      } finally {
        closeSync(fd);
      }
    }
    const length = await readPipe(fd, buffer, until);
    // A named pipe ends at once while nobody has opened it for writing.
    if (length !== 0) return length;
    if (performance.now() > until) return 'silent';
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

function isPipe(facts: Stats): boolean {
  return facts.isFIFO() || facts.isSocket();
}

function readWhole(fd: number, buffer: Buffer): number {
  let length = 0;
  for (let count = -1; count !== 0 && length < buffer.length; length += count)
    count = readSync(fd, buffer, length, buffer.length - length, null);
  return length;
}

/** Reads up to the first line end, and closes the descriptor. */
async function readPipe(fd: number, buffer: Buffer, until: number): Promise<number | 'silent'> {
  // Loaded here, because it takes 3 ms of a start, and most commands read no pipe.
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd, readable: true, writable: false });
  let silent = false;
  const timer = setTimeout(
    () => {
      silent = true;
      socket.destroy();
    },
    Math.max(0, until - performance.now()),
  );
  let length = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        length += chunk.copy(buffer, length);
        const whole = length === buffer.length || chunk.includes(LINE_FEED);
        chunk.fill(0);
        if (whole) resolve();
      });
      socket.once('end', resolve);
      socket.once('close', resolve);
      socket.once('error', reject);
    });
    return silent ? 'silent' : length;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function firstLine(read: Buffer): SecretLine {
  const newline = read.indexOf(LINE_FEED);
  let end = newline === -1 ? read.length : newline;
  if (end > MAX_SECRET_BYTES) return { ok: false, fault: 'too long' };
  if (end > 0 && read[end - 1] === CARRIAGE_RETURN) end--;
  return end === 0 ? { ok: false, fault: 'empty' } : { ok: true, bytes: Uint8Array.from(read.subarray(0, end)) };
}
