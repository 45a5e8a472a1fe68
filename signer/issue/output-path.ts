/** Under which name a license is released. */
import { sha256Hex } from '../../files/index.ts';
import type { License } from '../../formats/license/license.ts';

/** Without capitals, colons and a dot at the end, which some file systems refuse, change or do not tell apart. */
const PLAIN_ID = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?$/;
/** Names of devices on Windows, in every folder, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;
const DIGEST_DIGITS = 12;

/**
 * The name of a file or folder for an id, the same on every file system: a plain id itself; for any other a readable
 * part, `~`, and the beginning of its SHA-256, so that two ids which differ only in case have different names.
 */
export function fileNameOfId(id: string): string {
  if (PLAIN_ID.test(id) && !DEVICE.test(id)) return id;
  return `${id.replaceAll(/[^\w-]/g, '_')}~${sha256Hex(id).slice(0, DIGEST_DIGITS)}`;
}

/**
 * Where a license goes, relative to the site: `out/PRODUCT/CUSTOMER/COUNTER-ID8.vtlic`. The intent records it, so a
 * license that was reserved under another rule keeps its name.
 *
 * ID8 is the end of the license id: its beginning is a time, and would be the same for two deployments served in one
 * minute. Ids contain no slash and begin with a letter or digit, so no part can climb out of the folder.
 */
export function releasePath(license: License): string {
  const [product, customer] = [fileNameOfId(license.aud), fileNameOfId(license.sub)];
  return `out/${product}/${customer}/${license.ctr}-${license.cti.slice(-8)}.vtlic`;
}

/** Where the proof of a license is written: beside it, with the ending of c2sp.org/tlog-proof. */
export function proofPath(path: string): string {
  return `${path}.tlog-proof`;
}

/** The path to which older programs wrote it. */
export function olderProofPath(path: string): string {
  return `${path}.proof`;
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
  const product = `out/${fileNameOfId(license.aud)}/`;
  return `${product}_${shard}/${flat.slice(product.length)}`;
}
