/** What a plan would have signed, held against the rules once more: a plan file may not come from this program. */
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { License } from '../../formats/license/license.ts';
import { catalogViolations } from '../request/check-against-catalog.ts';
import type { Catalog } from '../site/catalog.ts';
import type { Site } from '../site/site.ts';
import type { Plan } from './plan.ts';

function faultOf(license: License, plan: Plan, site: Site, catalog: Catalog): string | undefined {
  if (license.iss !== site.config.issuer) return `its issuer is ${license.iss}, and this site issues for ${site.config.issuer}`;
  if (license.iat !== plan.made) return 'its time of issue is not the time at which the plan was made';
  for (const text of [license.name, license.ref]) {
    if (text !== undefined && (hasControlOrBidi(text) || text.normalize('NFC') !== text)) return 'its name or reference holds control or direction-changing characters, or is not in NFC';
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

/** @throws VtlicError `policy_refused` for a license that no request could have led to. */
export function checkPlanned(plan: Plan, site: Site, catalog: Catalog): void {
  for (const { license } of plan.items) {
    const fault = faultOf(license, plan, site, catalog);
    if (fault !== undefined) throw new VtlicError('policy_refused', `the plan holds a license for ${license.sub} that no request could have led to: ${fault}`, { hint: 'do not sign it; find out who wrote this plan' });
  }
}
