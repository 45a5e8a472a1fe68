/** Opens ledgers. A ledger is one file; `ledger.lock` and `ledger.holder` are beside it while somebody writes to it. */
import { resolve } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import {
  type AnchorMove,
  type AnchorRecord,
  type AnchorStore,
  type AnchorStoreOpener,
  compareAnchor,
  movedAway,
  NONCE_BYTES,
  openAnchorStore,
} from '../anchor/index.ts';
import { addTotals } from './store/schema.ts';
import { checkTail } from './verify/check-tail.ts';
import type { Holder } from './store/holder.ts';
import type { Ledger, LedgerView } from './ledger.ts';
import { requireLedgerFile, openForWriting, openReadOnly } from './store/database-file.ts';
import { acquireLock, type LedgerLock } from './store/lock.ts';
import { LedgerReader } from './reader.ts';
import { ledgerFault } from './store/sqlite-faults.ts';
import { Tables } from './store/tables.ts';
import { LedgerWriter } from './writer.ts';

export interface WriterOptions {
  /** Whole seconds since 1970. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** Who has the ledger open, for the message to a second writer. */
  readonly holder: Holder;
  /** Opens the place that the genesis entry names; files if left out. */
  readonly anchorStore?: AnchorStoreOpener;
}

/** Both in seconds. */
export interface ClockJump {
  /** The newest time that the ledger knows. */
  readonly from: number;
  readonly to: number;
}

/** What a command decides about the signing run that it opens the ledger for. */
export interface LedgerOpenOptions {
  /** Without `vtlic`, for the name of the lock's holder. */
  readonly command: string;
  /** What the officer says the time is (seconds), if `--confirm-time` was given. */
  readonly confirmTime?: number | undefined;
  /** An officer types that the clock is right, although it is more than a year from the ledger's time. */
  readonly confirmJump?: (jump: ClockJump) => Promise<void>;
  /** Opens the place of the anchor; if left out, only files can be opened. */
  readonly anchorStore?: AnchorStoreOpener;
  /**
   * Throws if another ledger has claimed the key of this run. Called with the ledger's id in hex, before anything of an
   * earlier run is finished or anything is recorded.
   */
  readonly requireOwnKey?: (ledgerId: string) => Promise<void>;
  /** Finishes a move of the anchor that was interrupted; without it, such a ledger is not opened. */
  readonly finishMove?: (move: AnchorMove, ledger: Ledger) => Promise<void>;
}

/**
 * Takes the lock, checks the file, the anchor and the end of the record.
 *
 * @throws VtlicError `ledger_missing`, `ledger_in_use`, `ledger_unwritable`, `ledger_corrupt`, `ledger_version`,
 *   `ledger_rolled_back`;
 *   `file_unreadable` where the place of the anchor cannot be read
 */
export async function openLedgerForWriting(path: string, options: WriterOptions): Promise<Ledger> {
  const file = resolve(path);
  requireLedgerFile(file);
  const lock = acquireLock(file, options.holder, options.now());
  try {
    return await openLocked(file, options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Opens the ledger only for reading, also beside a writer. Does not read the anchor.
 *
 * @throws VtlicError `ledger_missing`, `file_unreadable`, `ledger_corrupt`, `ledger_version`
 */
export function openLedgerForReading(path: string): LedgerView {
  const file = resolve(path);
  requireLedgerFile(file);
  const db = openReadOnly(file);
  try {
    return new LedgerReader(db, file);
  } catch (error) {
    db.close();
    throw error;
  }
}

export interface DraftOptions {
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly anchorStore: AnchorStore;
  readonly anchored: AnchorRecord | undefined;
}

/**
 * Opens a ledger that is being prepared under another name: nobody else knows it, so it has no lock, and its anchor is
 * written when it is finished. It is closed on return, so that the one file contains all of it.
 */
export function withDraft<T>(path: string, options: DraftOptions, use: (writer: Ledger) => T): T {
  const file = resolve(path);
  const db = openForWriting(file);
  try {
    addTotals(db);
    const view = new LedgerReader(db, file);
    const anchored = options.anchored ?? { ledgerId: view.genesis.ledgerId, ...view.head() };
    const lock = { release: () => undefined };
    return use(new LedgerWriter({ ...options, db, path: file, lock, known: [anchored], anchored }));
  } catch (error) {
    throw ledgerFault(error, file, 'write');
  } finally {
    if (db.isOpen) db.close();
  }
}

async function openLocked(file: string, options: WriterOptions, lock: LedgerLock): Promise<Ledger> {
  const db = openForWriting(file);
  try {
    const view = new LedgerReader(db, file);
    const anchorStore = openAnchorStore(view.anchorPlace(), options.anchorStore);
    await anchorStore.settle(options.random(NONCE_BYTES));
    const known = await anchorStore.read();
    const movedBy = known.length > 0 ? undefined : await anchorStore.movedBy();
    // If this ledger has moved it itself, another token is in the place of the one that has it.
    const own = movedBy === undefined ? undefined : view.entry(movedBy.entries)?.chain;
    if (movedBy !== undefined && (own === undefined || !equalBytes(own, movedBy.chain)))
      throw movedAway(anchorStore, file);
    const { anchor: anchored } = compareAnchor(view, known, anchorStore);
    checkTail(new Tables(db), anchored.entries);
    addTotals(db);
    const { now, random } = options;
    return new LedgerWriter({ db, path: file, lock, anchorStore, known, anchored, now, random });
  } catch (error) {
    db.close();
    throw ledgerFault(error, file, 'open');
  }
}
