/**
 * A begun plan → the plan of what is left of it: reviewed payloads stay as they are; a row whose counter is spent gets
 * a new one.
 */
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import { type LedgerView, lineageOf } from '../ledger/index.ts';
import { planOrigin } from '../plan/plan-license.ts';
import { useFault } from '../plan/use-fault.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord } from '../site/key-record.ts';
import type { Site } from '../site/site.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import { standingOf } from './check-rows.ts';
import { BatchPlanWriter } from './plan-writer.ts';
import type { BatchPlan } from './plan-reader.ts';
import type { SignRow } from './plan-row.ts';
import { baseOfRow, countRow } from './renewal-base.ts';
import { type BatchSummary, emptySummary } from '../summary/batch-summary.ts';

const UUID_RANDOM_BYTES = 10;
const TEMPORARY_NAME_BYTES = 8;

export interface ResumeInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
  readonly world: Runtime;
}

/**
 * @throws VtlicError `request_invalid` for a row that would be signed anew after its license had ended,
 *   `policy_refused` for a use that
 * the lineage is not for by now
 */
export function planResumption(
  begun: BatchPlan,
  input: ResumeInput,
): { readonly digest: string; readonly summary: BatchSummary } {
  const { site, catalog, ledger, world } = input;
  const now = nowSeconds(world);
  const summary = emptySummary();
  const writer = new BatchPlanWriter(site.paths.plans, world.random(TEMPORARY_NAME_BYTES), {
    ...planOrigin(ledger, site, catalog, now),
    name: begun.head.name,
    input: begun.head.input,
    kid: begun.head.kid,
  });
  try {
    for (const row of begun.rows()) {
      summary.rows++;
      const standing = standingOf(row, begun.head.name, ledger);
      if (row.kind === 'done' || standing === 'done') {
        summary.done++;
        writer.done({
          line: row.line,
          row: row.row,
          lineage: row.kind === 'done' ? row.lineage : lineageOf(row.item.license),
        });
        continue;
      }
      const again = standing === 'stale';
      const lineage = lineageOf(row.item.license);
      const payload = again ? anew(row, ledger.nextCounter(lineage), now, world) : row.item.payload;
      writer.sign(row.line, row.row, payload);
      const license = decodeLicense(payload);
      const base = baseOfRow(ledger, lineage, ledger.lastOfLineage(lineage), begun.head.name);
      const fault = base.newLineage || base.last === undefined ? undefined : useFault(license, base.last.license);
      if (fault !== undefined) throw fault.at({ line: row.line });
      countRow(summary, { line: row.line, license, base, again }, input);
    }
    return { digest: writer.finish(begun.end.sharded).digest, summary };
  } finally {
    writer.abandon();
  }
}

/** Only counter, id and issue time differ from what was reviewed. */
function anew(row: SignRow, ctr: number, now: number, world: Runtime): Uint8Array {
  const { license } = row.item;
  if (license.exp <= now)
    throw new VtlicError(
      'request_invalid',
      `line ${row.line}: its counter is spent, and with a new one the license would be expired when it is signed`,
      {
        line: row.line,
        hint: 'take the row out of the file, or give it a later end, and resume under the same --name',
      },
    );
  return encodeLicense({ ...license, ctr, iat: now, cti: makeUuidV7(world.nowMs(), world.random(UUID_RANDOM_BYTES)) });
}
