/** Signs checkpoints, and finds the key of a site that has a certain purpose. */
import { toHex } from '../../formats/bytes.ts';
import type { Checkpoint } from '../../formats/checkpoint.ts';
import { VtlicError } from '../../formats/error.ts';
import { anchorOpener, keystoresOfPlaces } from '../keys/ledger-opening.ts';
import type { AnchorStoreOpener } from '../anchor/index.ts';
import { openKey } from '../keys/open-key.ts';
import { type LedgerView, signCheckpoint } from '../ledger/index.ts';
import { type KeyRecord, findSiteKey, type Site, requireSigning } from '../site/site.ts';
import type { Io } from './io.ts';
import type { SecretOptions } from './options.ts';
import { withAccess } from './key-access.ts';

export interface LogSigningOptions extends SecretOptions {
  readonly key?: string;
}

/**
 * The named key, or the only key that has the purpose and is not retired.
 *
 * @throws VtlicError `key_not_found` if there is none; `usage` if there are several and none was named, or if the named
 *   key is retired or has another purpose
 */
export function keyWithPurpose(
  site: Site,
  purpose: 'ledger' | 'counters' | 'root',
  name: string | undefined,
): KeyRecord {
  if (name !== undefined) {
    const named = findSiteKey(site, name);
    if (named.purpose !== purpose)
      throw new VtlicError(
        'usage',
        `the key ${named.name} has the purpose ${named.purpose}, but this needs a key with the purpose ${purpose}`,
        { hint: 'one key has one purpose' },
      );
    requireSigning(named);
    return named;
  }
  const all = site.config.keys.filter((key) => key.purpose === purpose && key.retired === undefined);
  const [first] = all;
  if (first === undefined) {
    throw new VtlicError('key_not_found', `this site has no key with the purpose ${purpose} yet`, {
      file: site.paths.site,
      hint:
        `make one with: vtlic key generate --name ${purpose}-1 --purpose ${purpose}` +
        (purpose === 'root' ? '' : ' --algorithm ed25519'),
    });
  }
  if (all.length > 1)
    throw new VtlicError(
      'usage',
      `this site has ${all.length} keys with the purpose ${purpose}: say which with --key`,
      {
        hint: `there are: ${all.map((key) => key.name).join(', ')}`,
      },
    );
  return first;
}

/**
 * Signs a tree head as a checkpoint.
 *
 * @param head makes the tree head; its argument opens the anchor with the logins of this run
 */
export async function signHead(
  io: Io,
  site: Site,
  ledger: LedgerView,
  head: (anchor: AnchorStoreOpener) => Promise<Checkpoint>,
  options: LogSigningOptions,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
  const record = keyWithPurpose(site, 'ledger', options.key);
  return withAccess(
    io,
    site,
    options,
    { key: record, anchors: keystoresOfPlaces(site, [ledger.anchorPlace()]) },
    async (access) => {
      const checkpoint = await head(anchorOpener(access, record));
      const key = await openKey(access, record, toHex(ledger.genesis.ledgerId));
      try {
        return { note: await signCheckpoint(checkpoint, key), checkpoint };
      } finally {
        await key.close();
      }
    },
  );
}
