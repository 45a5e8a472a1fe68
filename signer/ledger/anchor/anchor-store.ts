import { VtlicError } from '../../../formats/error.ts';
import { anchorFile } from './anchor-file.ts';
import type { AnchorPlace, AnchorStore } from '../record/anchor.ts';

export type AnchorStoreOpener = (place: AnchorPlace) => AnchorStore;

/**
 * The store for the place that the record names.
 *
 * @param opener for places that need a login; files need none
 * @throws VtlicError `secret_missing` for a token without an opener
 */
export function openAnchorStore(place: AnchorPlace, opener?: AnchorStoreOpener): AnchorStore {
  if (opener !== undefined) return opener(place);
  if (place.kind === 'file') return anchorFile(place.path);
  throw new VtlicError(
    'secret_missing',
    `the anchor lies in the token of keystore ${place.keystore}, which shows it after a login`,
  );
}
