/**
 * The state in a file, with a lock beside it (`PATH.lock`): Node's own modules only. The file is replaced durably
 * (`files/durable-stream.ts`). The folder must exist: one that is made here would hide that a volume is not mounted.
 */
import { closeSync, lstatSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import {
  describeFileError,
  errorCodeOf,
  readLimited,
  removeIfPresent,
  replaceDurably,
  sha256Hex,
} from '../../../files/index.ts';
import { MAX_STATE_BYTES } from '../state-document.ts';
import { hasEnded, processIdentity } from './process-identity.ts';
import type { StateStore, StoredCopy } from './store.ts';

const MODE = 0o600;

/** A guard is needed for a moment only: one of this age was left by a process that died. */
const MAX_GUARD_MILLISECONDS = 2000;

export function fileStore(path: string): StateStore {
  const lock = `${path}.lock`;
  return {
    name: `the file ${path}`,
    read: () => settle(() => readCopy(path)),
    write: (document, expected) =>
      settle(() => {
        if (readCopy(path)?.tag !== expected) return false;
        replaceDurably(path, document, MODE);
        return true;
      }),
    readLock: () => settle(() => noteOf(lock)),
    swapLock: (expected, next) => settle(() => swapNote(lock, expected, next)),
  };
}

/** The calls are synchronous, so that no other work of this process comes between comparing and setting. */
function settle<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(act());
  });
}

function readCopy(path: string): StoredCopy | undefined {
  try {
    // A file that is larger than any state is read as far as it takes to see that.
    const document = readLimited(path, MAX_STATE_BYTES, 'too_large');
    return { document, tag: sha256Hex(document) };
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'too_large') return { document: new Uint8Array(), tag: 'large' };
    if (!(error instanceof VtlicError) || errorCodeOf(error.cause) !== 'ENOENT') throw error;
    if (lstatSync(dirname(path), { throwIfNoEntry: false }) !== undefined) return undefined;
    throw new VtlicError('file_unreadable', 'the folder of this file does not exist', { file: path, cause: error });
  }
}

function noteOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'latin1');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw describeFileError(error, 'file_unreadable', lock);
  }
}

/**
 * Compares and sets the note behind a guard, a file that only one process can make. The guard exists for the length of
 * these calls; where a process died within them, the next one removes it.
 */
function swapNote(lock: string, expected: string | undefined, next: string | undefined): boolean {
  const guard = `${lock}.guard`;
  try {
    if (!makeGuard(guard)) return false;
    try {
      if (noteOf(lock) !== expected) return false;
      if (next === undefined) removeIfPresent(lock);
      else writeNote(lock, next);
      return true;
    } finally {
      removeIfPresent(guard);
    }
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', lock);
  }
}

function makeGuard(guard: string): boolean {
  try {
    const fd = openSync(guard, 'wx', MODE);
    try {
      writeSync(fd, utf8(processIdentity()));
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    if (isLeftOver(guard)) removeIfPresent(guard);
    return false;
  }
}

/** Of a process that has ended, or, where that cannot be known, old. */
function isLeftOver(guard: string): boolean {
  if (hasEnded(noteOf(guard) ?? '')) return true;
  const made = lstatSync(guard, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Math.abs(Date.now() - made) > MAX_GUARD_MILLISECONDS;
}

/** Readers see the old note or the new one, whole. The note need not survive a power loss. */
function writeNote(lock: string, note: string): void {
  const temporary = `${lock}.new`;
  writeFileSync(temporary, note, { mode: MODE });
  renameSync(temporary, lock);
}
