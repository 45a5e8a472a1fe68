import type { License } from '../../formats/license/license.ts';
import type { Lineage } from '../ledger/record/lineage.ts';

/** The line of licenses that this one belongs to, within its issuer. */
export function lineageOf(license: License): Lineage {
  return license.dep === undefined
    ? { aud: license.aud, sub: license.sub }
    : { aud: license.aud, sub: license.sub, dep: license.dep };
}
