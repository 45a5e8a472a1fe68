/**
 * The state in a file, with a lock beside it (`PATH.lock`): Node's own modules only. The file is replaced durably
 * (`files/durable-stream.ts`). The folder must exist: one that is made here would hide that a volume is not mounted.
 */
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { utf8 } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
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

/** A guard is needed for some calls only. One of this age was left by a process that died on another host. */
const MAX_GUARD_MILLISECONDS = 10_000;
/** Its content follows at once: an empty one of this age was left by a process that died in between. */
const MAX_EMPTY_GUARD_MILLISECONDS = 1000;
const GUARD_WAIT_MILLISECONDS = 15_000;

export function fileStore(path: string): StateStore {
  return {
    name: `the file ${path}`,
    read: () => settle(() => readCopy(targetOf(path))),
    writeFault: () => settle(() => faultOfFolder(dirname(targetOf(path)))),
    write: (document, expected) =>
      guarded(path, (target) => {
        if (readCopy(target)?.tag !== expected) return false;
        replaceDurably(target, document, MODE);
        return true;
      }),
    readLock: () => settle(() => noteOf(lockOf(targetOf(path)))),
    swapLock: (expected, next) =>
      guarded(path, (target) => {
        const lock = lockOf(target);
        if (noteOf(lock) !== expected) return false;
        if (next === undefined) removeIfPresent(lock);
        else writeNote(lock, next);
        return true;
      }),
  };
}

function lockOf(target: string): string {
  return `${target}.lock`;
}

/** Linux follows as many. */
const MAX_LINKS = 40;

/**
 * The file that a link at this path points to, whether it exists or not. A link is not replaced: it may lead to the
 * volume on which the state lasts, and all who use that file share its lock. After too many links it is the path, which
 * the system refuses.
 */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    try {
      target = resolve(realpathSync(dirname(target)), readlinkSync(target));
    } catch {
      return target;
    }
  }
  return path;
}

function settle<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(act());
  });
}

/**
 * Compares and sets behind a guard, a file that only one process can make. `act` is synchronous, so that the guard
 * exists for its length only; where a process died within it, the next one removes the guard.
 */
async function guarded<T>(path: string, act: (target: string) => T): Promise<T> {
  const target = targetOf(path);
  const guard = `${target}.guard`;
  const end = performance.now() + GUARD_WAIT_MILLISECONDS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    try {
      const fd = openGuard(guard);
      if (fd !== undefined) {
        try {
          writeSync(fd, utf8(processIdentity()));
          return act(target);
        } finally {
          closeSync(fd);
          removeIfPresent(guard);
        }
      }
    } catch (error) {
      const isInTheWay = lstatSync(guard, { throwIfNoEntry: false })?.isFile() === false;
      const { message } = describeFileError(error, 'output_unwritable', guard);
      const shown = isInTheWay ? `${cleanText(guard, guard.length)} is in the way: ${message}` : message;
      throw new VtlicError('output_unwritable', shown, { file: guard, cause: error });
    }
    if (performance.now() > end)
      throw new VtlicError('output_unwritable', 'another process writes this file and does not end', { file: guard });
    await sleep(pause);
  }
}

function readCopy(path: string): StoredCopy | undefined {
  try {
    // Of a file that is larger than any state, only as much is read as shows that.
    const document = readLimited(path, MAX_STATE_BYTES, 'too_large');
    return { document, tag: sha256Hex(document) };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'too_large') return { document: new Uint8Array(), tag: 'large' };
    if (reason !== 'ENOENT') throw error;
    if (lstatSync(dirname(path), { throwIfNoEntry: false }) !== undefined) return undefined;
    throw new VtlicError('file_unreadable', 'the folder of this file does not exist', { file: path, cause: error });
  }
}

/** Why a file cannot be read: what the system says, or our code. */
function reasonOf(error: unknown): string | undefined {
  return error instanceof VtlicError ? (errorCodeOf(error.cause) ?? error.code) : undefined;
}

function faultOfFolder(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return describeFileError(error, 'output_unwritable', folder).message;
  }
}

const MAX_NOTE_BYTES = 4096;

function noteOf(lock: string): string | undefined {
  try {
    return Buffer.from(readLimited(lock, MAX_NOTE_BYTES, 'too_large')).toString('latin1');
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns undefined where another process has the guard */
function openGuard(guard: string): number | undefined {
  try {
    return openSync(guard, 'wx', MODE);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    if (isLeftOver(guard)) removeIfPresent(guard);
    return undefined;
  }
}

/** True for the guard of a process that has ended, or, if that cannot be known, for an old guard. */
function isLeftOver(guard: string): boolean {
  const holder = noteOf(guard) ?? '';
  if (hasEnded(holder)) return true;
  const longest = holder === '' ? MAX_EMPTY_GUARD_MILLISECONDS : MAX_GUARD_MILLISECONDS;
  // NaN where the other process has just removed it.
  const made = Number(lstatSync(guard, { throwIfNoEntry: false })?.mtimeMs);
  return Math.abs(Date.now() - made) > longest;
}

/**
 * Readers see the old note or the new one, whole. The note need not survive a power loss. A name that is taken is made
 * free first: a link would lead the note into another file, and a pipe would block the product for ever.
 */
function writeNote(lock: string, note: string): void {
  const temporary = `${lock}.new`;
  removeIfPresent(temporary);
  writeFileSync(temporary, note, { mode: MODE, flag: 'wx' });
  renameSync(temporary, lock);
}
