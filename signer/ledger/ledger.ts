/**
 * The ledger as the rest of the signer sees it. Opened by `open.ts`:
 * `LedgerView` reads, also beside a writer; `Ledger` is the one writer.
 */
import type { AnchorRecord, LedgerHead } from './anchor.ts';
import type { ClockEntry, Entry, GenesisBody, IntentBody, IntentEntry, IssueEntry, ReleaseEntry, VoidEntry, VoidReason } from './entry.ts';
import type { Lineage } from './lineage.ts';

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
  /** The highest counter ever reserved, void ones too; the next is one more. */
  readonly ctr: number;
  /** The record of that counter. */
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

/** `total` is the number of entries when the check began. */
export type Progress = (done: number, total: number) => void;

export interface VerifyOptions {
  /** Called now and then, and once at the end. */
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** What a full recomputation found; every number is counted from the entries themselves. */
export interface LedgerSummary {
  readonly head: LedgerHead;
  readonly lineages: number;
  readonly intents: number;
  readonly issued: number;
  readonly voided: number;
  readonly released: number;
  readonly open: number;
}

export interface LedgerView {
  readonly path: string;
  readonly genesis: GenesisBody;
  head(): LedgerHead;
  /** Tree root over the first `size` leaves; undefined beyond the ledger's own size. */
  rootAt(size: number): Uint8Array | undefined;
  /** undefined where there is no such entry. */
  entry(seq: number): Entry | undefined;
  /** All entries from `seq` on, read in pages; ends at what was the last entry when it got there. */
  entriesFrom(seq: number): IterableIterator<Entry>;
  /** `at` of the last entry. */
  lastAt(): number;
  lastClock(): ClockEntry | undefined;
  /** undefined for a lineage that never had an intent. */
  lastOfLineage(lineage: Lineage): LineageState | undefined;
  /** By the 16 bytes of the license id. */
  findByLicenseId(licenseId: Uint8Array): LicenseRecord | undefined;
  /** By the intent's seq. */
  findByIntent(seq: number): LicenseRecord | undefined;
  /** Newest counter first; the page after the one that ended at `below`. */
  historyOf(lineage: Lineage, page: { readonly below?: number; readonly limit: number }): readonly LicenseRecord[];
  /** In bytewise order of (sub, aud, dep); the page after `after`; of one customer if given. */
  lineages(page: { readonly after?: Lineage; readonly sub?: string; readonly limit: number }): readonly LineageSummary[];
  /** Customers in bytewise order; the page after `after`. */
  customers(page: { readonly after?: string; readonly limit: number }): readonly string[];
  /** Intents without issue or void, oldest first. */
  openIntents(): readonly LicenseRecord[];
  /** Issues without release, oldest first. */
  unreleased(): readonly LicenseRecord[];
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
  /** The anchor lies behind, or will once the voids are written. */
  readonly anchor: boolean;
}

export interface Ledger extends LedgerView {
  /**
   * Reserves `ctr`, which must be the lineage's last plus one. Durable on return. Returns the intent's entry.
   * @throws VtlicError `ledger_conflict` when the lineage's last counter is another; `internal` when the payload
   *   says otherwise than the intent, or the license id was used before.
   */
  intend(input: IntentInput): IntentEntry;
  /**
   * Records the finished file and appends its leaf.
   * @throws VtlicError `self_check_failed` when the COSE bytes do not hold the intent's payload and kid;
   *   `internal` when the intent is not open.
   */
  issue(intentSeq: number, cose: Uint8Array): IssueEntry;
  /** Spends the counter with no license; `internal` when the intent is not open. */
  void_(intentSeq: number, reason: VoidReason): VoidEntry;
  /** Records a file that stands in its place; `internal` unless the license is issued and the anchor covers its leaf. */
  release(intentSeq: number, file: { readonly path: string; readonly digest: Uint8Array }): ReleaseEntry;
  clock(confirmed: number, operator: string): ClockEntry;
  /**
   * Several appends in one transaction: all of them are durable on return, or none happened.
   * `fn` is synchronous; no group inside a group.
   */
  group<T>(fn: () => T): T;
  /** The last anchor written or found at opening. */
  readonly anchored: AnchorRecord;
  /** How far the ledger is ahead of it. */
  unanchored(): { readonly entries: number; readonly leaves: number };
  /** Writes the head to the anchor; does nothing when it stands there already. */
  anchor(): Promise<AnchorRecord>;
  recoveryPlan(): RecoveryPlan;
}
