/**
 * Entries about the ledger itself: a restored ledger continues, or counters are handed over or taken over.
 *
 * An officer confirms each by typed words, and the ledger records it for ever. `admin-body.ts` encodes them, and
 * `counter-rule.ts` says what they do to counters.
 */
import type { Custody } from '../../../keys/private/signing-key.ts';
import type { AnchorPlace, LedgerHead } from '../../anchor/index.ts';
import type { CounterOf, Lineage } from './lineage.ts';

/** `restored`: from a copy, where the anchor says how much is missing. `anchor_lost`: no anchor says it. */
export const NEW_LOG_REASONS = ['restored', 'anchor_lost'] as const;

/**
 * The ledger continues in a new log: a tree of its own under a new origin. Its first leaf binds where the old one
 * ended, and what the anchor had seen.
 */
export interface NewLogBody {
  readonly act: 'log';
  readonly reason: (typeof NEW_LOG_REASONS)[number];
  /** 16 random bytes: the new log's id. */
  readonly logId: Uint8Array;
  readonly origin: string;
  /** Where the anchor is from this entry on. */
  readonly anchor: AnchorPlace;
  /** The record just before this entry. */
  readonly restored: LedgerHead;
  /** Leaves of the old log that were surely anchored, and so belong to every later state of it. */
  readonly covered: number;
  /** The counter bound at that size: what is missing is counted from there. */
  readonly coveredBound: number;
  /** What the anchor contained; absent if it was lost. */
  readonly found?: LedgerHead;
  /** How many counters every lineage skips, also one that was never seen. */
  readonly skip: number;
  /** The highest counter among the licenses entered again; 0 for none. */
  readonly highest: number;
  /** The lost part of the ledger contained an export: all counters are closed until an act opens them. */
  readonly closed: boolean;
  /**
   * No root key of this site signs a version of the keyset up to this one: the highest that the copy or the anchor
   * knew, or that the officer named where the anchor was lost. Absent for none.
   */
  readonly keysetVersion?: number;
  readonly operator: string;
  readonly salt: Uint8Array;
  /** 0. */
  readonly leafIndex: number;
}

/** A released license that the restored record does not know. It comes after its `log` entry, and has a leaf. */
export interface ReenteredBody {
  readonly act: 'license';
  readonly cose: Uint8Array;
  /** Read from `cose`, whose signature was verified when it was entered. */
  readonly license: CounterOf;
  readonly salt: Uint8Array;
  readonly leafIndex: number;
}

/** The anchor is in another place from this entry on; it was read back there. */
export interface MovedAnchorBody {
  readonly act: 'anchor';
  readonly anchor: AnchorPlace;
  readonly operator: string;
}

/** Counters of another ledger, taken over. Each of its lineages follows in an entry of its own. */
export interface ImportBody {
  readonly act: 'import';
  /** SHA-256 of the signed document; each is taken once. */
  readonly document: Uint8Array;
  /** Key that signed it, 64 hex digits. */
  readonly kid: string;
  /** The ledger that it comes from, 16 bytes. */
  readonly ledgerId: Uint8Array;
  /** The head of that ledger when it made the document; absent in entries of version 0.1.0. */
  readonly from?: DocumentPosition;
  /** SHA-256 of the documents by which that ledger got the counters, one after the other. */
  readonly taken?: Uint8Array;
  /** The one customer that it is for; absent: all customers. */
  readonly sub?: string;
  /** Every lineage in it continues above this counter. */
  readonly floor: number;
  /** The highest counter in it, `floor` included. */
  readonly highest: number;
  readonly operator: string;
}

/** Orders the documents of one ledger: the bound rises with every entry that changes counters, also after a restore. */
export interface DocumentPosition {
  readonly entries: number;
  readonly bound: number;
}

export interface ImportedCounterBody extends Lineage {
  readonly act: 'counter';
  readonly ctr: number;
  /** SHA-256 of the payload of the license with the highest counter that has one. */
  readonly payloadDigest?: Uint8Array;
}

/** What was handed over is taken back, or was not handed over though a restore closed it: this ledger issues again. */
export interface ReopenBody {
  readonly act: 'reopen';
  /** seq of the entry that closed it. */
  readonly closedBy: number;
  /** The one customer; absent: everybody but those handed over by name. */
  readonly sub?: string;
  readonly operator: string;
}

/**
 * A root key is about to sign a version of the keyset. Recorded and anchored before the key signs, so that this ledger
 * knows of every keyset that a root of its site may have signed.
 */
export interface KeysetSigningBody {
  readonly act: 'keyset-signing';
  /** The root key, 64 hex digits. */
  readonly kid: string;
  readonly version: number;
  /** SHA-256 of the keyset's payload. */
  readonly payloadDigest: Uint8Array;
  readonly custody: Custody;
  readonly operator: string;
}

/** A version of the keyset that counts from here on: published here, or taken over from a published chain. */
export interface PublishedKeysetBody {
  readonly act: 'keyset';
  readonly version: number;
  /** SHA-256 of the keyset's payload. */
  readonly payloadDigest: Uint8Array;
  /** The whole `COSE_Sign`, tag included, so that the chain can be written out again. */
  readonly document: Uint8Array;
  /** Why a step was published too early, or in an emergency: a sentence for each; empty for none. */
  readonly reasons: readonly string[];
  readonly operator: string;
}

export type AdoptBody =
  | NewLogBody
  | ReenteredBody
  | MovedAnchorBody
  | ImportBody
  | ImportedCounterBody
  | ReopenBody
  | KeysetSigningBody
  | PublishedKeysetBody;

/** Acts that are recorded as they are given; a new log and a license entered again have leaves. */
export type PlainAct = Exclude<AdoptBody, NewLogBody | ReenteredBody>;

/** Counters were handed over by a signed document: this ledger no longer issues for its customers. */
export interface CloseBody {
  /** The one customer; absent: everybody, also those never seen. */
  readonly sub?: string;
  /** The signed document, whole, so that it can be written out again. */
  readonly document: Uint8Array;
  readonly operator: string;
}
