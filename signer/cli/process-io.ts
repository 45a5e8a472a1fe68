/** The real process: its clock, randomness, streams, signals and terminal. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { World } from '../runtime.ts';
import type { Io } from './io.ts';
import { writeLine, writeResult } from './process-output.ts';
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
  return {
    out: writeResult,
    err: writeLine,
    env: process.env,
    cwd: process.cwd(),
    openTerminal,
    world: {
      nowMs: Date.now,
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      // A turn of the event loop lets a Ctrl-C be seen between steps.
      step: () => new Promise((resolve) => setImmediate(resolve)),
      interrupted: () => interrupted,
      tell: writeLine,
      operator: operatorName(),
      ...changes,
    },
  };
}
