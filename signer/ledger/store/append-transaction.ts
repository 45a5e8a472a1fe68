/** The transactions of the one writer: the appends of a group become durable together, or none of them does. */
import type { DatabaseSync } from 'node:sqlite';
import { VtlicError } from '../../../formats/error.ts';
import { isDiskFull, ledgerFault, withLedgerFaults } from './sqlite-faults.ts';

export class AppendTransaction {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #onBegin: () => void;
  #isOpen = false;
  /** An append that failed after it wrote a row: its transaction must not be committed. */
  #failed: { readonly error: unknown } | undefined = undefined;
  /** The current append has written its first row. */
  #isWriting = false;
  /** The outcome of a commit is unknown: this process must not write again. */
  #isLost = false;

  /** @param onBegin runs within each new transaction; if it throws, the transaction ends without an append */
  constructor(db: DatabaseSync, path: string, onBegin: () => void) {
    this.#db = db;
    this.#path = path;
    this.#onBegin = onBegin;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @param fn synchronous; its appends are committed when it returns */
  run<T>(fn: () => T): T {
    if (this.#isOpen) throw new VtlicError('internal', 'a group of appends was begun within a group');
    this.#begin();
    try {
      const result = fn();
      if (result instanceof Promise) throw new VtlicError('internal', 'a group of appends cannot wait for something');
      if (this.#failed !== undefined) throw this.#failed.error;
      this.#commit();
      return result;
    } catch (error) {
      this.#rollBack();
      throw ledgerFault(error, this.#path, 'write');
    } finally {
      this.#isOpen = false;
      this.#failed = undefined;
    }
  }

  /** An append that fails before its first row leaves the group as it was; one that fails later spoils the group. */
  append<T>(fn: () => T): T {
    this.#isWriting = false;
    try {
      return fn();
    } catch (error) {
      const fault = ledgerFault(error, this.#path, 'write');
      if (this.#isWriting) this.#failed ??= { error: fault };
      throw fault;
    }
  }

  /** Called by an append just before it writes its first row. */
  beginWriting(): void {
    this.#isWriting = true;
  }

  /** @throws VtlicError `ledger_unwritable` after a commit or a rollback whose outcome is unknown */
  requireUsable(): void {
    if (this.#isLost) {
      throw new VtlicError(
        'ledger_unwritable',
        'an earlier write failed, and what it left is not known in this run; nothing more was recorded',
        { file: this.#path, hint: 'run it again: the next start tells what the ledger contains' },
      );
    }
  }

  #begin(): void {
    this.requireUsable();
    withLedgerFaults(this.#path, 'open', () => this.#db.exec('BEGIN IMMEDIATE'));
    this.#isOpen = true;
    try {
      this.#onBegin();
    } catch (error) {
      this.#isOpen = false;
      this.#rollBack();
      throw error;
    }
  }

  #commit(): void {
    try {
      this.#db.exec('COMMIT');
    } catch (error) {
      // A full disk took all of it back; after any other fault the next start may still find the entries.
      if (!isDiskFull(error)) this.#isLost = true;
      throw error;
    }
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // The first error is the one to report. Nothing more is written on a connection that cannot roll back.
      this.#isLost = true;
    }
  }
}
