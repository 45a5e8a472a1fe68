/** `--proof` for a batch: a proof beside the license of every row that has its file, those of earlier runs too. */
import { type LedgerView, type LicenseRecord, lineageOf } from '../ledger/index.ts';
import { type ProofWork, proveReleased } from '../issue/prove-released.ts';
import type { BatchPlan } from './plan-reader.ts';
import { recordOfRow } from './row-state.ts';

/** @returns what was done, in words */
export async function proveBatch(batch: BatchPlan, work: Omit<ProofWork, 'goOn'>): Promise<string> {
  const { name, input } = batch.head;
  const goOn = `vtlic batch FILE${name === input ? '' : ` --name ${name}`} --resume --proof`;
  const { written, stood, ofOlderLog } = await proveReleased(releasedRows(batch, work.ledger), { ...work, goOn });
  const n = (value: number): string => value.toLocaleString('en-US');
  return `proofs written beside the licenses: ${n(written)}${stood === 0 ? '' : `; ${n(stood)} stood there already`}${ofOlderLog === 0 ? '' : `; ${n(ofOlderLog)} licenses are of an earlier log (vtlic ledger prove)`}`;
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
