/**
 * A ledger that is being made ready under another name: nobody else knows it, and its anchor is written when it is
 * finished.
 */
import { resolve } from 'node:path';
import type { AnchorRecord, AnchorStore } from '../anchor/index.ts';
import type { Ledger } from './ledger.ts';
import { openForWriting } from './store/open-database.ts';
import { ledgerFault } from './store/sqlite-faults.ts';
import { LedgerReader } from './reader.ts';
import { LedgerWriter } from './writer.ts';

export interface DraftOptions {
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly anchorStore: AnchorStore;
  readonly anchored: AnchorRecord | undefined;
}

/** Closed on return, so that all of it lies in the one file. */
export function withDraft<T>(path: string, options: DraftOptions, use: (writer: Ledger) => T): T {
  const file = resolve(path);
  const db = openForWriting(file);
  try {
    const view = new LedgerReader(db, file);
    const anchored = options.anchored ?? { ledgerId: view.genesis.ledgerId, ...view.head() };
    return use(new LedgerWriter({ ...options, db, path: file, lock: { release: () => undefined }, anchored }));
  } catch (error) {
    throw ledgerFault(error, file, 'write');
  } finally {
    if (db.isOpen) db.close();
  }
}
