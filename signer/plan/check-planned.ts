/** What a plan would have signed, held against the rules once more: a plan file may not come from this program. */
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { License } from '../../formats/license/license.ts';
import type { SignRow } from '../batch/plan-row.ts';
import { catalogViolations } from '../request/check-against-catalog.ts';
import { hasInvisible } from '../request/invisible-text.ts';
import type { Catalog } from '../site/catalog.ts';
import type { Site } from '../site/site.ts';
import type { Plan } from './plan.ts';

/** What makes a license one that no request of this site could have led to; undefined where nothing does. */
function faultOf(license: License, site: Site, catalog: Catalog): string | undefined {
  if (license.iss !== site.config.issuer)
    return `its issuer is ${license.iss}, and this site issues for ${site.config.issuer}`;
  for (const text of [license.name, license.ref]) {
    if (text !== undefined && (hasControlOrBidi(text) || hasInvisible(text) || text.normalize('NFC') !== text))
      return 'its name or reference holds control, invisible or direction-changing characters, or is not in NFC';
  }
  const [violation] = catalogViolations(
    {
      customer: license.sub,
      product: license.aud,
      tier: license.tier,
      seats: license.seats,
      from: license.nbf,
      until: license.exp,
      ...(license.grace === undefined ? {} : { graceSeconds: license.grace }),
      features: license.features,
      limits: license.limits,
    },
    catalog,
  );
  return violation?.sentence;
}

function refuse(license: License, where: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw new VtlicError(
    'policy_refused',
    `the plan holds a license for ${license.sub}${where} that no request could have led to: ${fault}`,
    { hint: 'do not sign it; find out who wrote this plan' },
  );
}

/** @throws VtlicError `policy_refused` for a license that no request could have led to. */
export function checkPlanned(plan: Plan, site: Site, catalog: Catalog): void {
  for (const { license } of plan.items) {
    refuse(
      license,
      '',
      license.iat === plan.made ? undefined : 'its time of issue is not the time at which the plan was made',
    );
    refuse(license, '', faultOf(license, site, catalog));
  }
}

/**
 * A row of a batch's plan. One that was reviewed before, in a run that stopped, keeps its time of issue.
 *
 * @throws VtlicError `policy_refused`
 */
export function checkPlannedRow(
  { line, item: { license } }: SignRow,
  made: number,
  site: Site,
  catalog: Catalog,
): void {
  const where = ` (line ${line})`;
  refuse(
    license,
    where,
    license.iat <= made ? undefined : 'its time of issue is later than the time at which the plan was made',
  );
  refuse(license, where, faultOf(license, site, catalog));
}
