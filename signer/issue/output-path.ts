/** Under which name a license is released. */
import { sha256Hex } from '../../files/index.ts';
import type { License } from '../../formats/license/license.ts';

/**
 * Where a license goes, relative to the site: `out/PRODUCT/CUSTOMER/COUNTER-ID8.vtlic`.
 *
 * ID8 is the end of the license id: its beginning is a time, and would be the same for two deployments served in one
 * minute. Ids contain no slash and begin with a letter or digit, so no part can climb out of the folder.
 */
export function releasePath(license: License): string {
  return `out/${license.aud}/${license.sub}/${license.ctr}-${license.cti.slice(-8)}.vtlic`;
}

/**
 * A larger batch gets one more level of folders: a folder with a million entries is slow for most tools that people use
 * on it.
 */
const MAX_FLAT = 10_000;

export function isSharded(rows: number): boolean {
  return rows > MAX_FLAT;
}

/**
 * `out/PRODUCT/CUSTOMER/COUNTER-ID8.vtlic`, or sharded `out/PRODUCT/_XX/CUSTOMER/COUNTER-ID8.vtlic`, where XX is the
 * first byte of SHA-256 of the customer in hex. An id begins with a letter or digit, so no customer is ever called
 * `_XX`.
 */
export function outputPath(license: License, sharded: boolean): string {
  const flat = releasePath(license);
  if (!sharded) return flat;
  const shard = sha256Hex(license.sub).slice(0, 2);
  const product = `out/${license.aud}/`;
  return `${product}_${shard}/${flat.slice(product.length)}`;
}
