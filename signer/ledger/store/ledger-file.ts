import { lstatSync, statSync } from 'node:fs';
import { VtlicError } from '../../../formats/error.ts';
import { describeFileError } from '../../../files/index.ts';

/** By name alone: nothing is opened (`lock.ts` says why). A link that leads nowhere exists. */
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
      throw new VtlicError('file_unreadable', 'a ledger should stand here, but this is no file', { file });
  } catch (error) {
    throw describeFileError(error, 'file_unreadable', file);
  }
}
