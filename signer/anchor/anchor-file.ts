/**
 * The anchor as a file: of a software site on another disk, or of any site until its token holds it.
 *
 * It protects only where it is not in the same snapshot or backup as the ledger.
 */
import { lstatSync, realpathSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import {
  describeFileError,
  errorCodeOf,
  fsyncFolder,
  readLimited,
  removeIfPresent,
  replaceDurably,
} from '../../files/index.ts';
import type { AnchorRecord, AnchorStore } from './anchor.ts';
import { decodeAnchorRecord, encodeAnchorRecord, MAX_ANCHOR_BYTES } from './anchor-record.ts';

/**
 * @param named absolute; a link is followed, never replaced. The new record is made as `path.new`, read back, and
 *   takes the old one's place; a crash leaves
 *   both, or a half `path.new` beside a whole `path`.
 */
export function anchorFile(named: string): AnchorStore {
  const path = behindLink(named);
  const next = `${path}.new`;
  return Object.freeze({
    description: `the anchor file ${path}`,
    whenMissing: 'put the anchor back in its place; if it is lost, see: vtlic help ledger restore',
    read: async () => readBoth(path, next),
    write: async (record: AnchorRecord) => {
      try {
        keepWhole(path, next);
        replaceDurably(path, encodeAnchorRecord(record), 0o600, { temporary: next });
      } catch (error) {
        const told = describeFileError(error, 'ledger_unwritable', path);
        throw new VtlicError(
          'ledger_unwritable',
          `the anchor was not written: ${told.message}; what is recorded but not released stays in the ledger`,
          {
            file: path,
            hint: 'mend the place of the anchor and run it again: the next start goes on from there',
            cause: error,
          },
        );
      }
    },
    remove: async () => {
      try {
        for (const file of [next, path]) removeIfPresent(file);
        fsyncFolder(dirname(path));
      } catch (error) {
        throw describeFileError(error, 'ledger_unwritable', path);
      }
    },
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
      hint: 'attach or mount the disk that holds the anchor and run it again',
    });
  }
}

function readBoth(path: string, next: string): readonly AnchorRecord[] {
  const current = readOne(path);
  const left = readOne(next);
  if (current === 'absent') requireFolder(path);
  // A half-written new record is what a crash leaves; nothing was released on its word.
  if (current === 'damaged' && typeof left === 'string') {
    throw new VtlicError('ledger_corrupt', 'the anchor file is damaged: it is not a whole anchor record', {
      file: path,
      hint: 'put the newest good copy of this file back; nothing is signed until ledger and anchor agree',
    });
  }
  return Object.freeze([current, left].filter((item) => typeof item !== 'string'));
}

function readOne(file: string): AnchorRecord | 'absent' | 'damaged' {
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file, MAX_ANCHOR_BYTES, 'ledger_corrupt');
  } catch (error) {
    const system = error instanceof VtlicError ? errorCodeOf(error.cause) : undefined;
    if (system === 'ENOENT') return 'absent';
    if (error instanceof VtlicError && error.cause === undefined) return 'damaged';
    throw error;
  }
  return decodeAnchorRecord(bytes) ?? 'damaged';
}

/** "The disk is not mounted" is another thing than "the anchor is gone". */
function requireFolder(path: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new VtlicError('file_unreadable', 'the folder of the anchor file is not there', {
    file: folder,
    hint: 'attach or mount the disk that holds the anchor and run it again',
  });
}

/** Makes way for a new record without ever leaving no whole one. */
function keepWhole(path: string, next: string): void {
  const left = readOne(next);
  if (left === 'absent') return;
  const current = readOne(path);
  if (left !== 'damaged' && (typeof current === 'string' || current.entries <= left.entries)) renameSync(next, path);
  else unlinkSync(next);
}
