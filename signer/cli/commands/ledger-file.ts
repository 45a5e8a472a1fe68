/** Which ledger a reading command means: the site's, or a copy that is named. */
import { resolve } from 'node:path';
import { type LedgerView, openLedgerForReading } from '../../ledger/index.ts';
import { openSite, type Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { siteFolder, type SiteOptions } from './common.ts';

export interface LedgerFileOptions extends SiteOptions {
  readonly json?: boolean;
}

/** @param file a copy; the site's own ledger if left out */
export async function withLedger<T>(
  io: Io,
  options: SiteOptions,
  file: string | undefined,
  use: (ledger: LedgerView, site: Site | undefined) => Promise<T> | T,
): Promise<T> {
  const site = file === undefined ? openSite(siteFolder(io, options)) : undefined;
  const ledger = openLedgerForReading(site === undefined ? resolve(io.cwd, file ?? '') : site.paths.ledger);
  try {
    return await use(ledger, site);
  } finally {
    ledger.close();
  }
}
