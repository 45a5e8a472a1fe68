/**
 * The officer's terminal: `/dev/tty`, never stdin, so that no pipe can answer for a person.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { errorCodeOf } from '../../files/index.ts';
import { VtlicError } from '../../formats/error.ts';

export interface Terminal {
  /** Shows lines (already cleaned) to the person. */
  readonly show: (text: string) => void;
  /** One line with echo; the answer without its line end. */
  readonly ask: (prompt: string) => Promise<string>;
  /** One line without echo, as bytes: the caller wipes them. */
  readonly askSecret: (prompt: string) => Promise<Uint8Array>;
  readonly close: () => void;
}

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const CTRL_U = 21;
const DELETE = 127;
const MAX_BYTES = 1024;

/** The controlling terminal, or undefined where there is none. */
export function openTerminal(path = '/dev/tty'): Terminal | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch {
    return undefined;
  }
  const show = (text: string | Uint8Array): void => {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += writeSync(fd, bytes, offset);
      } catch (error) {
        // A tty fd shared with a stream may be non-blocking.
        if (errorCodeOf(error) === 'EAGAIN') continue;
        throw new VtlicError('interrupted', 'the terminal was closed', { cause: error });
      }
    }
  };
  return {
    show,
    ask: async (prompt) => {
      const line = await readLine(path, prompt, show, true);
      try {
        return Buffer.from(line).toString('utf8');
      } finally {
        line.fill(0);
      }
    },
    askSecret: (prompt) => readLine(path, prompt, show, false),
    close: () => {
      closeSync(fd);
    },
  };
}

/** Ctrl-C is a byte in raw mode, unless another process sends it. */
const SIGNALS = ['SIGINT', 'SIGHUP', 'SIGTERM'] as const;

function leaveRawMode(input: ReadStream): void {
  try {
    input.setRawMode(false);
  } catch {
    // A terminal that is gone has no mode.
  }
}

const TYPED_AHEAD_MS = 50;

async function discardTyped(input: ReadStream): Promise<void> {
  const discard = (chunk: Buffer): void => {
    chunk.fill(0);
  };
  input.on('data', discard);
  await new Promise((resolve) => setTimeout(resolve, TYPED_AHEAD_MS));
  input.off('data', discard);
}

/**
 * Reads one line in raw mode; echo is ours, so that a secret is never shown, not even for the moment before raw mode is
 * set.
 */
async function readLine(
  path: string,
  prompt: string,
  show: (text: string | Uint8Array) => void,
  echo: boolean,
): Promise<Uint8Array> {
  // Loaded here, because it takes 3 ms, and most commands ask nothing.
  const tty = await import('node:tty');
  const input = new tty.ReadStream(openSync(path, 'r'));
  const line = Buffer.alloc(MAX_BYTES);
  let length = 0;
  let onSignal: () => void = () => undefined;
  try {
    input.setRawMode(true);
    // What was typed before the question was shown is no answer to it.
    await discardTyped(input);
    show(prompt);
    return await new Promise<Uint8Array>((resolve, reject) => {
      onSignal = () => {
        reject(new VtlicError('interrupted', 'interrupted at the prompt'));
      };
      for (const signal of SIGNALS) process.once(signal, onSignal);
      const onData = (chunk: Buffer): void => {
        for (const byte of chunk) {
          if (byte === CTRL_C) {
            show('\r\n');
            reject(new VtlicError('interrupted', 'interrupted at the prompt'));
            return;
          }
          if (byte === CARRIAGE_RETURN || byte === LINE_FEED) {
            show('\r\n');
            resolve(new Uint8Array(line.subarray(0, length)));
            return;
          }
          if (byte === CTRL_D && length === 0) {
            show('\r\n');
            reject(new VtlicError('declined', 'the terminal was closed at the prompt'));
            return;
          }
          if (byte === BACKSPACE || byte === DELETE) {
            if (length === 0) continue;
            do {
              length--;
            } while (length > 0 && ((line[length] ?? 0) & 0xc0) === 0x80);
            line.fill(0, length);
            if (echo) show('\b \b');
          } else if (byte === CTRL_U) {
            if (echo) show('\b \b'.repeat(Buffer.from(line.subarray(0, length)).toString('utf8').length));
            line.fill(0);
            length = 0;
          } else if (byte >= 32 && length < MAX_BYTES) {
            line[length++] = byte;
            if (echo) show(Uint8Array.of(byte));
          }
        }
        chunk.fill(0);
      };
      input.on('data', onData);
      input.once('end', () => {
        reject(new VtlicError('declined', 'the terminal was closed at the prompt'));
      });
      input.once('error', () => {
        reject(new VtlicError('declined', 'the terminal was closed at the prompt'));
      });
    });
  } finally {
    line.fill(0);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    if (!input.destroyed) leaveRawMode(input);
    input.destroy();
  }
}

/**
 * Shows a person at a terminal what will happen, and takes exactly one word for consent. No option replaces it.
 *
 * @throws VtlicError `usage` where there is no terminal, `declined` for any other answer
 */
export async function confirmByWord(
  terminal: Terminal | undefined,
  view: readonly string[],
  word: string,
): Promise<void> {
  if (terminal === undefined)
    throw new VtlicError('usage', 'this is done at a terminal alone, by a person who reads what it means', {
      hint: 'run it there',
    });
  terminal.show(`${view.join('\n')}\n\n`);
  const answer = await terminal.ask(`Type ${word} to do this, anything else to decline: `);
  if (answer !== word) throw new VtlicError('declined', 'declined: nothing was changed');
}
