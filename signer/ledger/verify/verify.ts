/**
 * Recomputes the whole ledger from its stored bytes.
 *
 * It makes one pass over the entries in their order (`entry-check.ts`); meanwhile the other cores check the signatures
 * (`signature-pool.ts`).
 */
import { setImmediate } from 'node:timers/promises';
import { VtlicError } from '../../../formats/error.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { openReadOnly } from '../store/database-file.ts';
import { checkIntegrity } from '../store/schema.ts';
import { ledgerFault } from '../store/sqlite-faults.ts';
import { Tables } from '../store/tables.ts';
import { EntryCheck, type EntrySummary } from './entry-check.ts';
import { type Parallelism, parallelismOfMachine, type SignaturePool, startSignaturePool } from './signature-pool.ts';

/** `total` is the number of entries when the check began. */
export type Progress = (done: number, total: number) => void;

export interface VerifyOptions {
  /** Called now and then, and once at the end. */
  readonly progress?: Progress;
  /** The keys that may have signed licenses: each signature is checked too. Left out: none is. */
  readonly keys?: readonly PublicKey[];
  readonly signal?: AbortSignal;
}

/** What a full check found. */
export interface LedgerSummary extends EntrySummary {
  /** Signatures checked; undefined where no keys were given. */
  readonly signatures: number | undefined;
}

/** Entries between two ticks: progress, the abort signal, the event loop. */
const ENTRIES_PER_TICK = 1024;

/**
 * @param file absolute path of the ledger
 * @throws VtlicError `ledger_corrupt` at the first fault, `interrupted`, and what opening for reading throws
 */
export async function verifyLedger(
  file: string,
  options: VerifyOptions = {},
  parallelism: Parallelism = parallelismOfMachine(),
): Promise<LedgerSummary> {
  const { keys } = options;
  const db = openReadOnly(file);
  let pool: SignaturePool | undefined;
  try {
    // One snapshot for all cursors, also while a writer appends.
    db.exec('BEGIN');
    checkIntegrity(db);
    const total = new Tables(db).sizes().entries;
    if (keys !== undefined) pool = startSignaturePool(file, total, keys, parallelism);
    const check = new EntryCheck(db);
    const onTick = (): void => {
      options.progress?.(Math.min(check.seq, pool?.done() ?? total), total);
      stopIfAborted(options);
    };
    while (check.entries(ENTRIES_PER_TICK) === ENTRIES_PER_TICK) {
      onTick();
      await setImmediate();
    }
    onTick();
    const summary = check.finish();
    const signatures = await pool?.finish(onTick);
    if (check.seq !== total)
      throw ledgerCorrupt(`its table of entries says that ${total} is the last one, but it also has others`);
    return Object.freeze({ ...summary, signatures });
  } catch (error) {
    throw ledgerFault(error, file, 'read');
  } finally {
    await pool?.stop();
    db.close();
  }
}

function stopIfAborted(options: VerifyOptions): void {
  if (options.signal?.aborted === true)
    throw new VtlicError('interrupted', 'the check of the ledger was interrupted; nothing was found up to there');
}
