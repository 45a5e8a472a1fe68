/** What commands read besides the site: a copy of the ledger, and counters documents with the keys that signed them. */
import { resolve } from 'node:path';
import { type LedgerView, openLedgerForReading } from '../ledger/index.ts';
import { openSite, type Site } from '../site/site.ts';
import type { Io } from './io.ts';
import { readTrustFile, siteFolder, type SiteOptions } from './options.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { readLimited } from '../../files/index.ts';
import { openCounters } from '../handover/import-counters.ts';
import type { LostDocument } from '../handover/reopen-counters.ts';

const MAX_COUNTERS_BYTES = 1 << 28;

export interface LedgerFileOptions extends SiteOptions {
  readonly json?: boolean;
}

/**
 * Opens a ledger for reading, and closes it after use.
 *
 * @param file a copy; the site's own ledger if left out
 */
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

/** The keys that may have signed a counters document: those of the site, and those in the files of `--trust`. */
export function countersKeys(io: Io, site: Site, trust: readonly string[]): readonly PublicKey[] {
  return [
    ...site.config.keys.filter((key) => key.purpose === 'counters').map((key) => key.publicKey),
    ...trust.flatMap((name) => readTrustFile(io, name)),
  ];
}

/** @param path absolute */
export function readCounters(path: string, keys: readonly PublicKey[]): LostDocument {
  try {
    const bytes = readLimited(path, MAX_COUNTERS_BYTES, 'checks_failed');
    return { bytes, ...openCounters(bytes, keys) };
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}
