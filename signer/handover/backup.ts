/** A copy of the ledger as it is at one moment, also while it is written, that opens without any file beside it. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { describeFileError, errorCodeOf, fsyncFolder, fsyncPath, placeWithoutReplacing } from '../../files/index.ts';
import type { Runtime } from '../runtime.ts';
import { copyLedger, type LedgerSummary, openLedgerForReading, type Progress } from '../ledger/index.ts';

export interface BackupOptions {
  /** License keys: the copy's signatures are checked too. */
  readonly keys?: readonly PublicKey[];
  readonly progress?: Progress;
}

/**
 * Copies, checks the copy whole, and gives it its name; never over an existing file.
 *
 * @param ledger absolute, as is `target`
 * @throws VtlicError `output_exists`, `output_unwritable`, and what reading a ledger throws
 */
export async function backupLedger(
  ledger: string,
  target: string,
  runtime: Pick<Runtime, 'step' | 'interrupted'>,
  options: BackupOptions = {},
): Promise<LedgerSummary> {
  const temporary = join(dirname(target), `.${basename(target)}.tmp`);
  try {
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) throw exists(target);
    removeIfPresent(temporary);
    copyLedger(ledger, temporary, 'output_unwritable');
    chmodSync(temporary, 0o600);
    fsyncPath(temporary);
    await runtime.step('backup-copied');
    const summary = await checkCopy(ledger, temporary, runtime, options);
    if (!placeWithoutReplacing(temporary, target)) throw exists(target);
    fsyncFolder(dirname(target));
    await runtime.step('backup-linked');
    return summary;
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', target);
  } finally {
    tidyUp(temporary);
  }
}

/** The first error is reported. The next copy of this name overwrites what is left. */
function tidyUp(temporary: string): void {
  try {
    removeIfPresent(temporary);
  } catch {
    // Nothing is lost with it.
  }
}

async function checkCopy(
  ledger: string,
  copy: string,
  runtime: Pick<Runtime, 'interrupted'>,
  options: BackupOptions,
): Promise<LedgerSummary> {
  const source = openLedgerForReading(ledger);
  const made = openLedgerForReading(copy);
  try {
    const abort = new AbortController();
    const summary = await made.verify({
      ...(options.keys === undefined ? {} : { keys: options.keys }),
      signal: abort.signal,
      progress: (done, total) => {
        options.progress?.(done, total);
        if (runtime.interrupted()) abort.abort();
      },
    });
    const { entries, chain } = summary.head;
    const there = source.entry(entries)?.chain;
    if (there === undefined || !equalBytes(there, chain))
      throw new VtlicError('output_unwritable', 'the copy differs from the ledger', {
        file: copy,
        hint: 'check this disk before you go on',
      });
    return summary;
  } finally {
    made.close();
    source.close();
  }
}

function removeIfPresent(path: string): void {
  for (const name of [path, `${path}-journal`, `${path}-wal`, `${path}-shm`]) {
    try {
      unlinkSync(name);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    }
  }
}

function exists(file: string): VtlicError {
  return new VtlicError('output_exists', 'a file already exists here and is never replaced', {
    file,
    hint: 'name a new file: a backup a day, say',
  });
}
