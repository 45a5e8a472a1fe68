/** The real process: its clock, randomness, streams, signals and terminal. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { World } from '../world.ts';
import type { Io } from './io.ts';
import { writeAll } from './streams.ts';
import { openTerminal } from './terminal.ts';

function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** @param changes parts of the world that a test replaces */
export function processIo(changes: Partial<World> = {}): Io {
  let interrupted = false;
  process.on('SIGINT', () => {
    interrupted = true;
  });
  const err = (line: string): void => {
    try {
      writeAll(2, `${cleanText(line, Number.MAX_SAFE_INTEGER)}\n`);
    } catch {
      // Nowhere is left to say it; the act itself goes on, and the exit code tells.
    }
  };
  return {
    out: (result) => {
      try {
        writeAll(1, result);
      } catch (error) {
        throw new VtlicError('output_unwritable', 'the result could not be written to standard output; what was done stands', { hint: 'where a license was issued, the ledger holds it and its file is written: do not issue it again', cause: error });
      }
    },
    err,
    env: process.env,
    cwd: process.cwd(),
    openTerminal,
    world: {
      nowMs: Date.now,
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      // A turn of the event loop lets a Ctrl-C be seen between steps.
      step: () => new Promise((resolve) => setImmediate(resolve)),
      interrupted: () => interrupted,
      tell: err,
      operator: operatorName(),
      ...changes,
    },
  };
}
