/** `--proof` for a batch: a proof beside the license of every row that has its file, those of earlier runs too. */
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { type ProofWork, writeProofs } from '../issue/write-proofs.ts';
import { type LedgerView, type LicenseRecord, lineageOf } from '../ledger/index.ts';
import type { BatchPlan } from './plan-reader.ts';
import { recordOfRow } from './row-status.ts';

/** @returns what was done, in words */
export async function proveBatch(batch: BatchPlan, work: Omit<ProofWork, 'goOn'>): Promise<string> {
  const { name, input } = batch.head;
  const goOn = `vtlic batch FILE${name === input ? '' : ` --name ${name}`} --resume --proof`;
  const { written, stood, ofOlderLog } = await writeProofs(releasedRows(batch, work.ledger), { ...work, goOn });
  const n = groupDigits;
  return `proofs written beside the licenses: ${n(written)}${stood === 0 ? '' : `; ${n(stood)} stood there already`}${ofOlderLog === 0 ? '' : `; ${n(ofOlderLog)} licenses are of an earlier log (vtlic ledger prove)`}`;
}

/** The licenses are released, whatever becomes of their proofs: an error is returned, for the end of the report. */
export async function proofFault(
  batch: BatchPlan,
  work: Omit<ProofWork, 'goOn'>,
  tell: (line: string) => void,
): Promise<VtlicError | undefined> {
  try {
    tell(await proveBatch(batch, work));
    return undefined;
  } catch (error) {
    if (error instanceof VtlicError) return error;
    throw error;
  }
}

function* releasedRows(batch: BatchPlan, ledger: LedgerView): Generator<LicenseRecord, void, void> {
  for (const row of batch.rows()) {
    const record = recordOfRow(
      ledger,
      row.kind === 'done' ? row.lineage : lineageOf(row.item.license),
      batch.head.name,
      row.row,
    );
    if (record?.state === 'released') yield record;
  }
}
