/**
 * The ledger as the rest of the signer sees it. Opened by `open.ts`:
 * `LedgerView` reads, also beside a writer; `Ledger` is the one writer.
 */
import type { LedgerSummary, VerifyOptions } from './verify/verify.ts';
import type { CloseBody, NewLogBody, PlainAct, ReenteredBody } from './entries/admin-entry.ts';
import type { AnchorMove, AnchorPlace, AnchorRecord, LedgerBounds, LedgerHead } from '../anchor/index.ts';
import type {
  AdoptEntry,
  ClockEntry,
  CloseEntry,
  Entry,
  GenesisBody,
  IntentBody,
  IntentEntry,
  IssueEntry,
  ReleaseEntry,
  VoidEntry,
  VoidReason,
} from './entries/entry.ts';
import type { Lineage } from './entries/lineage.ts';

export type LicenseState = 'open' | 'void' | 'issued' | 'released';

/** Everything the ledger knows of one reserved counter. `state` follows from which entries are there. */
export interface LicenseRecord {
  readonly state: LicenseState;
  readonly intent: IntentEntry;
  readonly issue?: IssueEntry;
  readonly void?: VoidEntry;
  /** The first release. */
  readonly release?: ReleaseEntry;
}

export interface LineageState {
  readonly lineage: Lineage;
  /** The counter that was spent last, void and skipped ones too; the next is one more. */
  readonly ctr: number;
  /** The record of the highest counter that was reserved. */
  readonly last: LicenseRecord;
  /** The record of the highest counter that has a license: what a new one replaces. */
  readonly lastIssued?: LicenseRecord;
}

export interface LineageSummary {
  readonly lineage: Lineage;
  /** The highest counter ever reserved. */
  readonly ctr: number;
  /** How many licenses were issued. */
  readonly issued: number;
}

/** A tree of its own, under an origin of its own. */
export interface LogInfo {
  /** From 1. */
  readonly number: number;
  readonly logId: Uint8Array;
  readonly origin: string;
  /** seq of the entry that opened it. */
  readonly entry: number;
  readonly firstLeaf: number;
  readonly firstNode: number;
  readonly size: number;
}

export interface LedgerView {
  readonly path: string;
  readonly genesis: GenesisBody;
  head(): LedgerHead;
  /** In the order in which they were opened; the last one grows. */
  logs(): readonly LogInfo[];
  /**
   * Tree root over the first `size` leaves of a log (the last one if left out); undefined beyond its size, or for no
   * log of this ledger.
   */
  rootAt(size: number, logId?: Uint8Array): Uint8Array | undefined;
  /** What only grows with the ledger, when a log of it had that size, at that entry. */
  boundsAt(head: Pick<LedgerHead, 'entries' | 'logId' | 'size'>): LedgerBounds;
  /**
   * That leaf `index` is in the tree of `size` leaves, RFC 9162 §2.1.3: from the leaf's sibling up. undefined as for
   * `rootAt`.
   */
  inclusionProof(index: number, size: number, logId?: Uint8Array): readonly Uint8Array[] | undefined;
  /** That the tree of `to` leaves begins with that of `from`, RFC 9162 §2.1.4. undefined as for `rootAt`. */
  consistencyProof(from: number, to: number, logId?: Uint8Array): readonly Uint8Array[] | undefined;
  /** Where the anchor is now. */
  anchorPlace(): AnchorPlace;
  /** The last move of the anchor; undefined for none, and after a restore, which chooses the place itself. */
  lastAnchorMove(): AnchorMove | undefined;
  /** Administrative entries, oldest first, without those for single licenses and lineages. */
  adminEntries(): readonly (AdoptEntry | CloseEntry)[];
  /** The last counter of a lineage that was used or skipped; 0 for none. */
  lastCounter(lineage: Lineage): number;
  /**
   * The counter that the lineage takes next.
   * @throws VtlicError `ledger_conflict` where its counters were handed over
   */
  nextCounter(lineage: Lineage): number;
  /** seq of the entry that closed the counters of a customer; undefined while they are open. */
  closedBy(sub: string): number | undefined;
  /** A license that a restored ledger was given back, by its id. */
  findReentered(licenseId: Uint8Array): AdoptEntry | undefined;
  /** All of a lineage that a restored ledger was given back. */
  reenteredOf(lineage: Lineage): readonly AdoptEntry[];
  /** The same for all lineages of a customer. */
  reenteredOfCustomer(sub: string): readonly AdoptEntry[];
  /** In bytewise order of (sub, aud, dep): every lineage that has an intent, or a counter by an act. */
  knownLineages(page: { readonly after?: Lineage; readonly limit: number }): readonly Lineage[];
  /** undefined where there is no such entry. */
  entry(seq: number): Entry | undefined;
  /** All entries from `seq` on, read in pages; ends at what was the last entry when it got there. */
  entriesFrom(seq: number): IterableIterator<Entry>;
  /** `at` of the last entry. */
  lastAt(): number;
  lastClock(): ClockEntry | undefined;
  /** Oldest first. */
  clockEntries(): readonly ClockEntry[];
  /** undefined for a lineage that never had an intent. */
  lastOfLineage(lineage: Lineage): LineageState | undefined;
  /** By the 16 bytes of the license id. */
  findByLicenseId(licenseId: Uint8Array): LicenseRecord | undefined;
  /** By the intent's seq. */
  findByIntent(seq: number): LicenseRecord | undefined;
  /** Newest counter first; the page after the one that ended at `below`. */
  historyOf(lineage: Lineage, page: { readonly below?: number; readonly limit: number }): readonly LicenseRecord[];
  /** In bytewise order of (sub, aud, dep); the page after `after`; of one customer if given. */
  lineages(page: {
    readonly after?: Lineage;
    readonly sub?: string;
    readonly limit: number;
  }): readonly LineageSummary[];
  /** Customers in bytewise order; the page after `after`. */
  customers(page: { readonly after?: string; readonly limit: number }): readonly string[];
  /** Intents without issue or void, oldest first. */
  openIntents(): readonly LicenseRecord[];
  /** The newest issue whose license was released; undefined for none. Reads all intents. */
  lastReleasedIssue(): IssueEntry | undefined;
  /**
   * The last counter that administrative entries skipped for lineages that the ledger does not know, of one customer or
   * of all.
   */
  floorOf(sub: string | undefined): number;
  /** Issues without release, oldest first; those that a restore withholds are left out. */
  unreleased(): readonly LicenseRecord[];
  /**
   * seq of the restore after which this license is never released: it was signed before that restore, and no release is
   * recorded. Another copy of the ledger may have used its counter, which was skipped.
   */
  withheldBy(record: LicenseRecord): number | undefined;
  /**
   * Recomputes everything from the stored bytes, on a connection of its own, streaming.
   * @throws VtlicError `ledger_corrupt` at the first fault, `interrupted` when the signal fires.
   */
  verify(options?: VerifyOptions): Promise<LedgerSummary>;
  close(): void;
}

/** What an intent records, as the caller gives it. */
export type IntentInput = IntentBody;

/** What a start must do before anything new is signed, in this order: void, anchor, release. */
export interface RecoveryPlan {
  /** To void with reason `crash`. */
  readonly voids: readonly LicenseRecord[];
  /** The stored bytes are to be released once the anchor covers them. */
  readonly releases: readonly LicenseRecord[];
  /** The anchor does not cover an entry that is not a release, or will not once the voids are written. */
  readonly anchor: boolean;
}

export interface Ledger extends LedgerView {
  /**
   * Reserves `ctr`, which must be the lineage's last plus one. Durable on return. Returns the intent's entry.
   * @throws VtlicError `ledger_conflict` when the lineage's last counter is another; `internal` when the payload
   *   differs from the intent, or the license id was used before.
   */
  intend(input: IntentInput): IntentEntry;
  /**
   * Records the finished file and appends its leaf.
   * @throws VtlicError `self_check_failed` when the COSE bytes do not contain the intent's payload and kid;
   *   `internal` when the intent is not open.
   */
  issue(intentSeq: number, cose: Uint8Array): IssueEntry;
  /** Spends the counter with no license; `internal` when the intent is not open. */
  void_(intentSeq: number, reason: VoidReason): VoidEntry;
  /**
   * Records a file that is in its place; `internal` unless the license is issued and the anchor covers its leaf.
   */
  release(intentSeq: number, file: { readonly path: string; readonly digest: Uint8Array }): ReleaseEntry;
  clock(confirmed: number, operator: string): ClockEntry;
  /** Begins a new log, whose first leaf binds the record so far. Only for `restored` and `anchor_lost`. */
  openLog(input: Omit<NewLogBody, 'act' | 'logId' | 'origin' | 'restored' | 'salt' | 'leafIndex'>): AdoptEntry;
  /** A license that this record does not know, with its leaf; right after `openLog`. @param skip of that log */
  reenter(cose: Uint8Array, license: ReenteredBody['license'], skip: number): AdoptEntry;
  adopt(body: PlainAct): AdoptEntry;
  closeCounters(body: CloseBody): CloseEntry;
  /**
   * Several appends in one transaction: all of them are durable on return, or none happened.
   * `fn` is synchronous; no group inside a group.
   */
  group<T>(fn: () => T): T;
  /**
   * Checks that the anchor is still the one that this run knows. Called before a counter is reserved, because a prompt
   * may be open for hours.
   * @throws VtlicError `ledger_rolled_back` when a copy of this ledger has moved it
   */
  requireAnchor(): Promise<void>;
  /** The last anchor written or found at opening. */
  readonly anchored: AnchorRecord;
  /** How far the ledger is ahead of it. */
  unanchored(): { readonly entries: number; readonly leaves: number };
  /** Writes the head to the anchor; does nothing when it is there already. */
  anchor(): Promise<AnchorRecord>;
  recoveryPlan(): RecoveryPlan;
}
