/** The reading half of a ledger, on a connection that is already opened and checked (`open.ts`). */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import type { AnchorMove, AnchorPlace, LedgerBounds, LedgerHead } from '../anchor/index.ts';
import { ledgerCorrupt } from './entries/errors.ts';
import { movedCounter } from './entries/counter-rule.ts';
import { decodeEntry, type EntryRow, type IntentRow, type LineageRow, type LogRow } from './store/rows.ts';
import type { AdoptEntry, ClockEntry, CloseEntry, Entry, GenesisBody, IssueEntry } from './entries/entry.ts';
import { type LedgerSummary, verifyLedger, type VerifyOptions } from './verify/verify.ts';
import type { LedgerView, LicenseRecord, LineageState, LineageSummary, LogInfo } from './ledger.ts';
import { type Lineage, lineageOf, lineageText } from './entries/lineage.ts';
import { consistencyProof, inclusionProof } from './tree/merkle-proof.ts';
import { entryOfKind, licenseRecord } from './find-license.ts';
import { rootOf } from './tree/merkle.ts';
import { logOrigin } from './tree/log-key.ts';
import { withLedgerFaults } from './store/sqlite-faults.ts';
import { keysetMarkAt } from './store/admin-rows.ts';
import { Tables } from './store/tables.ts';

const PAGE = 256;

export class LedgerReader implements LedgerView {
  readonly path: string;
  readonly genesis: GenesisBody;
  protected readonly tables: Tables;
  readonly #db: DatabaseSync;

  /** @throws VtlicError `ledger_corrupt` where the first entry is not a genesis */
  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.path = path;
    this.tables = new Tables(db);
    this.genesis = this.read(() => entryOfKind(this.tables, 'genesis', 1).body);
  }

  head(): LedgerHead {
    return this.read(() => {
      const last = this.#last();
      const log = this.tables.lastLog();
      const { leaves } = this.tables.sizes();
      const size = leaves - log.firstLeaf;
      const { boundIncrease, closes } = this.tables.raised(last.seq);
      return Object.freeze({
        entries: last.seq,
        logId: log.logId,
        size,
        root: this.#root(log, size),
        counterBound: leaves + boundIncrease,
        closes,
        chain: last.chain,
        ...keysetMarkAt(this.tables, last.seq),
      });
    });
  }

  logs(): readonly LogInfo[] {
    return this.read(() => {
      const rows = this.tables.logs();
      const { leaves } = this.tables.sizes();
      return Object.freeze(
        rows.map((row, i) =>
          Object.freeze({
            ...row,
            origin: logOrigin(this.genesis.iss, row.logId),
            size: (rows[i + 1]?.firstLeaf ?? leaves) - row.firstLeaf,
          }),
        ),
      );
    });
  }

  rootAt(size: number, logId?: Uint8Array): Uint8Array | undefined {
    const log = this.#log(logId);
    return log === undefined || size > log.size ? undefined : this.read(() => this.#root(log, size));
  }

  boundsAt({ entries, logId, size }: Pick<LedgerHead, 'entries' | 'logId' | 'size'>): LedgerBounds {
    const first = this.#log(logId)?.firstLeaf ?? 0;
    return this.read(() => {
      const { boundIncrease, closes } = this.tables.raised(entries);
      return { counterBound: first + size + boundIncrease, closes, ...keysetMarkAt(this.tables, entries) };
    });
  }

  inclusionProof(index: number, size: number, logId?: Uint8Array): readonly Uint8Array[] | undefined {
    const log = this.#log(logId);
    if (log === undefined || size > log.size || index >= size) return undefined;
    return this.read(() => inclusionProof(index, size, this.tables.nodesOf(log)));
  }

  consistencyProof(from: number, to: number, logId?: Uint8Array): readonly Uint8Array[] | undefined {
    const log = this.#log(logId);
    if (log === undefined || to > log.size || from > to) return undefined;
    return this.read(() => consistencyProof(from, to, this.tables.nodesOf(log)));
  }

  anchorPlace(): AnchorPlace {
    return this.read(() => {
      const acts = this.tables.adminRows();
      const last = acts.findLast(({ kind }) => kind === 'log' || kind === 'closed-log' || kind === 'anchor');
      if (last === undefined) return this.genesis.anchor;
      const { body } = entryOfKind(this.tables, 'adopt', last.seq);
      if (body.act !== 'log' && body.act !== 'anchor')
        throw ledgerCorrupt(`entry ${last.seq} (adopt) is of another kind than its index row says`);
      return body.anchor;
    });
  }

  lastAnchorMove(): AnchorMove | undefined {
    let place = this.genesis.anchor;
    let move: AnchorMove | undefined;
    for (const { seq, kind, body } of this.adminEntries()) {
      if (kind !== 'adopt' || (body.act !== 'anchor' && body.act !== 'log')) continue;
      move = body.act === 'anchor' ? { seq, from: place, to: body.anchor } : undefined;
      place = body.anchor;
    }
    return move;
  }

  adminEntries(): readonly (AdoptEntry | CloseEntry)[] {
    return this.read(() =>
      Object.freeze(
        this.tables
          .adminRows()
          .map((act) =>
            act.kind === 'close'
              ? entryOfKind(this.tables, 'close', act.seq)
              : entryOfKind(this.tables, 'adopt', act.seq),
          ),
      ),
    );
  }

  lastCounter(lineage: Lineage): number {
    return this.read(() => this.tables.lastCounter(lineage));
  }

  nextCounter(lineage: Lineage): number {
    this.requireOpen(lineage);
    return this.lastCounter(lineage) + 1;
  }

  closedBy(sub: string): number | undefined {
    return this.read(() => this.tables.closedBy(sub));
  }

  findReentered(licenseId: Uint8Array): AdoptEntry | undefined {
    return this.read(() => {
      const row = this.tables.counterByLicenseId(licenseId);
      return row === undefined ? undefined : entryOfKind(this.tables, 'adopt', row.seq);
    });
  }

  reenteredOf(lineage: Lineage): readonly AdoptEntry[] {
    return this.read(() =>
      Object.freeze(this.tables.reenteredOf(lineage).map((row) => entryOfKind(this.tables, 'adopt', row.seq))),
    );
  }

  reenteredOfCustomer(sub: string): readonly AdoptEntry[] {
    return this.read(() =>
      Object.freeze(this.tables.reenteredOfCustomer(sub).map((row) => entryOfKind(this.tables, 'adopt', row.seq))),
    );
  }

  knownLineages(page: { readonly after?: Lineage; readonly limit: number }): readonly Lineage[] {
    return this.read(() =>
      Object.freeze(this.tables.knownLineages(page.after, page.limit).map((lineage) => Object.freeze(lineage))),
    );
  }

  entry(seq: number): Entry | undefined {
    return this.read(() => {
      const row = this.tables.entry(seq);
      return row === undefined ? undefined : decodeEntry(row);
    });
  }

  *entriesFrom(seq: number): IterableIterator<Entry> {
    for (let next = seq; ;) {
      const page = this.read(() => this.tables.entries(next, PAGE));
      for (const row of page) yield decodeEntry(row);
      const last = page.at(-1);
      if (last === undefined) return;
      next = last.seq + 1;
    }
  }

  lastAt(): number {
    return this.read(() => this.#last().at);
  }

  lastClock(): ClockEntry | undefined {
    return this.read(() => {
      const seq = this.tables.lastClock();
      return seq === undefined ? undefined : entryOfKind(this.tables, 'clock', seq);
    });
  }

  clockEntries(): readonly ClockEntry[] {
    return this.read(() => Object.freeze(this.tables.clocks().map((seq) => entryOfKind(this.tables, 'clock', seq))));
  }

  lastOfLineage(lineage: Lineage): LineageState | undefined {
    return this.read(() => {
      const [row] = this.tables.intentsOf(lineage, MAX_COUNT, 1);
      if (row === undefined) return undefined;
      const last = licenseRecord(this.tables, row);
      const issuedRow = row.issue === undefined ? this.tables.lastIssuedOf(lineage) : row;
      const lastIssued =
        issuedRow === undefined ? {} : { lastIssued: issuedRow === row ? last : licenseRecord(this.tables, issuedRow) };
      return Object.freeze({
        lineage: Object.freeze(lineageOf(row)),
        ctr: this.tables.lastCounter(lineage),
        last,
        ...lastIssued,
      });
    });
  }

  findByLicenseId(licenseId: Uint8Array): LicenseRecord | undefined {
    return this.#recordOf(() => this.tables.intentByLicenseId(licenseId));
  }

  findByIntent(seq: number): LicenseRecord | undefined {
    return this.#recordOf(() => this.tables.intent(seq));
  }

  historyOf(lineage: Lineage, page: { readonly below?: number; readonly limit: number }): readonly LicenseRecord[] {
    return this.#records(() =>
      this.tables.intentsOf(lineage, page.below === undefined ? MAX_COUNT : page.below - 1, page.limit),
    );
  }

  lineages(page: {
    readonly after?: Lineage;
    readonly sub?: string;
    readonly limit: number;
  }): readonly LineageSummary[] {
    return this.read(() => {
      const rows: readonly LineageRow[] =
        page.sub === undefined
          ? this.tables.lineages(page.after, page.limit)
          : this.tables.lineagesOf(page.sub, page.after, page.limit);
      return Object.freeze(rows.map((row) => Object.freeze(row)));
    });
  }

  customers(page: { readonly after?: string; readonly limit: number }): readonly string[] {
    return this.read(() => Object.freeze(this.tables.customers(page.after ?? '', page.limit)));
  }

  lastReleasedIssue(): IssueEntry | undefined {
    return this.read(() => {
      const seq = this.tables.lastReleasedIssue();
      return seq === undefined ? undefined : entryOfKind(this.tables, 'issue', seq);
    });
  }

  floorOf(sub: string | undefined): number {
    return this.read(() =>
      movedCounter(
        0,
        this.tables.adminRows().filter((act) => sub === undefined || act.sub === '' || act.sub === sub),
      ),
    );
  }

  openIntents(): readonly LicenseRecord[] {
    return this.#records(() => this.tables.openIntents());
  }

  unreleased(): readonly LicenseRecord[] {
    return this.#records(() => this.tables.unreleased()).filter((record) => this.withheldBy(record) === undefined);
  }

  withheldBy({ issue, release }: LicenseRecord): number | undefined {
    if (issue === undefined || release !== undefined) return undefined;
    const { number, entry } = this.read(() => this.tables.lastLog());
    return number > 1 && issue.seq < entry ? entry : undefined;
  }

  verify(options: VerifyOptions = {}): Promise<LedgerSummary> {
    return verifyLedger(this.path, options);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  protected read<T>(fn: () => T): T {
    return withLedgerFaults(this.path, 'read', fn);
  }

  #recordOf(find: () => IntentRow | undefined): LicenseRecord | undefined {
    return this.read(() => {
      const row = find();
      return row === undefined ? undefined : licenseRecord(this.tables, row);
    });
  }

  #records(find: () => readonly IntentRow[]): readonly LicenseRecord[] {
    return this.read(() => Object.freeze(find().map((row) => licenseRecord(this.tables, row))));
  }

  #last(): EntryRow {
    const last = this.tables.lastEntry();
    if (last === undefined) throw ledgerCorrupt('it has no entries');
    return last;
  }

  #root(log: LogRow, size: number): Uint8Array {
    return rootOf(size, this.tables.nodesOf(log));
  }

  #log(logId: Uint8Array | undefined): LogInfo | undefined {
    const logs = this.logs();
    return logId === undefined ? logs.at(-1) : logs.find((log) => equalBytes(log.logId, logId));
  }

  /** @throws VtlicError `ledger_conflict` for a lineage whose counters were handed over */
  protected requireOpen(lineage: Lineage): void {
    const entry = this.closedBy(lineage.sub);
    if (entry === undefined) return;
    if (this.read(() => this.tables.adminRow(entry))?.kind === 'closed-log') {
      throw new VtlicError(
        'ledger_conflict',
        `the counters of ${lineageText(lineage)} were closed by the restore in entry ${entry}: the lost part ` +
          'of this ledger handed counters over, and these may be among them',
        {
          file: this.path,
          hint:
            'if you have the lost documents, or the customer was surely not handed over: vtlic counters reopen; to ' +
            'take such a document back: vtlic counters import FILE',
        },
      );
    }
    throw new VtlicError(
      'ledger_conflict',
      `the counters of ${lineageText(lineage)} were handed over (entry ${entry}): this ledger issues nothing ` +
        'for it any more, so that no counter is used twice',
      {
        file: this.path,
        hint: 'issue where they were taken over; or take them back: vtlic counters import FILE',
      },
    );
  }
}
