/**
 * What an `init` that was cut short leaves: parts of a site without its last file, `site.json`. The same command goes
 * on from there.
 */
import { existsSync, readdirSync } from 'node:fs';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { type AnchorPlace, type AnchorStore, samePlace } from '../anchor/index.ts';
import { openLedgerForReading } from '../ledger/index.ts';
import type { SitePaths } from './paths.ts';

const LEFTOVER =
  /^(?:ledger\.sqlite(?:\.new)?(?:-wal|-shm|-journal)?|ledger\.(?:lock|holder)(?:-journal)?|catalog\.json|\.(?:catalog|site)\.json\..+)$/;

/** True where the folder holds something, and nothing but what an init writes before `site.json`. */
export function isUnfinishedInit(paths: SitePaths): boolean {
  const names = existsSync(paths.folder) ? readdirSync(paths.folder) : [];
  return names.length > 0 && names.every((name) => LEFTOVER.test(name));
}

/**
 * True where the ledger of an unfinished init stands, and is exactly what the anchor vouches for: nothing was ever
 * written to it.
 */
export async function ledgerIsReady(
  paths: SitePaths,
  wanted: { readonly issuer: string; readonly anchor: AnchorPlace },
  store: AnchorStore,
): Promise<boolean> {
  if (!existsSync(paths.ledger)) return false;
  const view = openLedgerForReading(paths.ledger);
  try {
    const { genesis } = view;
    const head = view.head();
    const records = await store.read();
    if (
      head.entries === 1 &&
      genesis.iss === wanted.issuer &&
      samePlace(genesis.anchor, wanted.anchor) &&
      records.length === 1 &&
      records.every((record) => equalBytes(record.chain, head.chain))
    )
      return true;
    throw new VtlicError('output_exists', 'a ledger stands here that is no new one of this init', {
      file: paths.ledger,
      hint: 'name a new folder',
    });
  } finally {
    view.close();
  }
}
