/** Connections to a ledger's file, checked to be one. */
import { DatabaseSync } from 'node:sqlite';
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
    db = new DatabaseSync(file, { readOnly, timeout: TIMEOUT_MS });
    checkTables(db, file);
    setConnection(db);
    // Writes once and takes it back: what cannot be written is found before anything is promised. Beginning alone does not tell.
    // A copy made by VACUUM INTO has left WAL mode, without which readers and the writer would stop each other.
    if (!readOnly) db.exec('BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK; PRAGMA journal_mode = WAL');
    return db;
  } catch (error) {
    db?.close();
    throw ledgerFault(error, file, readOnly ? 'read' : 'open');
  }
}
