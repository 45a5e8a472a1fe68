/** The place that a copy of the ledger names for its anchor, where a restore gives the anchor another place. */
import { type ErrorCode, VtlicError } from '../../formats/error.ts';
import {
  type AnchorPlace,
  type AnchorStore,
  type AnchorStoreOpener,
  openAnchorStore,
  samePlace,
} from '../anchor/index.ts';
import { fileExists } from '../ledger/index.ts';

export interface PreviousPlace {
  /** undefined if there is no other place, or if nothing is known of what it contains. */
  readonly store: AnchorStore | undefined;
  /** Why it cannot be read, in a sentence: an officer says then that it is lost. */
  readonly unread: string | undefined;
}

const NO_OTHER: PreviousPlace = Object.freeze({ store: undefined, unread: undefined });

/** A token that is gone for good, whatever a person does with it. */
const GONE: readonly ErrorCode[] = ['token_not_found', 'pin_locked', 'configuration_invalid'];

/**
 * A file that is not there was carried to the new place. A token cannot be carried anywhere: it is asked, as long as
 * the site can reach it.
 *
 * @param before where the copy says that its anchor is
 * @param next where it is from now on, and `store` is its store
 */
export async function openPrevious(
  before: AnchorPlace,
  next: AnchorPlace,
  store: AnchorStore,
  opener?: AnchorStoreOpener,
): Promise<PreviousPlace> {
  if (samePlace(before, next) || (before.kind === 'file' && !fileExists(before.path))) return NO_OTHER;
  const previous = openAnchorStore(before, opener);
  const nextIdentity = before.kind === next.kind ? await store.identity() : undefined;
  try {
    return (await previous.identity()) === nextIdentity ? NO_OTHER : { store: previous, unread: undefined };
  } catch (error) {
    if (before.kind === 'file' || !(error instanceof VtlicError) || !GONE.includes(error.code)) throw error;
    return { store: undefined, unread: error.message };
  }
}
