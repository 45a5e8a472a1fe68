/** Reviewed → intended: the counter and the exact payload are on disk before a key signs anything. */
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { uuidToBytes } from '../../formats/license/id.ts';
import type { Custody } from '../../keys/private/signing-key.ts';
import { type BatchRow, type IntentEntry, type Ledger, lineageOf, lineageText } from '../ledger/index.ts';
import { requireKeyInForce } from '../plan/keyset-rule.ts';
import type { PlanItem } from '../plan/plan.ts';
import type { Reviewed } from '../plan/review.ts';
import { releasePath } from './output-path.ts';
import type { IntendedLicense } from './pipeline.ts';

/** Texts of the plan were checked when the plan was read. */
function known(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new VtlicError('internal', 'a digest or id of the plan cannot be read');
  return bytes;
}

/** Who signs, and where the file will go. */
export interface ReserveInput {
  readonly custody: Custody;
  readonly operator: string;
  /** Relative to the site; left out: `out/PRODUCT/CUSTOMER/…`. */
  readonly path?: string;
  readonly batch?: BatchRow;
}

/**
 * @throws VtlicError `plan_stale` when a counter of the plan has been used since it was made.
 */
export function reserveCounter(
  ledger: Ledger,
  reviewed: Reviewed,
  item: PlanItem,
  input: ReserveInput,
): IntendedLicense {
  const { license } = item;
  const lineage = lineageOf(license);
  requireKeyInForce(ledger, item.kid, license, reviewed.origin.made);
  const next = ledger.nextCounter(lineage);
  if (license.ctr !== next) {
    throw new VtlicError(
      'plan_stale',
      `the plan gives counter ${license.ctr} to ${lineageText(lineage)}, but ${next - 1} is the last one used now`,
      { hint: 'make a new plan and review it' },
    );
  }
  const intent: IntentEntry = ledger.intend({
    ...lineage,
    ctr: license.ctr,
    licenseId: known(uuidToBytes(license.cti)),
    kid: item.kid,
    payload: item.payload,
    custody: input.custody,
    operator: input.operator,
    planDigest: known(fromHex(reviewed.digest)),
    catalogDigest: known(fromHex(reviewed.origin.catalog)),
    siteDigest: known(fromHex(reviewed.origin.site)),
    path: input.path ?? releasePath(license),
    ...(input.batch === undefined ? {} : { batch: input.batch }),
  });
  return Object.freeze({ stage: 'intended', item, intent });
}
