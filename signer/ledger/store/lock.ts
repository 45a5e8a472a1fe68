/**
 * The lock that keeps two writers of one site apart: an exclusive SQLite transaction on `ledger.lock`, for as long as
 * the writer lives. The operating system drops it when the process ends, so a crash leaves no lock behind.
 *
 * Only SQLite may open that file: closing any other descriptor of it in this process would drop the lock (POSIX).
 */
import { closeSync, lstatSync, openSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { VtlicError } from '../../../formats/error.ts';
import { describeFileError, errorCodeOf } from '../../../files/index.ts';
import { describeHolder, type Holder, removeHolder, removeLeftHolders, writeHolder } from './holder.ts';
import { ledgerFault, sqliteCode } from './sqlite-faults.ts';

export interface LedgerLock {
  /** Calling it again does nothing. */
  release(): void;
}

/**
 * @param ledgerPath the lock file is in the same folder
 * @param since seconds, for the words to a second writer
 * @throws VtlicError `ledger_in_use` (saying by whom), `ledger_unwritable`
 */
export function acquireLock(ledgerPath: string, holder: Holder, since: number): LedgerLock {
  const folder = dirname(ledgerPath);
  const lockPath = join(folder, 'ledger.lock');
  const holderPath = join(folder, 'ledger.holder');
  createPrivately(lockPath);
  const db = lockDatabase(lockPath, holderPath);
  try {
    removeLeftHolders(holderPath);
    writeHolder(holderPath, holder, since);
  } catch (error) {
    db.close();
    throw lockUnwritable(error, holderPath);
  }
  let held = true;
  return Object.freeze({
    release: () => {
      if (!held) return;
      held = false;
      removeHolder(holderPath);
      db.close();
    },
  });
}

function lockDatabase(lockPath: string, holderPath: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(lockPath, { timeout: 0 });
    // On a file that it may not write, SQLite takes a shared lock in place of an exclusive one without an error; only a
    // write shows that. The write is never committed: the file stays empty, and needs no journal beside it.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1');
    return db;
  } catch (error) {
    db?.close();
    const fault = ledgerFault(error, lockPath, 'open');
    if (!(fault instanceof VtlicError)) throw fault;
    if (fault.code === 'ledger_in_use') {
      const who = describeHolder(holderPath);
      throw new VtlicError('ledger_in_use', `another process is using this ledger: ${who ?? 'its name is not known'}`, {
        file: lockPath,
        hint: 'wait until it has ended and run it again',
        cause: error,
      });
    }
    if (sqliteCode(error) === 26)
      throw new VtlicError('ledger_corrupt', 'the lock file of the ledger is not a SQLite database', {
        file: lockPath,
        hint: 'it contains no data: delete it and run the command again',
        cause: error,
      });
    throw fault;
  }
}

/**
 * The lock is only for the owner of the ledger; SQLite by itself would make the file readable for all. What is not a
 * plain file is not opened: SQLite would follow a link, and make a file where it points.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw lockUnwritable(error, path);
  }
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined || facts.isFile()) return;
  throw new VtlicError('ledger_unwritable', `the ledger cannot be locked: ${path} is ${kindOf(facts)}, not a file`, {
    file: path,
    hint: 'remove it, and only it (it is the lock, not the ledger, and contains nothing), and run it again',
  });
}

function kindOf(facts: Stats): string {
  if (facts.isSymbolicLink()) return 'a link';
  if (facts.isDirectory()) return 'a folder';
  return facts.isFIFO() ? 'a pipe' : 'a special file';
}

function lockUnwritable(error: unknown, path: string): VtlicError {
  const told = describeFileError(error, 'ledger_unwritable', path);
  return new VtlicError('ledger_unwritable', `the ledger cannot be locked: ${told.message}; nothing was recorded`, {
    file: path,
    hint: 'make room, or give this user write access to the folder of the ledger',
    cause: error,
  });
}
