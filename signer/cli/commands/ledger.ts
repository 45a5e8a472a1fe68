/** `vtlic ledger …`: what the record says, proofs of it, copies of it, and what to do when it was lost. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addLedgerAnchor } from './ledger-anchor.ts';
import { addLedgerBackup } from './ledger-backup.ts';
import { addLedgerCheck } from './ledger-check.ts';
import { addLedgerCheckpoint } from './ledger-checkpoint.ts';
import { addLedgerExport } from './ledger-export.ts';
import { addLedgerProve } from './ledger-prove.ts';
import { addLedgerRestore } from './ledger-restore.ts';
import { addLedgerShow } from './ledger-show.ts';
import { addLedgerStatus } from './ledger-status.ts';
import { addLedgerVerify } from './ledger-verify.ts';

export function defineLedger(ledger: Command, io: Io): void {
  addLedgerStatus(ledger, io);
  addLedgerVerify(ledger, io);
  addLedgerShow(ledger, io);
  addLedgerExport(ledger, io);
  addLedgerCheckpoint(ledger, io);
  addLedgerProve(ledger, io);
  addLedgerCheck(ledger, io);
  addLedgerBackup(ledger, io);
  addLedgerAnchor(ledger, io);
  addLedgerRestore(ledger, io);
}
