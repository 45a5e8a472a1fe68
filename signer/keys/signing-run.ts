/**
 * How a run opens the ledger: its anchor by the run's own tokens, and no work on it for a key that another ledger has
 * claimed.
 */
import type { SigningRun } from '../issue/open-ledger.ts';
import type { KeyRecord } from '../site/key-record.ts';
import { anchorOpener } from './anchor-access.ts';
import type { KeyAccess } from './key-access.ts';
import { requireOwnKey } from './open-key.ts';

/** @param key that signs in this run; none where nothing is signed */
export function openingWith(access: KeyAccess, key?: KeyRecord): Pick<SigningRun, 'anchorStore' | 'requireOwnKey'> {
  return {
    anchorStore: anchorOpener(access, key),
    ...(key === undefined ? {} : { requireOwnKey: (ledgerId: string) => requireOwnKey(access, key, ledgerId) }),
  };
}
