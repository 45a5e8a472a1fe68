/**
 * A lineage is for production or not, once and for all: a verifier keeps the newest license of a lineage, so a free
 * license for a test system would displace the paid one.
 */
import { VtlicError } from '../../formats/error.ts';
import type { License } from '../../formats/license/license.ts';

/**
 * @param last the newest license of the same lineage
 * @returns `policy_refused` for a license that the lineage is not for; undefined for one that may follow
 */
export function useFault(license: License, last: License): VtlicError | undefined {
  const [now, before] = [license.use === 'non-production', last.use === 'non-production'];
  if (now === before) return undefined;
  const where = license.dep === undefined ? 'without a deployment' : `in the deployment ${license.dep}`;
  return new VtlicError(
    'policy_refused',
    `the last license of ${license.sub} for ${license.aud} ${where}, ${last.cti} (counter ${last.ctr}), is ${useInWords(last)}, and a ${useInWords(license)} license would replace it`,
    { field: 'use', hint: 'choose another deployment for it' },
  );
}

export function useInWords(license: License): string {
  return license.use ?? 'production';
}
