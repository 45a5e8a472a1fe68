/**
 * Copies of one site, as far as the anchor is concerned: entries that reserve counters, a place of the anchor, licenses
 * that left. The comparison, the exchange and the move of the anchor are the real code.
 */
import { createHash } from 'node:crypto';
import { VtlicError } from '../../../../formats/error.ts';
import type {
  AnchoringLedger,
  AnchorPlace,
  AnchorRecord,
  AnchorStore,
  LedgerHead,
} from '../../../../signer/anchor/anchor.ts';
import { compareAnchor, requireUnchangedAnchor } from '../../../../signer/anchor/compare-anchor.ts';
import { finishMove, moveAnchor, requireFreePlace } from '../../../../signer/anchor/move-anchor.ts';
import { type Disk, type Gate as AnyGate, Refused } from '../../../support/explored-process.ts';
import type { Storage } from './exchange-protocols.ts';

const LEDGER_ID: Uint8Array = new Uint8Array(16).fill(7);
const NO_ROOT: Uint8Array = new Uint8Array(32);
export const FIRST_PLACE = 'X';

type EntryOfModel =
  | { readonly kind: 'issue'; readonly id: string }
  | { readonly kind: 'move'; readonly to: string; readonly by: string }
  | { readonly kind: 'log'; readonly skip: number; readonly place: string; readonly by: string };

export type Gate = AnyGate<Storage, CopyOfSite>;

/** The part of what all copies share that contains `counter license` of all that left. */
export const LEFT = 'left';

/** Opens an anchor store whose acts wait for the gate. */
export type OpenPlace = (place: string, gate: Gate) => AnchorStore;

const chains = new Map<string, Uint8Array>();

function chainOf(entries: readonly EntryOfModel[]): Uint8Array {
  const text = JSON.stringify(entries);
  const chain = chains.get(text) ?? Uint8Array.from(createHash('sha256').update(text).digest());
  chains.set(text, chain);
  return chain;
}

export class CopyOfSite implements Disk {
  readonly name: string;
  readonly #open: OpenPlace;
  #entries: readonly EntryOfModel[] = [{ kind: 'log', skip: 0, place: FIRST_PLACE, by: '' }];
  #released = 1;
  /** A restore that was confirmed and is not in its place yet. */
  #draft: readonly EntryOfModel[] | undefined;
  /** How many runs have begun, also those that were killed; and the random numbers that this run has drawn. */
  #life = 0;
  #nonces = 0;

  constructor(name: string, open: OpenPlace) {
    this.name = name;
    this.#open = open;
  }

  get text(): string {
    return `${this.lasting} ${this.#life} ${this.#nonces}`;
  }

  get lasting(): string {
    return JSON.stringify([this.#entries, this.#released, this.#draft]);
  }

  clone(): this {
    const copy = new CopyOfSite(this.name, this.#open);
    copy.#draft = this.#draft;
    copy.#life = this.#life;
    copy.#nonces = this.#nonces;
    copy.copyFrom(this);
    return copy as this;
  }

  /** Becomes what the other copy is now. */
  copyFrom(other: CopyOfSite): void {
    this.#entries = other.#entries;
    this.#released = other.#released;
  }

  record(entries: readonly EntryOfModel[] = this.#entries): AnchorRecord {
    return { ledgerId: LEDGER_ID, ...headOf(entries) };
  }

  /** Runs that were killed at different acts, and changed the same, go on equally. */
  #start(): void {
    this.#life++;
    this.#nonces = 0;
  }

  get #unique(): string {
    return `${this.name}${this.#life}`;
  }

  random = (bytes: number): Uint8Array => {
    const nonce = createHash('sha256').update(`${this.#unique} ${this.#nonces++}`).digest();
    return Uint8Array.from(nonce.subarray(0, bytes));
  };

  /** `vtlic issue` */
  async issue(gate: Gate): Promise<void> {
    this.#start();
    const { store, known } = await this.#begin(gate);
    await this.#anchorAndRelease(gate, store, known);
    const record = this.record();
    const again = known.length === 1 && sameHead(known[0], record) ? known : [record];
    await refusing(() => requireUnchangedAnchor(store, again, ''));
    gate.forget(`unchanged ${textOf(again)}`);
    this.#entries = [...this.#entries, { kind: 'issue', id: `${this.name}${this.#entries.length}` }];
    await this.#anchorAndRelease(gate, store, again);
  }

  /** `vtlic ledger anchor --to PLACE` */
  async move(place: string, gate: Gate): Promise<void> {
    this.#start();
    const open = (name: string): AnchorStore => this.#open(name, gate);
    const { store, known } = await this.#begin(gate, true);
    await this.#anchorAndRelease(gate, store, known);
    if (placeOf(this.#entries) === place) return;
    const to = open(place);
    await refusing(() => to.settle(this.random(16)));
    await refusing(async () => {
      await requireFreePlace(
        this.#ledger(store, () => [this.record()]),
        to,
      );
      await moveAnchor(
        this.#ledger(store, () => [this.record()]),
        store,
        to,
        placeNamed(place),
        { operator: '', random: this.random, step: () => Promise.resolve() },
      );
    });
  }

  /**
   * `vtlic ledger restore`, of the ledger that is here; the officer names the place where the anchor is now.
   *
   * @param isSure the officer types that the old place is lost, if a ledger has moved the anchor away from there
   */
  async restore(named: string | undefined, isSure: boolean, gate: Gate): Promise<void> {
    this.#start();
    if (this.#draft !== undefined) {
      const drafted = this.#open(placeOf(this.#draft), gate);
      await refusing(() => drafted.settle(this.random(16)));
      const head = this.record(this.#draft);
      const isAnchored = (await refusing(() => drafted.read())).some((record) => sameHead(record, head));
      if (isAnchored) {
        this.#place();
        return;
      }
      this.#draft = undefined;
    }
    const place = named ?? placeOf(this.#entries);
    const store = this.#open(place, gate);
    await refusing(() => store.settle(this.random(16)));
    const seen = await refusing(() => store.read());
    gate.forget(`seen ${textOf(seen)}`);
    const [found] = seen;
    if (found === undefined) throw new Refused('there is no anchor');
    const before = placeOf(this.#entries);
    const isMoving = this.#entries.at(-1)?.kind === 'move' && found.entries < this.#entries.length;
    if (isMoving && place !== before && place !== placeOf(this.#entries.slice(0, -1)))
      throw new Refused('a move was interrupted');
    const old = before === place ? undefined : this.#open(before, gate);
    const oldSeen = old === undefined ? [] : await refusing(() => old.read());
    if (oldSeen.some((record) => record.entries > found.entries)) throw new Refused('the old place has seen more');
    const mover = old === undefined ? undefined : await refusing(() => old.movedBy());
    if (mover !== undefined && mover.entries > found.entries && !isSure)
      throw new Refused('the anchor was moved away from the old place');
    const agrees = this.#agrees(store, seen);
    if (agrees && before === place) return;
    const covered = this.#entries.slice(0, this.#released);
    const skip = agrees ? 0 : Math.max(0, found.counterBound - headOf(covered).counterBound);
    const by = this.#unique;
    this.#draft = [...this.#entries, agrees ? { kind: 'move', to: place, by } : { kind: 'log', skip, place, by }];
    const head = this.record(this.#draft);
    if (old !== undefined && oldSeen.length > 0)
      if (!(await refusing(() => old.replace({ known: oldSeen, next: head, moved: true, nonce: this.random(16) }))))
        throw new Refused('the old place was changed');
    if (!(await refusing(() => store.replace({ known: seen, next: head, nonce: this.random(16) }))))
      throw new Refused('the anchor was changed');
    await gate.look(LEFT, 'place', () => undefined);
    this.#place();
  }

  #place(): void {
    const draft = this.#draft ?? this.#entries;
    // What a restore finds unreleased is not released: another copy may have released its counter.
    if (draft.at(-1)?.kind === 'log') this.#released = draft.length;
    this.#entries = draft;
    this.#draft = undefined;
  }

  async #begin(
    gate: Gate,
    finishing = false,
  ): Promise<{ readonly store: AnchorStore; readonly known: readonly AnchorRecord[] }> {
    const store = this.#open(placeOf(this.#entries), gate);
    await refusing(() => store.settle(this.random(16)));
    const known = await refusing(() => store.read());
    gate.forget(`opened ${textOf(known)}`);
    const { anchor } = await refusing(() =>
      Promise.resolve(
        compareAnchor(
          this.#ledger(store, () => known),
          known,
          store,
        ),
      ),
    );
    const last = this.#entries.at(-1);
    if (last?.kind === 'move' && anchor.entries < this.#entries.length) {
      if (!finishing) throw new Refused('a move was interrupted');
      const from = placeOf(this.#entries.slice(0, -1));
      await refusing(() =>
        finishMove(
          this.#ledger(store, () => known),
          { seq: this.#entries.length, from: placeNamed(from), to: placeNamed(last.to) },
          this.#open(from, gate),
          { random: this.random },
          () => Promise.reject(new Refused('an officer does not say so')),
        ),
      );
    }
    return { store, known };
  }

  async #anchorAndRelease(gate: Gate, store: AnchorStore, known: readonly AnchorRecord[]): Promise<void> {
    const next = this.record();
    if (known.length !== 1 || !sameHead(known[0], next))
      if (!(await refusing(() => store.replace({ known, next, nonce: this.random(16) }))))
        throw new Refused('the anchor was changed');
    gate.forget(`anchored ${textOf(known)}`);
    while (this.#released < this.#entries.length) {
      const entry = this.#entries[this.#released];
      const license = `${counterAt(this.#entries, this.#released)} ${entry?.kind === 'issue' ? entry.id : ''}`;
      if (entry?.kind === 'issue')
        await gate.act(LEFT, `release ${license}`, (left) => {
          left.items.set(license, new Uint8Array());
        });
      this.#released++;
    }
  }

  #agrees(store: AnchorStore, records: readonly AnchorRecord[]): boolean {
    try {
      compareAnchor(
        this.#ledger(store, () => records),
        records,
        store,
      );
      return true;
    } catch (error) {
      if (error instanceof VtlicError) return false;
      throw error;
    }
  }

  #ledger(store: AnchorStore, known: () => readonly AnchorRecord[]): AnchoringLedger {
    return {
      path: '',
      genesis: { ledgerId: LEDGER_ID },
      head: () => headOf(this.#entries),
      logs: () => [{ entry: 1, logId: LEDGER_ID }],
      rootAt: () => NO_ROOT,
      boundsAt: ({ entries }) => ({
        counterBound: headOf(this.#entries.slice(0, entries)).counterBound,
        closes: 0,
      }),
      entry: (seq) => (seq > this.#entries.length ? undefined : { seq, chain: chainOf(this.#entries.slice(0, seq)) }),
      requireAnchor: () => requireUnchangedAnchor(store, known(), ''),
      anchor: () => Promise.resolve(this.record()),
      adopt: ({ anchor }) => {
        const to = anchor.kind === 'file' ? anchor.path : '';
        this.#entries = [...this.#entries, { kind: 'move', to, by: this.#unique }];
        this.#released = this.#entries.length;
      },
    };
  }
}

function textOf(records: readonly AnchorRecord[]): string {
  return records.map(({ chain }) => Buffer.from(chain).toString('hex').slice(0, 12)).join();
}

function headOf(entries: readonly EntryOfModel[]): LedgerHead {
  let counterBound = 0;
  for (const entry of entries) counterBound += entry.kind === 'issue' ? 1 : entry.kind === 'log' ? entry.skip : 0;
  return {
    entries: entries.length,
    logId: LEDGER_ID,
    size: 0,
    root: NO_ROOT,
    counterBound,
    closes: 0,
    chain: chainOf(entries),
  };
}

/** One lineage: its counter rises by each issue and each skip. */
function counterAt(entries: readonly EntryOfModel[], at: number): number {
  return headOf(entries.slice(0, at + 1)).counterBound;
}

function placeOf(entries: readonly EntryOfModel[]): string {
  return entries.reduce(
    (place, entry) => (entry.kind === 'issue' ? place : entry.kind === 'move' ? entry.to : entry.place),
    FIRST_PLACE,
  );
}

function placeNamed(path: string): AnchorPlace {
  return { kind: 'file', path };
}

function sameHead(a: AnchorRecord | undefined, b: AnchorRecord): boolean {
  return a !== undefined && Buffer.compare(a.chain, b.chain) === 0;
}

/** An error that an officer sees ends the run; a defect does not pass for one. */
async function refusing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof VtlicError && error.code !== 'internal') throw new Refused(error.message);
    throw error;
  }
}
