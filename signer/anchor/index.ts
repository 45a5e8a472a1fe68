/** The door of the anchor: every other room imports only from here. */
export { anchorStoreOpener, openAnchorStore, type AnchorStoreOpener } from './anchor-store.ts';
export {
  anchorPlaceText,
  samePlace,
  type AnchorMove,
  type AnchorPlace,
  type AnchorRecord,
  type AnchorStore,
  type LedgerBounds,
  type LedgerHead,
} from './anchor.ts';
export { NONCE_BYTES } from './anchor-record.ts';
export { anchorChanged, compareAnchor, movedAway, requireUnchangedAnchor, restoreDraftOf } from './compare-anchor.ts';
export { finishMove, moveAnchor, requireFreePlace, requireOtherPlace } from './move-anchor.ts';
