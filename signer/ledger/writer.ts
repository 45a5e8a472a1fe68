/** The one writer of a ledger, on a connection that is already opened, checked and locked (`open.ts`). */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_TIME } from '../../formats/license/bounds.ts';
import { adminRowOf, counterRowOf } from './store/admin-rows.ts';
import type { CloseBody, NewLogBody, PlainAct, ReenteredBody } from './entries/admin-entry.ts';
import {
  anchorChanged,
  type AnchorRecord,
  type AnchorStore,
  NONCE_BYTES,
  requireUnchangedAnchor,
} from '../anchor/index.ts';
import { chainValue } from './entries/chain.ts';
import { coseFault, payloadFault } from './entries/check-intent.ts';
import { type Bodies, LEDGER_ID_BYTES, makeBody, SALT_BYTES } from './entries/entry-body.ts';
import type {
  AdoptEntry,
  ClockEntry,
  CloseEntry,
  Entry,
  EntryKind,
  IntentBody,
  IntentEntry,
  IssueEntry,
  ReleaseEntry,
  VoidEntry,
  VoidReason,
} from './entries/entry.ts';
import { issueLeaf, newLogLeaf, reenteredLeaf, voidLeaf } from './tree/leaf.ts';
import type { IntentInput, Ledger, RecoveryPlan } from './ledger.ts';
import { lineageText } from './entries/lineage.ts';
import type { LedgerLock } from './store/lock.ts';
import { completedBy, leafHash } from './tree/merkle.ts';
import { logOrigin } from './tree/log-key.ts';
import { LedgerReader } from './reader.ts';
import { AppendTransaction } from './store/append-transaction.ts';
import type { LogRow } from './store/rows.ts';

export interface WriterParts {
  readonly db: DatabaseSync;
  readonly path: string;
  readonly lock: LedgerLock;
  readonly anchorStore: AnchorStore;
  /** All that the anchor was found to contain, and the newest of it. */
  readonly known: readonly AnchorRecord[];
  readonly anchored: AnchorRecord;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/** The end of the record. */
interface Tip {
  readonly seq: number;
  readonly at: number;
  readonly chain: Uint8Array;
  /** The log that grows, and its number of leaves. */
  readonly log: LogRow;
  readonly size: number;
}

export class LedgerWriter extends LedgerReader implements Ledger {
  readonly #parts: WriterParts;
  #anchored: AnchorRecord;
  #known: readonly AnchorRecord[];
  #tip: Tip;
  readonly #transaction: AppendTransaction;

  constructor(parts: WriterParts) {
    super(parts.db, parts.path);
    this.#parts = parts;
    this.#transaction = new AppendTransaction(parts.db, parts.path, () => this.#requireOwnTip());
    this.#anchored = parts.anchored;
    this.#known = parts.known;
    const head = this.head();
    this.#tip = {
      seq: head.entries,
      at: this.lastAt(),
      chain: head.chain,
      log: this.tables.lastLog(),
      size: head.size,
    };
  }

  get anchored(): AnchorRecord {
    return this.#anchored;
  }

  unanchored(): { readonly entries: number; readonly leaves: number } {
    const { log, size } = this.#tip;
    return Object.freeze({
      entries: this.#tip.seq - this.#anchored.entries,
      leaves: equalBytes(log.logId, this.#anchored.logId) ? size - this.#anchored.size : size,
    });
  }

  group<T>(fn: () => T): T {
    const before = this.#tip;
    try {
      return this.#transaction.run(fn);
    } catch (error) {
      this.#tip = before;
      throw error;
    }
  }

  intend(input: IntentInput): IntentEntry {
    return this.#append(() => {
      const fault = payloadFault(this.genesis.iss, input);
      if (fault !== undefined)
        throw new VtlicError('internal', `an intent was to be recorded that contradicts itself: ${fault}`);
      this.requireOpen(input);
      const last = this.tables.lastCounter(input);
      if (input.ctr !== last + 1) {
        throw new VtlicError(
          'ledger_conflict',
          `the last counter of ${lineageText(input)} is ${last}, so the next is ${last + 1}, but ${input.ctr} ` +
            'was planned; nothing was recorded',
          { hint: 'plan it again' },
        );
      }
      if (this.tables.intentByLicenseId(input.licenseId) !== undefined)
        throw new VtlicError('internal', 'a license id was to be used twice');
      const entry = this.#write('intent', input);
      this.tables.insertIntent(entry.seq, input, input.ctr, input.licenseId);
      return entry;
    });
  }

  issue(intentSeq: number, cose: Uint8Array): IssueEntry {
    return this.#append(() => {
      const intent = this.#openIntent(intentSeq);
      const fault = coseFault(intent, cose);
      if (fault !== undefined)
        throw new VtlicError(
          'self_check_failed',
          `the finished license is not what was intended: ${fault}; it was not recorded`,
        );
      const entry = this.#write('issue', {
        intent: intentSeq,
        cose,
        salt: this.#parts.random(SALT_BYTES),
        leafIndex: this.#tip.size,
      });
      this.#addLeaf(entry.seq, issueLeaf(intent, entry.body));
      this.tables.setIssue(intentSeq, entry.seq);
      return entry;
    });
  }

  void_(intentSeq: number, reason: VoidReason): VoidEntry {
    return this.#append(() => {
      const intent = this.#openIntent(intentSeq);
      const entry = this.#write('void', {
        intent: intentSeq,
        reason,
        salt: this.#parts.random(SALT_BYTES),
        leafIndex: this.#tip.size,
      });
      this.#addLeaf(entry.seq, voidLeaf(intent, entry.body));
      this.tables.setVoid(intentSeq, entry.seq);
      return entry;
    });
  }

  release(intentSeq: number, file: { readonly path: string; readonly digest: Uint8Array }): ReleaseEntry {
    return this.#append(() => {
      const { issue, release } = this.read(() => this.tables.intent(intentSeq)) ?? {};
      if (issue === undefined) throw new VtlicError('internal', `entry ${intentSeq} has no license to release`);
      const { log } = this.#tip;
      if (release === undefined && log.number > 1 && issue < log.entry)
        throw new VtlicError('internal', 'a license was to be released that never leaves, after a restore');
      if (issue > this.#anchored.entries)
        throw new VtlicError('internal', 'a license was to be released that the anchor does not cover yet');
      const entry = this.#write('release', { intent: intentSeq, path: file.path, fileDigest: file.digest });
      this.tables.setRelease(intentSeq, entry.seq);
      return entry;
    });
  }

  clock(confirmed: number, operator: string): ClockEntry {
    return this.#append(() => {
      const reading = this.#parts.now();
      const entry = this.#write('clock', { reading, confirmed, operator }, reading);
      this.tables.insertClock(entry.seq);
      return entry;
    });
  }

  openLog(input: Omit<NewLogBody, 'act' | 'logId' | 'origin' | 'restored' | 'salt' | 'leafIndex'>): AdoptEntry {
    return this.#append(() => {
      const logId = this.#parts.random(LEDGER_ID_BYTES);
      const restored = this.head();
      const origin = logOrigin(this.genesis.iss, logId);
      const entry = this.#write('adopt', {
        act: 'log',
        ...input,
        logId,
        origin,
        restored,
        salt: this.#parts.random(SALT_BYTES),
        leafIndex: 0,
      });
      if (entry.body.act !== 'log') throw new VtlicError('internal', 'an act was recorded as another');
      const { leaves, nodes } = this.tables.sizes();
      const log: LogRow = {
        number: this.#tip.log.number + 1,
        entry: entry.seq,
        logId,
        firstLeaf: leaves,
        firstNode: nodes,
      };
      this.tables.insertLog(log);
      this.#tip = { ...this.#tip, log, size: 0 };
      this.#addLeaf(entry.seq, newLogLeaf(entry.body));
      return this.#recordAdmin(entry);
    });
  }

  reenter(cose: Uint8Array, license: ReenteredBody['license'], skip: number): AdoptEntry {
    return this.#append(() => {
      const entry = this.#write('adopt', {
        act: 'license',
        cose,
        license,
        salt: this.#parts.random(SALT_BYTES),
        leafIndex: this.#tip.size,
      });
      if (entry.body.act !== 'license') throw new VtlicError('internal', 'an act was recorded as another');
      this.#addLeaf(entry.seq, reenteredLeaf(entry.body));
      return this.#recordAdmin(entry, skip);
    });
  }

  adopt(body: PlainAct): AdoptEntry {
    return this.#append(() => this.#recordAdmin(this.#write('adopt', body)));
  }

  closeCounters(body: CloseBody): CloseEntry {
    return this.#append(() => this.#recordAdmin(this.#write('close', body)));
  }

  async anchor(): Promise<AnchorRecord> {
    if (this.#transaction.isOpen)
      throw new VtlicError('internal', 'the ledger was to be anchored within a group of appends');
    this.#transaction.requireUsable();
    const record: AnchorRecord = Object.freeze({ ledgerId: this.genesis.ledgerId, ...this.head() });
    if (record.entries === this.#anchored.entries) return this.#anchored;
    const { anchorStore, random } = this.#parts;
    if (!(await anchorStore.replace({ known: this.#known, next: record, nonce: random(NONCE_BYTES) })))
      throw await anchorChanged(anchorStore, this.path);
    this.#known = [record];
    if (record.entries > this.#anchored.entries) this.#anchored = record;
    return this.#anchored;
  }

  requireAnchor(): Promise<void> {
    return requireUnchangedAnchor(this.#parts.anchorStore, this.#known, this.path);
  }

  recoveryPlan(): RecoveryPlan {
    const voids = this.openIntents();
    const releases = this.unreleased();
    return Object.freeze({ voids, releases, anchor: voids.length > 0 || this.#isBehind() });
  }

  /**
   * That files were released needs no anchor: they would be found. An anchor in a token is worn by each change, so
   * that a start makes none for it.
   */
  #isBehind(): boolean {
    for (const entry of this.entriesFrom(this.#anchored.entries + 1)) if (entry.kind !== 'release') return true;
    return false;
  }

  override close(): void {
    super.close();
    this.#parts.lock.release();
  }

  /** Appends in the caller's group, or in a transaction of its own. */
  #append<T>(fn: () => T): T {
    return this.#transaction.isOpen ? this.#transaction.append(fn) : this.group(() => this.#transaction.append(fn));
  }

  /**
   * @param at clamped to the previous entry's time if left out, so that setting the clock back during a run cannot move
   *   the ledger's time backwards
   */
  #write<K extends EntryKind>(
    kind: K,
    body: Bodies[K],
    at: number = Math.max(this.#parts.now(), this.#tip.at),
  ): Extract<Entry, { readonly kind: K }> {
    if (!Number.isSafeInteger(at) || at < 0 || at > MAX_TIME)
      throw new VtlicError('internal', `an entry was to be recorded at the time ${at}`);
    const { bytes, body: recorded } = makeBody(kind, body);
    const seq = this.#tip.seq + 1;
    const chain = chainValue(this.#tip.chain, seq, kind, at, bytes);
    this.#transaction.beginWriting();
    this.tables.insertEntry({ seq, kind, at, body: bytes, chain });
    this.#tip = { ...this.#tip, seq, at, chain };
    return Object.freeze({ seq, kind, at, body: recorded, chain }) as unknown as Extract<Entry, { readonly kind: K }>;
  }

  #addLeaf(seq: number, data: Uint8Array): void {
    const { log, size } = this.#tip;
    this.tables.insertLeaf(log, size, seq, completedBy(size, leafHash(data), this.tables.nodesOf(log)));
    this.#tip = { ...this.#tip, size: size + 1 };
  }

  #recordAdmin<E extends AdoptEntry | CloseEntry>(entry: E, skip = 0): E {
    const act = adminRowOf(entry);
    if (act !== undefined) this.tables.insertAdminRow(act);
    const counter = counterRowOf(entry, skip);
    if (counter !== undefined) this.tables.insertCounter(counter.seq, counter, counter.ctr, counter.licenseId);
    return entry;
  }

  #openIntent(seq: number): IntentBody {
    const record = this.findByIntent(seq);
    if (record?.state !== 'open')
      throw new VtlicError(
        'internal',
        `entry ${seq} is not an open intent: ${record === undefined ? 'there is none' : `it is ${record.state}`}`,
      );
    return record.intent.body;
  }

  /** Only this writer may append while it holds the lock; this notices another program that wrote nevertheless. */
  #requireOwnTip(): void {
    const last = this.tables.lastEntry();
    if (last?.seq !== this.#tip.seq || !equalBytes(last.chain, this.#tip.chain)) {
      throw new VtlicError(
        'ledger_conflict',
        'another program wrote to the ledger while this one had it locked; nothing more was recorded',
        { file: this.path, hint: 'find out which program it was before anything is signed again' },
      );
    }
  }
}
