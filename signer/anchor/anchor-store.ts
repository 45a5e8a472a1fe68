/** Opens the place of an anchor: a file as it is, a token after a login. */
import { VtlicError } from '../../formats/error.ts';
import type { Token } from '../../keys/private/pkcs11/client/index.ts';
import type { AnchorPlace, AnchorStore, TokenAnchorPlace } from './anchor.ts';
import { anchorFile } from './anchor-file.ts';
import { tokenAnchor } from './anchor-token.ts';

export type AnchorStoreOpener = (place: AnchorPlace) => AnchorStore;

/** @param openToken gives the token of a place, logged in; called when its anchor is first needed */
export function anchorStoreOpener(openToken: (place: TokenAnchorPlace) => Promise<Token>): AnchorStoreOpener {
  return (place) => (place.kind === 'file' ? anchorFile(place.path) : tokenAnchor(() => openToken(place), place));
}

/**
 * The store for the place that the ledger names.
 *
 * @param opener for places that need a login; files need none
 * @throws VtlicError `secret_missing` for a token without an opener
 */
export function openAnchorStore(place: AnchorPlace, opener?: AnchorStoreOpener): AnchorStore {
  if (opener !== undefined) return opener(place);
  if (place.kind === 'file') return anchorFile(place.path);
  throw new VtlicError(
    'secret_missing',
    `the anchor is in the token of keystore ${place.keystore}, which gives it only after a login with the PIN`,
  );
}
