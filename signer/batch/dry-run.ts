/**
 * `--dry-run` makes the plan and its summary, and signs nothing. It reads the ledger while another process may write
 * it.
 */
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { openLedgerForReading } from '../ledger/index.ts';
import { readCatalog } from '../site/catalog.ts';
import { licenseKey, requireSiteOwner } from '../site/site.ts';
import { finishedError, preparePlan } from './prepare-plan.ts';
import type { BatchIo, BatchWanted } from './run-batch.ts';
import { summaryDocument, summaryView } from '../summary/batch-summary.ts';

export interface PlanMade {
  readonly digest: string;
  readonly name: string;
  readonly document: Readonly<Record<string, unknown>>;
}

export async function planOnly(io: BatchIo, wanted: BatchWanted): Promise<PlanMade> {
  const { site, runtime } = io;
  const { source } = wanted;
  if (source === undefined) throw new VtlicError('internal', 'a plan needs a file');
  io.secrets.assertFor([]);
  requireSiteOwner(site.paths);
  const key = licenseKey(site, wanted.key);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const prepared = await preparePlan({
      site,
      catalog: readCatalog(site.paths.catalog),
      ledger,
      key,
      runtime,
      source,
      resume: wanted.resume,
      fault: io.fault,
      tell: io.tell,
      progress: () => undefined,
    });
    if (prepared.kind === 'finished') throw finishedError(source.name, prepared.rows);
    const { plan } = prepared;
    if (prepared.kind === 'begun') {
      io.tell(
        `the plan that was reviewed is still valid: ${groupDigits(plan.end.rows - prepared.checked.done)} of ` +
          `${groupDigits(plan.end.rows)} rows are left`,
      );
      return { digest: plan.digest, name: source.name, document: { rows: plan.end.rows, done: prepared.checked.done } };
    }
    for (const line of summaryView(prepared.summary, {
      file: source.file,
      name: source.name,
      sharded: plan.end.sharded,
      keyName: key.name,
      algorithm: key.algorithm,
      custody: key.custody,
      digest: plan.digest,
    }))
      io.tell(line);
    return { digest: plan.digest, name: source.name, document: summaryDocument(prepared.summary) };
  } finally {
    ledger.close();
  }
}
