/** The part of a whole check that follows acts: logs, what was handed over, and what was taken over. */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes, toHex } from '../../../formats/bytes.ts';
import { decodeCoseSign } from '../../../formats/cose-sign.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { armor } from '../../../formats/armor.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeKeyset } from '../../../formats/keyset/decode-keyset.ts';
import { builtInChain, extendChain, type Chain } from '../../../verifier/keyset/index.ts';
import {
  adminRowOf,
  counterRowOf,
  type KeysetMark,
  keysetVersionOf,
  markOf,
  sameAdminRow,
  sameCounter,
} from '../store/admin-rows.ts';
import type {
  AdoptBody,
  DocumentPosition,
  ImportBody,
  NewLogBody,
  PublishedKeysetBody,
} from '../entries/admin-entry.ts';
import type { LedgerHead } from '../../anchor/index.ts';
import { sha256 } from '../entries/chain.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import type { AdoptEntry, CloseEntry, GenesisBody } from '../entries/entry.ts';
import { IssuingRights } from '../entries/issuing-rights.ts';
import { logOrigin } from '../tree/log-key.ts';
import { countersToSkip, isNewerDocument } from '../entries/counter-rule.ts';
import {
  ADMIN_COLUMNS,
  adminRow,
  type AdminRow,
  COUNTER_COLUMNS,
  counterRow,
  type CounterRow,
  LOG_COLUMNS,
  logRow,
  type LogRow,
} from '../store/rows.ts';
import { type Cursor, tableCursor, wrongIndex } from './verify-cursor.ts';

/** What the rest of the check knows at the entry of an act. */
export interface AdminPlace {
  readonly iss: string;
  /** The record before the entry; only of a new log. */
  readonly before: LedgerHead | undefined;
  readonly firstLeaf: number;
  readonly firstNode: number;
}

export class AdminCheck {
  readonly #logs: Cursor<LogRow>;
  readonly #acts: Cursor<AdminRow>;
  readonly #counters: Cursor<CounterRow>;
  readonly #logIds: Set<string> = new Set();
  readonly #documents: Set<string> = new Set();
  /** Of each other ledger, where it was when it made the document that was taken last. */
  readonly #positions: Map<string, DocumentPosition> = new Map();
  #ledgerId = '';
  readonly #rights: IssuingRights = new IssuingRights();
  /**
   * Customers who were closed individually and whose counters a document for all customers gave since: earlier versions
   * issued for all that it opened.
   */
  readonly #given: Set<string> = new Set();
  #logId: Uint8Array = new Uint8Array(0);
  #skip = 0;
  /** The act that entries for single licenses or lineages may follow. */
  #open: NewLogBody | ImportBody | undefined = undefined;
  #boundIncrease = 0;
  #closes = 0;
  #reentered = 0;
  /** The highest version of the keyset that an act named. */
  #keysetVersion = 0;
  /** The keysets that were published up to here. */
  #keysets: Chain | undefined = undefined;

  constructor(db: DatabaseSync) {
    this.#logs = tableCursor(db, LOG_COLUMNS, 'log', logRow);
    this.#acts = tableCursor(db, ADMIN_COLUMNS, 'act', adminRow);
    this.#counters = tableCursor(db, COUNTER_COLUMNS, 'counter', counterRow);
  }

  get logId(): Uint8Array {
    return this.#logId;
  }

  get logs(): number {
    return this.#logIds.size;
  }

  get boundIncrease(): number {
    return this.#boundIncrease;
  }

  get closes(): number {
    return this.#closes;
  }

  get keysetMark(): KeysetMark {
    return markOf(this.#keysetVersion);
  }

  get reentered(): number {
    return this.#reentered;
  }

  genesis({ ledgerId }: GenesisBody): void {
    this.#ledgerId = toHex(ledgerId);
    this.#beginLog(1, ledgerId, 0, 0);
  }

  /** An entry of another kind ends what an act began. */
  interrupt(): void {
    this.#open = undefined;
  }

  isClosed(sub: string): boolean {
    return (this.#given.has(sub) ? this.#rights.closedForAll(sub) : this.#rights.closedBy(sub)) !== undefined;
  }

  close(entry: CloseEntry): void {
    const sub = entry.body.sub ?? '';
    this.#rights.add({ seq: entry.seq, kind: 'close', sub });
    this.#given.delete(sub);
    this.#closes++;
    this.#rows(entry);
  }

  adopt(entry: AdoptEntry, place: AdminPlace): void {
    const fault = this.#fault(entry.seq, entry.body, place);
    if (fault !== undefined) throw ledgerCorrupt(`entry ${entry.seq} (adopt): ${fault}`);
    this.#keysetVersion = Math.max(this.#keysetVersion, keysetVersionOf(entry.body));
    this.#rows(entry);
  }

  finish(): void {
    for (const [rest, table] of [
      [this.#logs, 'log'],
      [this.#acts, 'act'],
      [this.#counters, 'counter'],
    ] as const) {
      if (rest.next() !== undefined) throw ledgerCorrupt(`the table "${table}" has rows without an entry`);
    }
  }

  #fault(seq: number, body: AdoptBody, place: AdminPlace): string | undefined {
    const open = this.#open;
    if (body.act !== 'license' && body.act !== 'counter') this.#open = undefined;
    switch (body.act) {
      case 'log':
        return this.#newLog(seq, body, place);
      case 'license':
        if (open?.act !== 'log') return 'a license is entered again where no log begins';
        if (body.license.ctr > open.highest) return 'its counter is higher than the new log says';
        this.#reentered++;
        return undefined;
      case 'anchor':
      case 'keyset-signing':
        return undefined;
      case 'keyset':
        return this.#keyset(body, place.iss);
      case 'import': {
        const digest = toHex(body.document);
        if (this.#documents.has(digest)) return 'this document was taken before';
        if (body.floor > body.highest) return 'its floor is above its highest counter';
        if (!this.#isInOrder(body)) return 'its document is older than one of the same ledger that was taken before';
        this.#documents.add(digest);
        this.#rights.add({ seq, kind: 'import', sub: body.sub ?? '' });
        this.#boundIncrease += body.highest;
        this.#open = body;
        return undefined;
      }
      case 'counter':
        if (open?.act !== 'import') return 'a counter is taken over that no document gave';
        if (body.ctr > open.highest) return 'its counter is higher than its document says';
        if (open.sub === undefined) this.#given.add(body.sub);
        return open.sub !== undefined && open.sub !== body.sub
          ? 'it is of another customer than its document'
          : undefined;
      default: {
        const sub = body.sub ?? '';
        if (this.#rights.closedBy(sub) !== body.closedBy) return `entry ${body.closedBy} did not close what it opens`;
        this.#rights.add({ seq, kind: 'reopen', sub });
        return undefined;
      }
    }
  }

  #keyset(body: PublishedKeysetBody, iss: string): string | undefined {
    const last = this.#keysets?.newest.version ?? 0;
    if (body.version <= last) return `a keyset of version ${last} is before it`;
    const fault = keysetFault(body, iss);
    if (fault !== undefined) return fault;
    const block = armor('VTLIC KEYSET', body.document);
    // The first version is trusted, because an officer published or adopted it.
    if (this.#keysets === undefined) {
      this.#keysets = builtInChain(block, { issuer: iss });
      return undefined;
    }
    const { chain, refused } = extendChain(this.#keysets, block);
    this.#keysets = chain;
    return refused === undefined ? undefined : `its keyset does not follow from the one before it: ${refused.detail}`;
  }

  /** Documents of this ledger are taken in any order; entries of version 0.1.0 have no position. */
  #isInOrder({ ledgerId, from }: ImportBody): boolean {
    const source = toHex(ledgerId);
    if (from === undefined || source === this.#ledgerId) return true;
    const last = this.#positions.get(source);
    this.#positions.set(source, from);
    return last === undefined || isNewerDocument(from, last);
  }

  #newLog(seq: number, body: NewLogBody, { iss, before, firstLeaf, firstNode }: AdminPlace): string | undefined {
    if (before === undefined || !sameHead(before, body.restored))
      return 'the record before it is not the one that it binds';
    if (this.#logIds.has(toHex(body.logId))) return 'the id of its log was used before';
    if (body.origin !== logOrigin(iss, body.logId)) return "its log's origin does not follow from issuer and id";
    if (body.covered > before.size || body.coveredBound > before.counterBound)
      return 'what it says of its anchor is more than the record has';
    if ((body.reason === 'restored') !== (body.found !== undefined))
      return 'whether the anchor was found contradicts its reason';
    const known = Math.max(before.keysetVersion ?? 0, body.found?.keysetVersion ?? 0);
    const mark = body.keysetVersion ?? 0;
    if (body.found === undefined ? mark < known : mark !== known)
      return 'the highest version of the keyset does not follow from the record and its anchor';
    if (body.found !== undefined) {
      const { found } = body;
      if (body.skip !== countersToSkip(before, body.coveredBound, found))
        return 'the number of counters to skip does not follow from what it says was lost';
      if (body.closed !== found.closes > before.closes)
        return 'whether counters are closed does not follow from its anchor';
    }
    this.#beginLog(seq, body.logId, firstLeaf, firstNode);
    this.#skip = body.skip;
    this.#boundIncrease += body.skip + body.highest;
    if (body.closed) {
      this.#rights.add({ seq, kind: 'closed-log', sub: '' });
      this.#closes++;
    }
    this.#open = body;
    return undefined;
  }

  #beginLog(entry: number, logId: Uint8Array, firstLeaf: number, firstNode: number): void {
    this.#logIds.add(toHex(logId));
    this.#logId = logId;
    const row = this.#logs.next();
    if (
      row?.number !== this.#logIds.size ||
      row.entry !== entry ||
      !equalBytes(row.logId, logId) ||
      row.firstLeaf !== firstLeaf ||
      row.firstNode !== firstNode
    )
      throw wrongIndex(entry, 'does not match the entry');
  }

  #rows(entry: AdoptEntry | CloseEntry): void {
    const act = adminRowOf(entry);
    if (act !== undefined && !sameAdminRow(this.#acts.next(), act))
      throw wrongIndex(entry.seq, 'does not match the entry');
    const counter = counterRowOf(entry, this.#skip);
    if (counter !== undefined && !sameCounter(this.#counters.next(), counter))
      throw wrongIndex(entry.seq, 'does not match the entry');
  }
}

/** Why a stored document is not the keyset that its entry says; undefined where it is. */
function keysetFault({ document, payloadDigest, version }: PublishedKeysetBody, iss: string): string | undefined {
  try {
    const { payload } = decodeCoseSign(document, TYP.keyset);
    if (!equalBytes(sha256(payload), payloadDigest)) return 'its keyset has another payload';
    const keyset = decodeKeyset(payload);
    if (keyset.version !== version) return `its keyset has the version ${keyset.version}`;
    return keyset.iss === iss ? undefined : 'its keyset is by another issuer';
  } catch (error) {
    if (error instanceof VtlicError) return `its keyset cannot be read: ${error.message}`;
    throw error;
  }
}

function sameHead(a: LedgerHead, b: LedgerHead): boolean {
  return (
    a.entries === b.entries &&
    equalBytes(a.logId, b.logId) &&
    a.size === b.size &&
    equalBytes(a.root, b.root) &&
    a.counterBound === b.counterBound &&
    a.closes === b.closes &&
    a.keysetVersion === b.keysetVersion &&
    equalBytes(a.chain, b.chain)
  );
}
