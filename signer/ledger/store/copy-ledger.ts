import { VtlicError, type ToolFault } from '../../../formats/error.ts';
import { openReadOnly } from './open-database.ts';
import { isDiskFull, ledgerFault, sqliteCode } from './sqlite-faults.ts';

/**
 * Copies a ledger as it stands at one moment into one new file, also while it is written. The copy has left WAL mode,
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
