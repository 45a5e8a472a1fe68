/**
 * The anchor: the ledger's head, kept in a place that does not roll back with the ledger.
 * Only what an anchor covers may leave the site, so a ledger older than its anchor is noticed.
 */

/** Where the anchor lies: the genesis entry says it, and an act may say it anew. */
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

/** State of the whole record after some entry. */
export interface LedgerHead {
  /** Number of entries = seq of the last one. */
  readonly entries: number;
  /** The log in which that entry stands, 16 bytes; of the first log it is the ledger's id. */
  readonly logId: Uint8Array;
  /** Number of leaves in that log's tree. */
  readonly size: number;
  /** RFC 9162 tree root over `size` leaves, 32 bytes. */
  readonly root: Uint8Array;
  /**
   * Grows by one with each leaf, and by all that acts add to counters: between two states of a record, no lineage's
   * counter grows by more than its reach does.
   */
  readonly reach: number;
  /** How many times counters were handed over. */
  readonly closes: number;
  /** Chain value of entry `entries`, 32 bytes. */
  readonly chain: Uint8Array;
}

export interface AnchorRecord extends LedgerHead {
  /** 16 bytes. */
  readonly ledgerId: Uint8Array;
}

export interface AnchorStore {
  /** What is there: none, one, or two when a change was interrupted. A damaged anchor is `ledger_corrupt`. */
  read(): Promise<readonly AnchorRecord[]>;
  /** Durable on return: the new one is made and read back before the old one goes. `ledger_unwritable` leaves the old one. */
  write(record: AnchorRecord): Promise<void>;
  /** Leaves none, once the anchor lies elsewhere. */
  remove(): Promise<void>;
  /** For sentences: what and where it is. */
  readonly description: string;
  /** What a person does where it is not there. */
  readonly whenMissing: string;
}

/** `ahead`: the ledger holds more than the anchor covers, and is consistent with it. */
export interface AnchorComparison {
  readonly state: 'current' | 'ahead';
  /** The larger of the records found. */
  readonly anchor: AnchorRecord;
}
