import { type LedgerView, logKey, type LogKey } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';

/** All keys that sign, or once signed, checkpoints of a log of this site. */
export function logKeysOf(site: Site, ledger: LedgerView): readonly LogKey[] {
  const keys = site.config.keys.filter((key) => key.purpose === 'ledger' && key.algorithm === 'ed25519');
  return ledger.logs().flatMap((log) => keys.map((key) => logKey(log.origin, key.publicKey)));
}
