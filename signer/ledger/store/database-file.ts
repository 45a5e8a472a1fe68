/** The file of a ledger: whether it exists, connections to it, copies of it, and its removal. */
import { chmodSync, lstatSync, realpathSync, statSync, unlinkSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { VtlicError, type ToolFault } from '../../../formats/error.ts';
import { describeFileError, errorCodeOf } from '../../../files/index.ts';
import { checkTables, setConnection } from './schema.ts';
import { isDiskFull, ledgerFault, needsRollback, sqliteCode } from './sqlite-faults.ts';

/** How long SQLite waits for another connection's short lock. */
export const TIMEOUT_MS = 5000;

/** Looks at the name only and opens nothing (`lock.ts` says why). A link to nothing counts as existing. */
export function fileExists(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw describeFileError(error, 'file_unreadable', file);
  }
}

/** @throws VtlicError `ledger_missing`, `file_unreadable` */
export function requireLedgerFile(file: string): void {
  if (!fileExists(file)) {
    throw new VtlicError('ledger_missing', 'there is no ledger here', {
      file,
      hint:
        'check the path of the site; if this site has issued before, put the newest copy of its ledger ' +
        'back, and never begin a new one',
    });
  }
  try {
    if (!statSync(file).isFile())
      throw new VtlicError('file_unreadable', 'a ledger should be here, but this is not a file', { file });
  } catch (error) {
    throw describeFileError(error, 'file_unreadable', file);
  }
}

/**
 * A writer that was killed before its ledger was in WAL mode leaves a rollback journal. SQLite takes the unfinished
 * transaction back only through a connection that may write, which the next writer has, and a reader makes for that.
 *
 * @throws VtlicError `file_unreadable`, `ledger_corrupt`, `ledger_version`
 */
export function openReadOnly(file: string): DatabaseSync {
  try {
    return open(file, true);
  } catch (error) {
    if (!(error instanceof VtlicError) || !needsRollback(error.cause)) throw error;
    takeBackUnfinished(file, error);
    return open(file, true);
  }
}

/** @throws `unreadable` where this user may not write */
function takeBackUnfinished(file: string, unreadable: VtlicError): void {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: TIMEOUT_MS });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    throw unreadable;
  } finally {
    db?.close();
  }
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
    // Writes once and rolls back, so that a database which cannot be written is found before anything is promised.
    // Beginning a transaction does not show it. A copy made by VACUUM INTO has left WAL mode, without which readers and
    // the writer would stop each other.
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

/**
 * Copies a ledger as it is at one moment into one new file, also while it is written. The copy has left WAL mode,
 * so that it opens where nothing can be written beside it.
 *
 * @param code for a target that cannot be written
 */
export function copyLedger(from: string, to: string, code: ToolFault): void {
  const db = openReadOnly(from);
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } catch (error) {
    if (isDiskFull(error)) throw new VtlicError(code, 'the disk is full: no copy was made', { file: to, cause: error });
    // What cannot be opened or written here is the target: the ledger itself was opened before.
    if ([SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_READONLY].includes(sqliteCode(error) ?? 0))
      throw new VtlicError(code, 'a copy of the ledger cannot be written here', {
        file: to,
        hint: 'check the folder, its disk, and that this user may write there',
        cause: error,
      });
    throw ledgerFault(error, from, 'read');
  } finally {
    db.close();
  }
}

const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CANTOPEN = 14;

/** Removes a database with the files that SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const name of [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]) {
    try {
      unlinkSync(name);
    } catch (error) {
      if (errorCodeOf(error) !== 'ENOENT') throw describeFileError(error, 'ledger_unwritable', name);
    }
  }
}
