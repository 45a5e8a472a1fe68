/** SQLite's errors in our words. The primary code is the low byte of `errcode` (sqlite.org/rescode.html). */
import { VtlicError } from '../../../formats/error.ts';

const BUSY = 5;
const LOCKED = 6;
const PERM = 3;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const TOOBIG = 18;
const CONSTRAINT = 19;
const AUTH = 23;
const NOTADB = 26;
const READONLY_ROLLBACK = 776;

/**
 * Second byte of an input/output error: SQLite could not write a file beside the ledger (WRITE, FSYNC, DIR_FSYNC,
 * TRUNCATE, DELETE, SHMOPEN, SHMSIZE, SHMMAP), which a full or read-only disk does also while a ledger is only opened.
 * It says nothing against the ledger.
 */
const COULD_NOT_WRITE: ReadonlySet<number> = new Set([3, 4, 5, 6, 10, 18, 19, 21]);

export type LedgerAct = 'open' | 'read' | 'write';

/** The primary result code of an error by `node:sqlite`; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** The disk had no room: SQLite has taken the whole transaction back. */
export function isDiskFull(error: unknown): boolean {
  return sqliteCode(error) === FULL;
}

/** A transaction was cut off, and a connection that only reads cannot take it back (SQLITE_READONLY_ROLLBACK). */
export function needsRollback(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === READONLY_ROLLBACK;
}

function couldNotWrite(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    COULD_NOT_WRITE.has(error.errcode >> 8)
  );
}

/** Runs `fn`; what SQLite throws in it becomes a VtlicError, everything else passes. */
export function withLedgerFaults<T>(file: string, act: LedgerAct, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw ledgerFault(error, file, act);
  }
}

/** The error to throw instead: SQLite's in our words, a corrupt ledger with its file named, anything else unchanged. */
export function ledgerFault(error: unknown, file: string, act: LedgerAct): unknown {
  if (error instanceof VtlicError)
    return error.code === 'ledger_corrupt' && error.place.file === undefined ? error.at({ file }) : error;
  const code = sqliteCode(error);
  if (code === undefined) return isOutOfRange(error) ? corrupt('a number in it is out of range', file, error) : error;
  switch (code) {
    case BUSY:
    case LOCKED:
      return new VtlicError('ledger_in_use', 'another program is using the ledger file', {
        file,
        cause: error,
        hint: 'close that program and run it again',
      });
    case READONLY:
    case PERM:
    case AUTH:
      if (act === 'read') return unreadable(file, error);
      return unwritable(
        'the ledger, its folder or its disk is read-only for this user; nothing more was recorded',
        file,
        error,
        'give this user write access to the folder and the files in it, or mount the disk for writing',
      );
    case FULL:
      return unwritable(
        'the disk is full; nothing more was recorded',
        file,
        error,
        'make room on the disk that holds the ledger and run it again: the next start finishes or voids what ' +
          'was recorded before',
      );
    case IOERR:
      if (act !== 'write' && couldNotWrite(error)) {
        return unwritable(
          'the disk is full, read-only or broken: nothing can be written beside the ledger; nothing more was recorded',
          file,
          error,
          'make room on the disk of the ledger, or repair it, and run the command again',
        );
      }
      return act === 'write'
        ? unwritable(
            'the disk reported an input/output error while the ledger was written; the next start tells its state',
            file,
            error,
            'check the disk that holds the ledger, then run it again',
          )
        : corrupt('the disk reported an input/output error while it was read', file, error);
    case CANTOPEN:
      return act === 'read'
        ? unreadable(file, error)
        : unwritable(
            'the ledger cannot be opened for writing; nothing more was recorded',
            file,
            error,
            'give this user write access to the folder and the files in it',
          );
    case CORRUPT:
      return corrupt('SQLite finds it damaged', file, error);
    case TOOBIG:
      return corrupt('a value in it is larger than any that a ledger contains', file, error);
    case NOTADB:
      return corrupt('it is not a SQLite database', file, error);
    case CONSTRAINT:
      return new VtlicError('internal', 'an entry was to be recorded twice', { file, cause: error });
    default:
      return new VtlicError('internal', `SQLite refused (code ${code})`, { file, cause: error });
  }
}

function corrupt(why: string, file: string, cause: unknown): VtlicError {
  return new VtlicError('ledger_corrupt', `the ledger cannot be trusted: ${why}`, {
    file,
    cause,
    hint: 'restore the newest good copy, and keep the damaged file: vtlic ledger restore COPY',
  });
}

/** SQLite reads a database in WAL mode only where it can make the files that belong to it. */
function unreadable(file: string, cause: unknown): VtlicError {
  return new VtlicError(
    'file_unreadable',
    'the ledger cannot be opened for reading: this user must be able to read it, and to make files in its ' +
      'folder (its disk may be full or read-only)',
    { file, cause, hint: 'copy the whole folder to a place where this user may write, and read the copy' },
  );
}

function unwritable(message: string, file: string, cause: unknown, hint: string): VtlicError {
  return new VtlicError('ledger_unwritable', message, { file, cause, hint });
}

/** How `node:sqlite` reports an integer beyond 2^53-1, which no honest ledger contains. */
function isOutOfRange(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    'code' in error &&
    error.code === 'ERR_OUT_OF_RANGE' &&
    error.message.startsWith('Value is too large')
  );
}
