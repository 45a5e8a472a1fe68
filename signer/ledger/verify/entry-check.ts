/**
 * Checks all entries of a ledger in their order: one part of a full check (`verify.ts`).
 *
 * A cursor of its own reads each derived table along with the entries, in the order in which its rows were made. So
 * memory use stays flat: the check keeps only intents without an outcome and licenses without a release.
 */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '../../../formats/bytes.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import type { LedgerHead } from '../../anchor/index.ts';
import { CHAIN_START, checkChain } from '../entries/chain.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { coseFault, payloadFault } from '../entries/check-intent.ts';
import {
  decodeEntry,
  blob,
  ENTRY_COLUMNS,
  entryRow,
  type EntryRow,
  integer,
  INTENT_COLUMNS,
  intentRow,
  type IntentRow,
} from '../store/rows.ts';
import { type Cursor, tableCursor, wrongIndex } from './verify-cursor.ts';
import type {
  AdoptEntry,
  Entry,
  IntentBody,
  IntentEntry,
  IssueEntry,
  ReleaseEntry,
  VoidEntry,
} from '../entries/entry.ts';
import { issueLeaf, newLogLeaf, reenteredLeaf, voidLeaf } from '../tree/leaf.ts';
import { lineageText, sameLineage } from '../entries/lineage.ts';
import { completeSubtrees, leafHash, TreeBuilder } from '../tree/merkle.ts';
import { logOrigin } from '../tree/log-key.ts';
import { Tables } from '../store/tables.ts';
import { AdminCheck } from './verify-admin.ts';
import { checkCounters } from './verify-counters.ts';

/** What the pass found; every number is counted from the entries themselves. */
export interface EntrySummary {
  readonly head: LedgerHead;
  readonly logs: number;
  readonly lineages: number;
  readonly intents: number;
  readonly issued: number;
  /** Licenses that a restored ledger was given back. */
  readonly reentered: number;
  readonly voided: number;
  readonly released: number;
  readonly open: number;
}

/** An intent for which an issue, a void or a release may still follow. */
interface Pending {
  readonly row: IntentRow;
  readonly body: IntentBody;
  issued: boolean;
}

export class EntryCheck {
  readonly #db: DatabaseSync;
  readonly #tables: Tables;
  readonly #entries: Cursor<EntryRow>;
  readonly #intents: Cursor<IntentRow>;
  readonly #leaves: Cursor<{ readonly index: number; readonly entry: number }>;
  readonly #nodes: Cursor<{ readonly position: number; readonly hash: Uint8Array }>;
  readonly #clocks: Cursor<number>;
  readonly #acts: AdminCheck;
  readonly #pending: Map<number, Pending> = new Map();
  #tree: TreeBuilder = new TreeBuilder();
  /** The number of leaves in the logs before the current one. */
  #firstLeaf = 0;
  #nodeCount = 0;
  #nodesSeen = 0;
  #iss = '';
  #seq = 0;
  #chain: Uint8Array = CHAIN_START;
  #intended = 0;
  #issued = 0;
  #voided = 0;
  #released = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#tables = new Tables(db);
    this.#entries = tableCursor(db, ENTRY_COLUMNS, 'entry', entryRow);
    this.#intents = tableCursor(db, INTENT_COLUMNS, 'intent', intentRow);
    this.#leaves = tableCursor(db, 'leaf_index, entry', 'leaf', (row) => ({
      index: integer(row[0]),
      entry: integer(row[1]),
    }));
    this.#nodes = tableCursor(db, 'position, hash', 'node', (row) => ({
      position: integer(row[0]),
      hash: blob(row[1], 32),
    }));
    this.#acts = new AdminCheck(db);
    this.#clocks = tableCursor(db, 'seq', 'clock', (row) => integer(row[0]));
  }

  /** Checks up to `limit` entries; fewer means that there are no more. */
  entries(limit: number): number {
    for (let done = 0; done < limit; done++) {
      const row = this.#entries.next();
      if (row === undefined) return done;
      this.#entry(row);
    }
    return limit;
  }

  /** The seq of the last entry that was checked. */
  get seq(): number {
    return this.#seq;
  }

  finish(): EntrySummary {
    if (this.#seq === 0) throw ledgerCorrupt('it has no entries');
    for (const { row, issued } of this.#pending.values()) {
      if (row.release !== undefined || row.void !== undefined || (row.issue !== undefined && !issued))
        throw wrongIndex(row.seq, 'names an entry that does not exist');
    }
    this.#requireEnd(this.#intents, 'intent');
    this.#requireEnd(this.#leaves, 'leaf');
    this.#requireEnd(this.#nodes, 'node');
    this.#requireEnd(this.#clocks, 'clock');
    this.#acts.finish();
    this.#requireSizes();
    const lineages = checkCounters(this.#db, this.#tables);
    let open = 0;
    for (const { issued } of this.#pending.values()) if (!issued) open++;
    const { logs, reentered } = this.#acts;
    return Object.freeze({
      head: this.#head(),
      logs,
      lineages,
      intents: this.#intended,
      issued: this.#issued,
      reentered,
      voided: this.#voided,
      released: this.#released,
      open,
    });
  }

  #entry(row: EntryRow): void {
    if (row.seq !== this.#seq + 1) throw ledgerCorrupt(`entry ${this.#seq + 1} is missing`);
    checkChain(this.#chain, row);
    const entry = decodeEntry(row);
    const before = entry.kind === 'adopt' && entry.body.act === 'log' ? this.#head() : undefined;
    this.#seq = row.seq;
    this.#chain = row.chain;
    if ((entry.kind === 'genesis') !== (entry.seq === 1))
      throw ledgerCorrupt(`entry ${entry.seq}: only the first entry may be a genesis entry`);
    this.#follow(entry, before);
  }

  #head(): LedgerHead {
    const { logId, boundIncrease, closes, keysetMark } = this.#acts;
    return Object.freeze({
      entries: this.#seq,
      logId,
      size: this.#tree.size,
      root: this.#tree.root(),
      counterBound: this.#firstLeaf + this.#tree.size + boundIncrease,
      closes,
      chain: this.#chain,
      ...keysetMark,
    });
  }

  #follow(entry: Entry, before: LedgerHead | undefined): void {
    if (entry.kind !== 'adopt') this.#acts.interrupt();
    switch (entry.kind) {
      case 'genesis':
        this.#iss = entry.body.iss;
        this.#acts.genesis(entry.body);
        if (entry.body.origin !== logOrigin(entry.body.iss, entry.body.ledgerId))
          throw ledgerCorrupt("entry 1 (genesis): the log's origin does not follow from its issuer and id");
        return;
      case 'intent':
        return this.#intent(entry);
      case 'issue':
        return this.#issue(entry);
      case 'void':
        return this.#void(entry);
      case 'release':
        return this.#release(entry);
      case 'clock':
        if (this.#clocks.next() !== entry.seq) throw wrongIndex(entry.seq, 'does not match the entry');
        return;
      case 'close':
        return this.#acts.close(entry);
      case 'adopt':
        return this.#adopt(entry, before);
    }
  }

  #adopt(entry: AdoptEntry, before: LedgerHead | undefined): void {
    const { seq, body } = entry;
    if (before !== undefined) {
      this.#firstLeaf += this.#tree.size;
      this.#nodeCount += completeSubtrees(this.#tree.size);
      this.#tree = new TreeBuilder();
    }
    this.#acts.adopt(entry, { iss: this.#iss, before, firstLeaf: this.#firstLeaf, firstNode: this.#nodeCount });
    if (body.act === 'log') this.#leaf(seq, body.leafIndex, newLogLeaf(body));
    if (body.act === 'license') {
      if (decodeLicense(body.license.payload).iss !== this.#iss)
        throw ledgerCorrupt(`entry ${seq} (adopt): the license has another issuer than the ledger`);
      this.#leaf(seq, body.leafIndex, reenteredLeaf(body));
    }
  }

  #intent({ seq, body }: IntentEntry): void {
    const fault = payloadFault(this.#iss, body);
    if (fault !== undefined) throw ledgerCorrupt(`entry ${seq} (intent): ${fault}`);
    if (this.#acts.isClosed(body.sub))
      throw ledgerCorrupt(`entry ${seq} (intent): the counters of ${lineageText(body)} had been handed over`);
    const row = this.#intents.next();
    if (
      row?.seq !== seq ||
      !sameLineage(row, body) ||
      row.ctr !== body.ctr ||
      !equalBytes(row.licenseId, body.licenseId)
    )
      throw wrongIndex(seq, 'does not match the entry');
    this.#pending.set(seq, { row, body, issued: false });
    this.#intended++;
  }

  #issue({ seq, body }: IssueEntry): void {
    const pending = this.#open(seq, body.intent);
    const fault = coseFault(pending.body, body.cose);
    if (fault !== undefined) throw ledgerCorrupt(`entry ${seq} (issue): ${fault}`);
    if (pending.row.issue !== seq) throw wrongIndex(body.intent, 'names another issue');
    this.#leaf(seq, body.leafIndex, issueLeaf(pending.body, body));
    pending.issued = true;
    this.#issued++;
  }

  #void({ seq, body }: VoidEntry): void {
    const pending = this.#open(seq, body.intent);
    const { row } = pending;
    if (row.void !== seq || row.issue !== undefined || row.release !== undefined)
      throw wrongIndex(body.intent, 'does not match the entry');
    this.#leaf(seq, body.leafIndex, voidLeaf(pending.body, body));
    this.#pending.delete(body.intent);
    this.#voided++;
  }

  #release({ seq, body }: ReleaseEntry): void {
    const pending = this.#pending.get(body.intent);
    if (pending === undefined) {
      // The file was written out again. The row was compared with the first release when that entry was checked.
      const first = body.intent < seq ? this.#tables.intent(body.intent)?.release : undefined;
      if (first === undefined || first >= seq)
        throw ledgerCorrupt(`entry ${seq} (release): entry ${body.intent} is not an issued license`);
      return;
    }
    if (!pending.issued)
      throw ledgerCorrupt(`entry ${seq} (release): the license of entry ${body.intent} was not issued`);
    if (pending.row.release !== seq || pending.row.void !== undefined)
      throw wrongIndex(body.intent, 'names another release');
    this.#pending.delete(body.intent);
    this.#released++;
  }

  #open(seq: number, intent: number): Pending {
    const pending = this.#pending.get(intent);
    if (pending === undefined || pending.issued)
      throw ledgerCorrupt(`entry ${seq}: entry ${intent} is not an intent that is still open`);
    return pending;
  }

  #leaf(seq: number, index: number, data: Uint8Array): void {
    if (index !== this.#tree.size)
      throw ledgerCorrupt(`entry ${seq}: its leaf should have the index ${this.#tree.size}, but has ${index}`);
    const row = this.#leaves.next();
    if (row?.index !== this.#firstLeaf + index || row.entry !== seq) throw wrongIndex(seq, 'does not match the entry');
    for (const hash of this.#tree.add(leafHash(data))) {
      const stored = this.#nodes.next();
      if (stored?.position !== this.#nodesSeen++ || !equalBytes(stored.hash, hash))
        throw ledgerCorrupt(`the tree does not match the entries: a stored node over leaf ${index} differs`);
    }
  }

  /**
   * Compares the highest key of each table with its last row, because look-ups of the newest row use the highest key.
   */
  #requireSizes(): void {
    const { entries, leaves, nodes } = this.#tables.sizes();
    if (entries !== this.#seq || leaves !== this.#firstLeaf + this.#tree.size || nodes !== this.#nodesSeen)
      throw ledgerCorrupt('the highest keys of its tables are not those of its last rows');
  }

  #requireEnd(rest: Cursor<unknown>, table: string): void {
    if (rest.next() !== undefined) throw ledgerCorrupt(`the table "${table}" has rows without an entry`);
  }
}
