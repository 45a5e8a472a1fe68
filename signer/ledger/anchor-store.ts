import { anchorFile } from './anchor-file.ts';
import type { AnchorPlace, AnchorStore } from './anchor.ts';

export type AnchorStoreOpener = (place: AnchorPlace) => AnchorStore;

/** The store for the place that the genesis entry names. */
export function openAnchorStore(place: AnchorPlace, opener?: AnchorStoreOpener): AnchorStore {
  return opener === undefined ? anchorFile(place.path) : opener(place);
}
