/** Where things lie in a site (README, "The site"). */
import { join } from 'node:path';
import type { License } from '../../formats/license/license.ts';

export interface SitePaths {
  readonly folder: string;
  readonly site: string;
  readonly catalog: string;
  readonly ledger: string;
  readonly keys: string;
  readonly plans: string;
  readonly out: string;
}

export function sitePaths(folder: string): SitePaths {
  return Object.freeze({
    folder,
    site: join(folder, 'site.json'),
    catalog: join(folder, 'catalog.json'),
    ledger: join(folder, 'ledger.sqlite'),
    keys: join(folder, 'keys'),
    plans: join(folder, 'plans'),
    out: join(folder, 'out'),
  });
}

/**
 * Where a license goes, relative to the site: `out/PRODUCT/CUSTOMER/COUNTER-ID8.vtlic`.
 *
 * ID8 is the end of the license id: its beginning is a time, and would be the same for two deployments served in one
 * minute.
 * Ids hold no slash and begin with a letter or digit, so no part can climb out of the folder.
 */
export function releasePath(license: License): string {
  return `out/${license.aud}/${license.sub}/${license.ctr}-${license.cti.slice(-8)}.vtlic`;
}
