/**
 * The anchor: a copy of the ledger's head, kept in a place that does not roll back with the ledger.
 * Only what an anchor covers may leave the site, so the signer notices a ledger that is older than its anchor.
 */

/** The place of the anchor. The genesis entry names it, and an administrative entry may name another. */
export type AnchorPlace = FileAnchorPlace | TokenAnchorPlace;

export interface FileAnchorPlace {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
}

/** A private data object in a token. */
export interface TokenAnchorPlace {
  readonly kind: 'token';
  /** Name of the keystore in site.json. */
  readonly keystore: string;
  /** CKA_LABEL. */
  readonly label: string;
}

/** State of the whole ledger after some entry. */
export interface LedgerHead {
  /** Number of entries = seq of the last one. */
  readonly entries: number;
  /** The log that contains that entry, 16 bytes; for the first log it is the ledger's id. */
  readonly logId: Uint8Array;
  /** Number of leaves in that log's tree. */
  readonly size: number;
  /** RFC 9162 tree root over `size` leaves, 32 bytes. */
  readonly root: Uint8Array;
  /**
   * Upper bound on counter growth. Increases by 1 per leaf, plus whatever administrative entries add. Between any two
   * states of a ledger, no counter increases by more than this, so a restore that skips as many never reuses one.
   */
  readonly counterBound: number;
  /** How many administrative entries closed counters. */
  readonly closes: number;
  /** Chain value of entry `entries`, 32 bytes. */
  readonly chain: Uint8Array;
  /**
   * Highest version of the keyset that a root key of this site may have signed, or that this ledger knows as published;
   * absent for none. After a restore, no root key of the site signs a version up to it.
   */
  readonly keysetVersion?: number;
}

/** What only grows with a ledger, beside its trees. */
export type LedgerBounds = Pick<LedgerHead, 'counterBound' | 'closes' | 'keysetVersion'>;

export interface AnchorRecord extends LedgerHead {
  /** 16 bytes. */
  readonly ledgerId: Uint8Array;
}

/** Replaces the anchor, only if it is still what the caller knows. */
export interface AnchorChange {
  /** All that the anchor contained when the caller read it; empty if the place should be free. */
  readonly known: readonly AnchorRecord[];
  /** The new anchor; or, if `moved`, the head of the ledger whose anchor is in another place from now on. */
  readonly next: AnchorRecord;
  readonly moved?: boolean;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}

/**
 * A place for an anchor. It is a mutex as well as a mark: of several processes that replace what they know, one
 * succeeds, on whatever machine they run and wherever they are stopped.
 */
export interface AnchorStore {
  /**
   * The records found: none, one, or two if version 0.1.0 was interrupted. A damaged anchor is `ledger_corrupt`.
   * Changes nothing.
   */
  read(): Promise<readonly AnchorRecord[]>;
  /** The head of the ledger that has moved the anchor from here to another place; undefined if none has. */
  movedBy(): Promise<AnchorRecord | undefined>;
  /** Finishes a change that was interrupted; a run that signs begins with it. @param nonce 16 random bytes */
  settle(nonce: Uint8Array): Promise<void>;
  /**
   * Durable on return. After `ledger_unwritable`, the place contains the old anchor, or both anchors until the next
   * `settle`.
   *
   * @returns false, without a change, if the anchor is not the one that the caller knows
   */
  replace(change: AnchorChange): Promise<boolean>;
  /** Which place it really is: the same for two names of one file, or of one object of a token. */
  identity(): Promise<string>;
  /** For messages: what and where it is. */
  readonly description: string;
  /** The hint for the officer if there is no anchor here. */
  readonly whenMissing: string;
}

/** `ahead`: the ledger has entries that the anchor does not cover, and is consistent with it. */
export interface AnchorComparison {
  readonly state: 'current' | 'ahead';
  /** The larger of the records found. */
  readonly anchor: AnchorRecord;
}

/** In the form that `--anchor` takes. */
export function anchorPlaceText(place: AnchorPlace): string {
  return place.kind === 'file' ? place.path : `token:${place.keystore}/${place.label}`;
}

export function samePlace(a: AnchorPlace, b: AnchorPlace): boolean {
  if (a.kind === 'file') return b.kind === 'file' && a.path === b.path;
  return b.kind === 'token' && a.keystore === b.keystore && a.label === b.label;
}

export interface AnchorMove {
  /** seq of the entry. */
  readonly seq: number;
  readonly from: AnchorPlace;
  readonly to: AnchorPlace;
}

/**
 * The part of a ledger that an anchor is compared with. The ledger implements it; this room imports nothing from it.
 */
export interface AnchoredLedger {
  readonly path: string;
  readonly genesis: { readonly ledgerId: Uint8Array };
  head(): LedgerHead;
  logs(): readonly { readonly entry: number; readonly logId: Uint8Array }[];
  rootAt(size: number, logId?: Uint8Array): Uint8Array | undefined;
  boundsAt(head: Pick<LedgerHead, 'entries' | 'logId' | 'size'>): LedgerBounds;
  entry(seq: number): { readonly seq: number; readonly chain: Uint8Array } | undefined;
}

/** The part of a ledger's writer that moves its anchor. */
export interface AnchoringLedger extends AnchoredLedger {
  requireAnchor(): Promise<void>;
  anchor(): Promise<AnchorRecord>;
  adopt(body: { readonly act: 'anchor'; readonly anchor: AnchorPlace; readonly operator: string }): unknown;
}
