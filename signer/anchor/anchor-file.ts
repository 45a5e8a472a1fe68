/**
 * The anchor as a file: of a software site on another disk, or of any site until its token contains it.
 *
 * It protects only if it is not in the same snapshot or backup as the ledger. Beside the file is its guard, the folder
 * that makes it a mutex (`exchange-file.ts`).
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, errorCodeOf, fsyncFolder, readLimited, removeIfPresent } from '../../files/index.ts';
import type { AnchorChange, AnchorStore } from './anchor.ts';
import {
  type AnchorContent,
  decodeAnchorRecord,
  encodeAnchorRecord,
  MAX_ANCHOR_BYTES,
  sameRecords,
} from './anchor-record.ts';
import { type AnchorFiles, exchangeFile, type SeenFile, seeFile } from './exchange-file.ts';

/** Bytes that are no anchor record, whatever they are. */
const NO_RECORD: Uint8Array = Uint8Array.of(0);

const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/** @param named absolute; a link is followed, never replaced */
export function anchorFile(named: string): AnchorStore {
  const path = behindLink(named);
  const files = filesOf(path);
  const see = async (): Promise<readonly AnchorContent[]> => decoded(path, await seeFile(files));
  return Object.freeze({
    description: `the anchor file ${path}`,
    whenMissing: 'put the anchor back in its place; if it is lost, see: vtlic help ledger restore',
    identity: () => Promise.resolve(identityOf(path)),
    read: async () => recordsOf(await see()),
    movedBy: async () => (await see()).find(({ moved }) => moved)?.record,
    // There is nothing to finish: a change that was decided is valid already, and the next change publishes it.
    settle: () => Promise.resolve(),
    replace: async ({ known, next, moved = false, nonce }: AnchorChange) => {
      try {
        return await exchangeFile(
          files,
          (seen) => sameRecords(recordsOf(seen.contents.flatMap((bytes) => decodeAnchorRecord(bytes) ?? [])), known),
          encodeAnchorRecord({ record: next, moved }, nonce),
        );
      } catch (error) {
        throw unwritable(error, path);
      }
    },
  });
}

/** Links, and folders that are mounted twice, give one file several names. */
function identityOf(path: string): string {
  requireFolder(path);
  const { dev, ino } = statSync(dirname(path));
  return `file ${dev} ${ino} ${basename(path)}`;
}

function recordsOf(contents: readonly AnchorContent[]): AnchorContent['record'][] {
  return contents.flatMap(({ record, moved }) => (moved ? [] : [record]));
}

function unwritable(error: unknown, path: string): VtlicError {
  const told = describeFileError(error, 'ledger_unwritable', path);
  return new VtlicError(
    'ledger_unwritable',
    `the anchor was not written: ${told.message}; what is recorded but not released stays in the ledger`,
    {
      file: told.place.file ?? path,
      hint:
        told.hint ??
        'make the place of the anchor writable, and delete neither the anchor nor its .guard; then run the command ' +
          'again: it continues where it stopped',
      cause: error,
    },
  );
}

/** Names the file that is meant, and keeps the officer from deleting the anchor because of it. */
function describeFault(error: unknown, file: string, path: string): VtlicError {
  const told = describeFileError(error, 'ledger_unwritable', file);
  const system = errorCodeOf(told.cause) ?? '';
  if (system === 'ENOTDIR') return guardIsNoFolder(path);
  if (!REFUSED.has(system)) return told;
  const hint =
    `let this user read and write it, and delete neither the anchor, ${path}, nor its .guard; then run the ` +
    'command again';
  return new VtlicError(told.code, told.message, { ...told.place, hint, cause: told.cause });
}

function guardIsNoFolder(path: string): VtlicError {
  return new VtlicError('ledger_unwritable', 'the guard of the anchor should be a folder, but is something else', {
    file: `${path}.guard`,
    hint:
      `move it away, since this program did not make it, and do not delete the anchor, ${path}; then run the command ` +
      'again',
  });
}

/** Renaming over a link would leave the record beside the ledger, and the real place stale. */
function behindLink(named: string): string {
  try {
    return lstatSync(named).isSymbolicLink() ? realpathSync(named) : named;
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw describeFileError(error, 'file_unreadable', named);
    if (lstatSync(named, { throwIfNoEntry: false }) === undefined) return named;
    throw new VtlicError('file_unreadable', 'the anchor file is a link that leads nowhere', {
      file: named,
      hint: 'attach or mount the disk with the anchor, and run it again',
    });
  }
}

function decoded(path: string, { contents, foreign, leftNew }: SeenFile): readonly AnchorContent[] {
  if (foreign === true)
    throw new VtlicError('ledger_corrupt', `the anchor file does not match its guard, ${path}.guard`, {
      file: path,
      hint:
        'put the newest file back, not an older copy; if you copied another anchor to this path, move it to a path ' +
        'of its own; nothing is signed until ledger and anchor agree',
    });
  if (contents.length === 0) requireFolder(path);
  const whole = contents.flatMap((bytes) => decodeAnchorRecord(bytes) ?? []);
  // Half a record beside a whole one is what an interrupted change of version 0.1.0 leaves.
  if (whole.length === 0 && contents.length > (leftNew === true ? 1 : 0))
    throw new VtlicError('ledger_corrupt', 'the anchor file is damaged: it is not a whole anchor record', {
      file: path,
      hint: 'put the newest good copy of this file back; nothing is signed until ledger and anchor agree',
    });
  return whole;
}

/** Distinguishes a disk that is not mounted from an anchor that is gone. */
function requireFolder(path: string): void {
  const folder = dirname(path);
  if (isFolder(folder)) return;
  throw new VtlicError('file_unreadable', 'the folder of the anchor file is not there', {
    file: folder,
    hint: 'attach or mount the disk with the anchor, and run it again',
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function filesOf(path: string): AnchorFiles {
  const guard = `${path}.guard`;
  const leftNew = `${path}.new`;
  /** Runs an act on one file; its error names that file. */
  const on = <T>(file: string, act: () => T): Promise<T> => {
    try {
      return Promise.resolve(act());
    } catch (error) {
      return Promise.reject(describeFault(error, file, path));
    }
  };
  return {
    anchor: () => on(path, () => contentOf(path)),
    // Version 0.1.0 left a file; a folder of that name is somebody else's.
    leftNew: () => on(leftNew, () => (isFolder(leftNew) ? undefined : contentOf(leftNew))),
    names: () => on(guard, () => namesIn(guard)),
    content: (name) => on(join(guard, name), () => contentOf(join(guard, name))),
    makeGuard: (name) =>
      on(guard, () => {
        makeGuard(guard, name);
      }),
    create: (name, bytes) =>
      on(join(guard, name), () => {
        createFile(join(guard, name), bytes);
        fsyncFolder(guard);
      }),
    rename: (from, to) => on(join(guard, from), () => renameWithin(guard, from, to)),
    publish: (name) =>
      on(path, () => {
        renameIfPresent(join(guard, name), path);
        fsyncFolder(dirname(path));
      }),
    remove: (name) =>
      on(join(guard, name), () => {
        removeIfPresent(join(guard, name));
      }),
    removeLeftNew: () =>
      on(leftNew, () => {
        removeIfPresent(leftNew);
      }),
  };
}

/** What is larger, or no file, is not a record. */
function contentOf(file: string): Uint8Array | undefined {
  try {
    return readLimited(file, MAX_ANCHOR_BYTES, 'ledger_corrupt');
  } catch (error) {
    const system = error instanceof VtlicError ? errorCodeOf(error.cause) : undefined;
    if (system === 'ENOENT') return undefined;
    if (error instanceof VtlicError && error.cause === undefined) return NO_RECORD;
    throw error;
  }
}

function namesIn(guard: string): readonly string[] | undefined {
  try {
    return readdirSync(guard);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the guard under a temporary name first, so that no guard is ever empty; a rename never replaces a folder with
 * files in it.
 */
function makeGuard(guard: string, name: string): void {
  const parent = dirname(guard);
  const own = mkdtempSync(`${guard}-`);
  try {
    createFile(join(own, name), new Uint8Array(0));
    fsyncFolder(own);
    renameSync(own, guard);
    fsyncFolder(parent);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    // Another process was faster, and may have tidied up.
    if (namesIn(guard) === undefined) throw error;
  }
  for (const left of readdirSync(parent))
    if (left.startsWith(`${basename(guard)}-`)) rmSync(join(parent, left), { recursive: true, force: true });
}

/** Read back through the same descriptor: a change that was decided meanwhile may have removed the name. */
function createFile(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx+', 0o600);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
    fsyncSync(fd);
    const found = new Uint8Array(bytes.length + 1);
    const length = readSync(fd, found, 0, found.length, 0);
    if (!equalBytes(found.subarray(0, length), bytes))
      throw new VtlicError('ledger_unwritable', 'the file reads back differently from what was written', {
        file: path,
      });
  } finally {
    closeSync(fd);
  }
}

function renameWithin(guard: string, from: string, to: string): boolean {
  // A network share may have done it, and report a repeated request as failed.
  const renamed = renameIfPresent(join(guard, from), join(guard, to)) || contentOf(join(guard, to)) !== undefined;
  fsyncFolder(guard);
  return renamed;
}

function renameIfPresent(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
    return false;
  }
}
