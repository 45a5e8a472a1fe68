/** Connections to a ledger's file, checked to be one. */
import { chmodSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describeFileError, errorCodeOf } from '../../../files/index.ts';
import { checkTables, setConnection } from './schema.ts';
import { ledgerFault } from './sqlite-faults.ts';

/** How long SQLite waits for another connection's short lock. */
export const TIMEOUT_MS = 5000;

/** @throws VtlicError `file_unreadable`, `ledger_corrupt`, `ledger_version` */
export function openReadOnly(file: string): DatabaseSync {
  return open(file, true);
}

/** @throws VtlicError `ledger_unwritable`, `ledger_corrupt`, `ledger_version`, `ledger_in_use` */
export function openForWriting(file: string): DatabaseSync {
  return open(file, false);
}

function open(file: string, readOnly: boolean): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (!readOnly) makeLeftoversWritable(file);
    db = new DatabaseSync(file, { readOnly, timeout: TIMEOUT_MS });
    checkTables(db, file);
    setConnection(db);
    // Writes once and takes it back: what cannot be written is found before anything is promised. Beginning alone does
    // not tell.
    // A copy made by VACUUM INTO has left WAL mode, without which readers and the writer would stop each other.
    if (!readOnly) db.exec('BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK; PRAGMA journal_mode = WAL');
    return db;
  } catch (error) {
    db?.close();
    throw ledgerFault(error, file, readOnly ? 'read' : 'open');
  }
}

/**
 * SQLite gives `-wal` and `-shm` the mode of the ledger (sqlite.org/wal.html), also those that it makes while the
 * ledger is read-only, and a reader may leave them behind. Gives them the mode that the ledger has now, so that they
 * do not stop the next writer. Files of another user stay as they are; SQLite then says that they cannot be written.
 */
function makeLeftoversWritable(file: string): void {
  let path = file;
  try {
    path = realpathSync(file);
    const mode = statSync(path).mode & 0o777;
    if ((mode & OWNER_MAY_WRITE) === 0) return;
    for (const leftover of [`${path}-wal`, `${path}-shm`]) {
      const found = lstatSync(leftover, { throwIfNoEntry: false });
      if (found?.isFile() === true && (found.mode & OWNER_MAY_WRITE) === 0) chmodSync(leftover, mode);
    }
  } catch (error) {
    if (errorCodeOf(error) !== 'EPERM') throw describeFileError(error, 'ledger_unwritable', path);
  }
}

const OWNER_MAY_WRITE = 0o200;
