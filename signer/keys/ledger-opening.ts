/**
 * How a run opens the ledger of its site: the tokens and logins that its anchor needs, the refusal of a key that
 * another ledger has claimed, and the keys that checkpoints of its logs are verified with.
 */
import { VtlicError } from '../../formats/error.ts';
import { type AnchorPlace, anchorStoreOpener, type AnchorStoreOpener } from '../anchor/index.ts';
import { type LedgerOpenOptions, type LedgerView, logKey, type LogKey, openLedgerForReading } from '../ledger/index.ts';
import type { KeyRecord, KeystoreConfig, TokenKeystore, Site } from '../site/site.ts';
import { type KeyAccess, keystoresUsed } from './keystores.ts';
import { requireOwnKey } from './open-key.ts';

const ANCHOR_REASON = "for the ledger's anchor";

/** @param key that signs in this run; undefined if the run signs nothing */
export function openingWith(
  access: KeyAccess,
  key?: KeyRecord,
): Pick<LedgerOpenOptions, 'anchorStore' | 'requireOwnKey'> {
  return {
    anchorStore: anchorOpener(access, key),
    ...(key === undefined ? {} : { requireOwnKey: (ledgerId: string) => requireOwnKey(access, key, ledgerId) }),
  };
}

/** @param key that signs in this run: if its own PIN opens the anchor too, the prompt needs no reason */
export function anchorOpener(
  { site, secrets, tokens }: Pick<KeyAccess, 'secrets' | 'tokens'> & { readonly site: AnchorSite },
  key?: KeyRecord,
): AnchorStoreOpener {
  return anchorStoreOpener((place) => {
    const reason = key !== undefined && keystoresUsed(key).includes(place.keystore) ? undefined : ANCHOR_REASON;
    return tokens.open(anchorKeystore(site, place.keystore), secrets, reason);
  });
}

/** The part of a site that is needed to open an anchor. During `init` there is no more of a site. */
export interface AnchorSite {
  readonly config: { readonly keystores: ReadonlyMap<string, KeystoreConfig> };
}

/** @throws VtlicError `configuration_invalid` if the site no longer has such a token */
function anchorKeystore(site: AnchorSite, name: string): TokenKeystore {
  const store = site.config.keystores.get(name);
  if (store?.type === 'pkcs11') return store;
  const names = [...site.config.keystores.values()].filter(({ type }) => type === 'pkcs11').map((each) => each.name);
  throw new VtlicError(
    'configuration_invalid',
    `the ledger's anchor is in the token of keystore ${name}, but in site.json ` +
      `${store === undefined ? 'there is no such keystore' : 'this keystore is a folder of files'}; its tokens are: ` +
      (names.join(', ') || 'none'),
    {
      hint: 'write the keystore into site.json as it was; if the token was replaced, see: vtlic help ledger anchor',
    },
  );
}

/** The keystores of token places, to check beforehand that every secret is available. */
export function keystoresOfPlaces(site: AnchorSite, places: readonly AnchorPlace[]): readonly string[] {
  return places.flatMap((place) => (place.kind === 'token' ? [anchorKeystore(site, place.keystore).name] : []));
}

/** The keystore that contains the anchor of the site's ledger; none if the anchor is a file. */
export function anchorKeystores(site: Site): readonly string[] {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    return keystoresOfPlaces(site, [ledger.anchorPlace()]);
  } finally {
    ledger.close();
  }
}

/** All keys that sign, or once signed, checkpoints of a log of this site. */
export function logKeysOf(site: Site, ledger: LedgerView): readonly LogKey[] {
  const keys = site.config.keys.filter((key) => key.purpose === 'ledger' && key.algorithm === 'ed25519');
  return ledger.logs().flatMap((log) => keys.map((key) => logKey(log.origin, key.publicKey)));
}
