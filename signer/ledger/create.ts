/** Making a new ledger. */
import { closeSync, openSync, renameSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { isId } from '../../formats/license/id.ts';
import { describeFileError, fsyncFolder } from '../../files/index.ts';
import {
  type AnchorPlace,
  type AnchorRecord,
  type AnchorStore,
  NONCE_BYTES,
  openAnchorStore,
  samePlace,
} from '../anchor/index.ts';
import { CHAIN_START, chainValue } from './entries/chain.ts';
import { LEDGER_ID_BYTES, makeBody } from './entries/entry-body.ts';
import { acquireLock } from './store/lock.ts';
import { EMPTY_ROOT } from './tree/merkle.ts';
import { fileExists, removeDatabase, TIMEOUT_MS } from './store/database-file.ts';
import { openLedgerForReading, type WriterOptions } from './open.ts';
import { logOrigin } from './tree/log-key.ts';
import { createTables } from './store/schema.ts';
import { ledgerFault } from './store/sqlite-faults.ts';
import { Tables } from './store/tables.ts';

export interface CreateOptions extends Omit<WriterOptions, 'holder'> {
  readonly iss: string;
  readonly anchor: AnchorPlace;
}

/**
 * Makes a ledger with its genesis entry and its first anchor, and leaves it closed. It never overwrites an existing
 * ledger, nor the anchor of one.
 *
 * The anchor is written before the ledger gets its name: there is never a ledger that has not been anchored. The next
 * call finishes what an interrupted call left.
 *
 * @throws VtlicError `output_exists` (a ledger exists there), `ledger_missing` (an anchor exists there, of a ledger
 *   that is gone), `configuration_invalid`, `ledger_in_use`, `ledger_unwritable`, `file_unreadable`
 */
export async function createLedger(path: string, options: CreateOptions): Promise<void> {
  const file = resolve(path);
  if (!isId(options.iss))
    throw new VtlicError('configuration_invalid', 'the issuer of a ledger should be an id', { field: 'iss' });
  if (options.anchor.kind === 'file' && !isAbsolute(options.anchor.path))
    throw new VtlicError('configuration_invalid', 'the path of the anchor should be absolute', { field: 'anchor' });
  refuseExisting(file);
  const lock = acquireLock(file, { command: 'vtlic init' }, options.now());
  try {
    refuseExisting(file);
    const draft = `${file}.new`;
    const store = openAnchorStore(options.anchor, options.anchorStore);
    if (!(await isAnchoredDraft(store, draft, options))) {
      removeDatabase(draft);
      const next = writeDraft(draft, options);
      if (!(await store.replace({ known: [], next, nonce: options.random(NONCE_BYTES) })))
        throw standsAlready(store, await store.read());
    }
    try {
      renameSync(draft, file);
      removeDatabase(draft);
      fsyncFolder(dirname(file));
    } catch (error) {
      throw describeFileError(error, 'ledger_unwritable', file);
    }
  } finally {
    lock.release();
  }
}

function refuseExisting(file: string): void {
  if (fileExists(file))
    throw new VtlicError('output_exists', 'a ledger already exists here and is never replaced', {
      file,
      hint: 'use this site as it is, or choose another folder',
    });
}

/**
 * An anchor says that a ledger was here, and none may begin beside it. The one exception: an interrupted call left it
 * together with a finished draft of this very ledger, which only wants its name.
 */
async function isAnchoredDraft(store: AnchorStore, draft: string, options: CreateOptions): Promise<boolean> {
  await store.settle(options.random(NONCE_BYTES));
  const records = await store.read();
  const [record] = records;
  if (record === undefined) return false;
  if (records.length === 1 && record.size === 0 && record.entries === 1 && isDraftOf(record, draft, options))
    return true;
  throw standsAlready(store, records);
}

function standsAlready(store: AnchorStore, [record]: readonly AnchorRecord[]): VtlicError {
  const entries = record?.entries ?? 0;
  return new VtlicError(
    'ledger_missing',
    `${store.description} exists already: it is the anchor of a ledger of ${entries} ` +
      `${entries === 1 ? 'entry' : 'entries'} that is not here; a new ledger would count from 1 again`,
    { hint: 'put that ledger back, or give this one an anchor of its own' },
  );
}

function isDraftOf(record: AnchorRecord, draft: string, options: CreateOptions): boolean {
  if (!fileExists(draft)) return false;
  try {
    const view = openLedgerForReading(draft);
    try {
      const { genesis } = view;
      return (
        equalBytes(view.head().chain, record.chain) &&
        genesis.iss === options.iss &&
        samePlace(genesis.anchor, options.anchor)
      );
    } finally {
      view.close();
    }
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

function writeDraft(draft: string, options: CreateOptions): AnchorRecord {
  const ledgerId = options.random(LEDGER_ID_BYTES);
  const at = options.now();
  const { bytes: body } = makeBody('genesis', {
    format: 1,
    ledgerId,
    iss: options.iss,
    origin: logOrigin(options.iss, ledgerId),
    anchor: options.anchor,
  });
  const chain = chainValue(CHAIN_START, 1, 'genesis', at, body);
  let db: DatabaseSync | undefined;
  try {
    closeSync(openSync(draft, 'wx', 0o600));
    db = new DatabaseSync(draft, { timeout: TIMEOUT_MS });
    createTables(db);
    const tables = new Tables(db);
    tables.insertEntry({ seq: 1, kind: 'genesis', at, body, chain });
    tables.insertLog({ number: 1, entry: 1, logId: ledgerId, firstLeaf: 0, firstNode: 0 });
    // Closing brings everything from the WAL into the one file that gets the name.
    db.close();
  } catch (error) {
    if (db?.isOpen === true) db.close();
    const fault = ledgerFault(error, draft, 'write');
    throw describeFileError(fault, 'ledger_unwritable', draft);
  }
  return Object.freeze({
    ledgerId,
    entries: 1,
    logId: ledgerId,
    size: 0,
    root: EMPTY_ROOT,
    counterBound: 0,
    closes: 0,
    chain,
  });
}
