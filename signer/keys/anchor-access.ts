/** Where the anchor of a site lies, opened: a file as it is, a token with the one login of its run. */
import { VtlicError } from '../../formats/error.ts';
import { anchorFile } from '../ledger/anchor/anchor-file.ts';
import type { AnchorStoreOpener } from '../ledger/anchor/anchor-store.ts';
import { openLedgerForReading } from '../ledger/open.ts';
import type { KeyRecord } from '../site/key-record.ts';
import type { KeystoreConfig, TokenKeystore } from '../site/keystore-config.ts';
import type { Site } from '../site/site.ts';
import type { AnchorPlace } from '../ledger/record/anchor.ts';
import { keystoresUsed } from './keystores.ts';
import type { KeyAccess } from './key-access.ts';
import { tokenAnchor } from './token-anchor.ts';

const WHY = "for the ledger's anchor";

/** @param key that signs in this run: where its own PIN opens the anchor too, nothing more is said */
export function anchorOpener(
  { site, secrets, tokens }: Pick<KeyAccess, 'secrets' | 'tokens'> & { readonly site: AnchorSite },
  key?: KeyRecord,
): AnchorStoreOpener {
  return (place) => {
    if (place.kind === 'file') return anchorFile(place.path);
    const why = key !== undefined && keystoresUsed(key).includes(place.keystore) ? undefined : WHY;
    return tokenAnchor(() => tokens.open(anchorKeystore(site, place.keystore), secrets, why), place);
  };
}

/** As much of a site as an anchor needs: `init` has no more of it. */
export interface AnchorSite {
  readonly config: { readonly keystores: ReadonlyMap<string, KeystoreConfig> };
}

/** @throws VtlicError `configuration_invalid` where the site has no such token any more */
function anchorKeystore(site: AnchorSite, name: string): TokenKeystore {
  const store = site.config.keystores.get(name);
  if (store?.type === 'pkcs11') return store;
  const names = [...site.config.keystores.values()].filter(({ type }) => type === 'pkcs11').map((each) => each.name);
  throw new VtlicError(
    'configuration_invalid',
    `the ledger's anchor lies in a token, keystore ${name}, and this site has ${store === undefined ? 'no such keystore' : 'a folder of files under this name'}; its tokens are: ${names.join(', ') || 'none'}`,
    {
      hint: 'write the keystore into site.json as it was; if the token was replaced, see: vtlic help ledger anchor',
    },
  );
}

/** The keystores of token places, for the assertion that every secret can be had. */
export function keystoresOfPlaces(site: AnchorSite, places: readonly AnchorPlace[]): readonly string[] {
  return places.flatMap((place) => (place.kind === 'token' ? [anchorKeystore(site, place.keystore).name] : []));
}

/** The keystore that holds the anchor of the site's ledger; none where that is a file. */
export function anchorKeystores(site: Site): readonly string[] {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    return keystoresOfPlaces(site, [ledger.anchorPlace()]);
  } finally {
    ledger.close();
  }
}
