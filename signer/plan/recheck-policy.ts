/** Checks what a plan would sign against the rules again, because another program may have written the plan file. */
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { type LedgerView, lineageOf, newestOfLineage } from '../ledger/index.ts';
import { catalogViolations } from '../request/check-against-catalog.ts';
import { combinationFault, type Request } from '../request/request.ts';
import { hasInvisible } from '../request/invisible-text.ts';
import type { Catalog } from '../site/catalog.ts';
import type { Site } from '../site/site.ts';
import type { Plan } from './plan.ts';
import { useFault } from './plan-license.ts';

/** What a request of this site would have been judged by. */
export interface CheckedAgainst {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
}

/** What makes a license one that no request of this site could have led to; undefined where nothing does. */
function faultOf(license: License, { site, catalog, ledger }: CheckedAgainst): string | undefined {
  if (license.iss !== site.config.issuer)
    return `its issuer is ${license.iss}, and this site issues for ${site.config.issuer}`;
  for (const text of [license.name, license.ref]) {
    if (text !== undefined && (hasControlOrBidi(text) || hasInvisible(text) || text.normalize('NFC') !== text))
      return 'its name or reference contains control, invisible or direction-changing characters, or is not in NFC';
  }
  const request: Request = {
    customer: license.sub,
    product: license.aud,
    ...(license.dep === undefined ? {} : { deployment: license.dep }),
    tier: license.tier,
    seats: license.seats,
    from: license.nbf,
    until: license.exp,
    ...(license.grace === undefined ? {} : { graceSeconds: license.grace }),
    ...(license.use === undefined ? {} : { use: license.use }),
    features: license.features,
    limits: license.limits,
  };
  const [violation] = catalogViolations(request, catalog);
  if (violation !== undefined) return violation.sentence;
  return (combinationFault(request) ?? useFaultInLineage(license, ledger))?.message;
}

/** A plan whose counter has been used since is stale, not forged; the check of its freshness reports that. */
function useFaultInLineage(license: License, ledger: LedgerView): VtlicError | undefined {
  const newest = newestOfLineage(ledger, lineageOf(license));
  if (newest === undefined) return undefined;
  const last = decodeLicense(newest.payload);
  return license.ctr > last.ctr ? useFault(license, last) : undefined;
}

/** @throws VtlicError `policy_refused` where there is a fault */
export function refusePlanned(license: License, where: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw new VtlicError(
    'policy_refused',
    `the plan contains a license for ${license.sub}${where} that this program would not have planned: ${fault}`,
    { hint: 'do not sign it; find out who wrote this plan' },
  );
}

/** @throws VtlicError `policy_refused` for a license that no request could have led to. */
export function checkPlanned(plan: Plan, against: CheckedAgainst): void {
  for (const { license } of plan.items) {
    refusePlanned(
      license,
      '',
      license.iat === plan.made ? undefined : 'its time of issue is not the time at which the plan was made',
    );
    recheckLicense(license, '', against);
  }
}

/** @throws VtlicError `policy_refused` */
export function recheckLicense(license: License, where: string, against: CheckedAgainst): void {
  refusePlanned(license, where, faultOf(license, against));
}
