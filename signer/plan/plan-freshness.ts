/**
 * Whether a plan may still be signed. A plan expires 24 hours after it was made, or when `site.json` or `catalog.json`
 * changes. The ledger must be the one for which it was made, and contain the entry that the plan follows.
 */
import { toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { LedgerView } from '../ledger/index.ts';
import type { Catalog } from '../site/catalog.ts';
import { type KeyRecord, type Site, requireSigning } from '../site/site.ts';
import type { PlanOrigin } from './plan.ts';

const MAX_PLAN_AGE_SECONDS = DAY_SECONDS;
const HINT = 'make a new plan with --dry-run and review it';

/** @throws VtlicError `plan_stale` for a plan from the future or older than 24 hours */
export function checkPlanAge(made: number, now: number): void {
  if (now - made > MAX_PLAN_AGE_SECONDS)
    throw new VtlicError('plan_stale', 'the plan is older than 24 hours', { hint: HINT });
  if (made > now)
    throw new VtlicError('plan_stale', "the plan was made later than this machine's clock reads now", {
      hint: 'check the clock',
    });
}

/**
 * @throws VtlicError `plan_stale` naming what changed. Counters are judged again, one by one, when they are reserved.
 */
export function checkPlanFresh(plan: PlanOrigin, site: Site, catalog: Catalog, ledger: LedgerView): void {
  if (plan.ledger !== toHex(ledger.genesis.ledgerId))
    throw new VtlicError('plan_stale', 'the plan was made for another ledger', { hint: HINT });
  const then = ledger.entry(plan.entries);
  if (then === undefined || toHex(then.chain) !== plan.chain)
    throw new VtlicError(
      'plan_stale',
      'the plan was made for another state of this ledger: the entry that the plan follows is not in the ledger',
      { hint: HINT },
    );
  if (plan.site !== site.digest)
    throw new VtlicError('plan_stale', 'site.json was changed since the plan was made', {
      file: site.paths.site,
      hint: HINT,
    });
  if (plan.catalog !== catalog.digest)
    throw new VtlicError('plan_stale', 'catalog.json was changed since the plan was made', {
      file: site.paths.catalog,
      hint: HINT,
    });
}

/** @throws VtlicError `plan_stale` where the site no longer has the key that the plan names. */
export function keyOfPlan(kid: string | undefined, site: Site): KeyRecord {
  const key = site.config.keys.find((candidate) => candidate.publicKey.kid === kid);
  if (key === undefined)
    throw new VtlicError('plan_stale', `the plan names the key ${kid ?? ''}, which this site does not have`, {
      hint: HINT,
    });
  requireSigning(key);
  return key;
}
