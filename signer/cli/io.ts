/**
 * What the command line takes from the process, as a parameter; and the real process: its clock, randomness, streams,
 * signals, terminal.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { errorCodeOf } from '../../files/index.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Runtime } from '../runtime.ts';
import { calledName } from './command-name.ts';
import { openTerminal, type Terminal } from './terminal.ts';

export interface Io {
  /** Only the result. */
  readonly out: (result: string | Uint8Array) => void;
  /** The narrative: one line, already cleaned. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** How the command was called, for hints: `vtlic`, `bin/vtlic`. */
  readonly name: string;
  /** Opens the controlling terminal; undefined where there is none. */
  readonly openTerminal: () => Terminal | undefined;
  readonly runtime: Runtime;
}

/** Sets the exit code of a command whose result is a verdict. */
export type SetExit = (code: number) => void;

function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** 128 + 15, as of a process that ended by the signal. */
const EXIT_ON_SECOND_SIGTERM = 143;

/** @param changes parts of the runtime that a test replaces */
export function processIo(changes: Partial<Runtime> = {}): Io {
  let interrupted = false;
  // A closed window, a lost connection and `kill` stop a run like Ctrl-C: licenses already begun are finished.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second SIGTERM ends the process at once; the next start finishes or voids the rest.
      if (interrupted && signal === 'SIGTERM') process.exit(EXIT_ON_SECOND_SIGTERM);
      interrupted = true;
    });
  }
  return {
    out: writeResult,
    err: writeLine,
    env: process.env,
    cwd: process.cwd(),
    name: calledName(process.argv[1], process.env, process.cwd()),
    openTerminal,
    runtime: {
      nowMs: Date.now,
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      // Yields to the event loop, so that a Ctrl-C is noticed between steps.
      step: () => new Promise((resolve) => setImmediate(resolve)),
      interrupted: () => interrupted,
      tell: writeLine,
      operator: operatorName(),
      ...changes,
    },
  };
}

/** @throws VtlicError `output_unwritable` */
export function writeResult(result: string | Uint8Array): void {
  try {
    writeAll(1, result);
  } catch (error) {
    throw new VtlicError(
      'output_unwritable',
      'the result could not be written to standard output; what the command did remains done',
      {
        hint: 'if a license was issued, the ledger contains it and its file is written: do not issue it again',
        cause: error,
      },
    );
  }
}

export function writeLine(line: string): void {
  try {
    writeAll(2, `${cleanText(line, Number.MAX_SAFE_INTEGER)}\n`);
  } catch {
    // There is no output left to report this. The command goes on, and the exit code reports it.
  }
}

const wait = new Int32Array(new SharedArrayBuffer(4));

/** Writes the whole text to a descriptor. A reader that has gone away (EPIPE) ends the output, not the act. */
export function writeAll(fd: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'EAGAIN') Atomics.wait(wait, 0, 0, 5);
      else if (code === 'EPIPE') return;
      else throw error;
    }
  }
}
