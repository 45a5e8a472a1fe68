/** What the ledger records: the closed list of entries and the shape of each body. Bytes: `entry-body.ts`. */
import type { Custody } from '../../../keys/private/signing-key.ts';
import type { AdoptBody, CloseBody } from './admin-entry.ts';
import type { CounterOf } from './lineage.ts';
import type { AnchorPlace } from '../../anchor/index.ts';

/** Why a reserved counter has no license. */
export type VoidReason =
  'crash' | 'signing_failed' | 'signing_unknown' | 'self_check_failed' | 'interrupted' | 'restored';

export const VOID_REASONS: readonly VoidReason[] = Object.freeze([
  'crash',
  'signing_failed',
  'signing_unknown',
  'self_check_failed',
  'interrupted',
  // A restored copy does not say what happened to it: a license with this counter may have been released.
  'restored',
]);

/** The first entry, and the only one of its kind. */
export interface GenesisBody {
  /** Version of the record's own rules (chain, bodies, leaves); 1. */
  readonly format: 1;
  /** 16 random bytes. */
  readonly ledgerId: Uint8Array;
  readonly iss: string;
  /** The log's name in C2SP checkpoints. */
  readonly origin: string;
  readonly anchor: AnchorPlace;
}

/**
 * A row of a batch is known by these two: what they name is signed once in one record (a license that a restore
 * entered again names no row).
 */
export interface BatchRow {
  /** An id: the batch's name. */
  readonly name: string;
  /** SHA-256 of the row's parsed values, 32 bytes. */
  readonly row: Uint8Array;
}

/** A counter is reserved for exactly these bytes. Written before a key is touched. */
export interface IntentBody extends CounterOf {
  readonly custody: Custody;
  /** Who confirmed, in the officer's own words; may be empty. */
  readonly operator: string;
  /** SHA-256 of the confirmed plan. */
  readonly planDigest: Uint8Array;
  /** SHA-256 of catalog.json as it was read. */
  readonly catalogDigest: Uint8Array;
  /** SHA-256 of site.json as it was read. */
  readonly siteDigest: Uint8Array;
  /** Where the file will go, relative to the site's folder, parts joined by `/`. */
  readonly path: string;
  /** The row that asked for it; absent for a license that was issued or renewed by itself. */
  readonly batch?: BatchRow;
}

/** The finished license, and its place in the tree. */
export interface IssueBody {
  /** seq of the intent that it fulfils. */
  readonly intent: number;
  /** The whole COSE_Sign1, tag included. */
  readonly cose: Uint8Array;
  /** 32 random bytes: keeps a leaf from being guessed. */
  readonly salt: Uint8Array;
  readonly leafIndex: number;
}

/** The counter is spent, and no license has it. */
export interface VoidBody {
  readonly intent: number;
  readonly reason: VoidReason;
  readonly salt: Uint8Array;
  readonly leafIndex: number;
}

/** The file is in its place and durable. The first one counts; later ones say that it was written out again. */
export interface ReleaseBody {
  readonly intent: number;
  readonly path: string;
  /** SHA-256 of the armored file. */
  readonly fileDigest: Uint8Array;
}

/** The officer confirmed the signer's clock. */
export interface ClockBody {
  /** What the machine's clock read, in seconds. */
  readonly reading: number;
  /** The time that the officer gave, in seconds. */
  readonly confirmed: number;
  readonly operator: string;
}

interface EntryOf<K extends string, B> {
  /** From 1, without a gap. */
  readonly seq: number;
  readonly kind: K;
  /** Seconds, by the clock of the machine that wrote it. */
  readonly at: number;
  readonly body: B;
  /** 32 bytes: the hash chain up to and with this entry. */
  readonly chain: Uint8Array;
}

export type GenesisEntry = EntryOf<'genesis', GenesisBody>;
export type IntentEntry = EntryOf<'intent', IntentBody>;
export type IssueEntry = EntryOf<'issue', IssueBody>;
export type VoidEntry = EntryOf<'void', VoidBody>;
export type ReleaseEntry = EntryOf<'release', ReleaseBody>;
export type ClockEntry = EntryOf<'clock', ClockBody>;
export type AdoptEntry = EntryOf<'adopt', AdoptBody>;
export type CloseEntry = EntryOf<'close', CloseBody>;
export type Entry =
  GenesisEntry | IntentEntry | IssueEntry | VoidEntry | ReleaseEntry | ClockEntry | AdoptEntry | CloseEntry;
export type EntryKind = Entry['kind'];

export const ENTRY_KINDS: readonly EntryKind[] = Object.freeze([
  'genesis',
  'intent',
  'issue',
  'void',
  'release',
  'clock',
  'adopt',
  'close',
]);
