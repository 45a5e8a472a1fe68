/**
 * Puts a copy in the ledger's place, as planned.
 *
 * The new ledger is finished and anchored under another name before it gets its place: a restore that stops half-way
 * leaves the old state, or a draft that the next one finishes.
 */
import { chmodSync, existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, fsyncFolder, fsyncPath } from '../../files/index.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import {
  type AnchorPlace,
  type AnchorRecord,
  type AnchorStore,
  type AnchorStoreOpener,
  type LedgerHead,
  NONCE_BYTES,
  openAnchorStore,
  restoreDraftOf,
} from '../anchor/index.ts';
import {
  copyLedger,
  fileExists,
  type Ledger,
  openLedgerForReading,
  removeDatabase,
  withDraft,
} from '../ledger/index.ts';
import { changedSinceShown, requireSameAnchor, type RestorePlan } from './plan-restore.ts';

export interface RestoreResult {
  /** Where the ledger that was there is now; undefined if there was none. */
  readonly replaced: string | undefined;
  readonly head: AnchorRecord;
}

/**
 * @param ledger absolute path of the site's ledger, whose lock the caller holds
 * @param copy absolute; may be the ledger itself
 * @param previous that the plan was made with
 * @throws VtlicError `ledger_conflict` if the anchor differs from the one that the plan was made with
 */
export async function restoreLedger(
  ledger: string,
  copy: string,
  plan: RestorePlan,
  store: AnchorStore,
  runtime: Runtime,
  previous?: AnchorStore,
): Promise<RestoreResult> {
  const draft = restoreDraftOf(ledger);
  await requireSameAnchor(plan, store);
  removeDatabase(draft);
  try {
    copyLedger(copy, draft, 'ledger_unwritable');
    chmodSync(draft, 0o600);
    const head = withDraft(
      draft,
      { now: () => nowSeconds(runtime), random: runtime.random, anchorStore: store, anchored: plan.found },
      (writer) => {
        requireSameCopy(plan, writer.head());
        carryOutActs(writer, plan, runtime.operator);
        return Object.freeze({ ledgerId: writer.genesis.ledgerId, ...writer.head() });
      },
    );
    await settleDraft(draft);
    await runtime.step('restore-drafted');
    if (previous !== undefined) await leavePrevious(previous, plan, head, runtime);
    // Copying a large ledger takes long: another copy of the ledger may have used the anchor meanwhile.
    if (!(await store.replace({ known: plan.seen, next: head, nonce: runtime.random(NONCE_BYTES) })))
      throw changedSinceShown(store);
    await runtime.step('restore-anchored');
    return { replaced: await place(ledger, draft, runtime), head };
  } catch (error) {
    throw describeFileError(error, 'ledger_unwritable', ledger);
  }
}

/**
 * From now on, a copy of the ledger that still uses the old place is refused there. If the old place was used since the
 * plan was made, this restore is refused instead.
 */
async function leavePrevious(
  previous: AnchorStore,
  { previousSeen: known }: RestorePlan,
  next: AnchorRecord,
  { random }: Runtime,
): Promise<void> {
  if (known.length === 0) return;
  if (!(await previous.replace({ known, next, moved: true, nonce: random(NONCE_BYTES) })))
    throw changedSinceShown(previous);
}

/** A copy may be a ledger in use, or a file that was exchanged while the prompt was open. */
function requireSameCopy({ head }: RestorePlan, now: LedgerHead): void {
  if (now.entries === head.entries && equalBytes(now.chain, head.chain)) return;
  throw new VtlicError('ledger_conflict', 'the copy was changed since this restore was shown; nothing was restored', {
    hint: 'see that nobody writes to it, and run it again: what is missing is counted anew',
  });
}

/**
 * Finishes a restore that stopped after its anchor was written; undefined where there is none.
 *
 * A copy that is taken as it is agrees with its anchor from the first moment, before it was checked or is on the disk:
 * each is checked here.
 */
export async function finishRestore(
  ledger: string,
  runtime: Runtime,
  opener?: AnchorStoreOpener,
): Promise<RestoreResult | undefined> {
  const draft = restoreDraftOf(ledger);
  if (!fileExists(draft)) return undefined;
  const anchored = await anchoredHead(draft, runtime, opener);
  if (anchored === undefined) {
    removeDatabase(draft);
    return undefined;
  }
  const { head, store, records } = anchored;
  try {
    if (!(await holds(draft, runtime))) return undefined;
    // Cut off while the anchor was changed, it left the record before beside the new one: that would refuse the ledger
    // that takes its place.
    if (
      records.length > 1 &&
      !(await store.replace({ known: records, next: head, nonce: runtime.random(NONCE_BYTES) }))
    )
      throw changedSinceShown(store);
    return { replaced: await place(ledger, draft, runtime), head };
  } catch (error) {
    throw describeFileError(error, 'ledger_unwritable', ledger);
  }
}

function carryOutActs(writer: Ledger, plan: RestorePlan, operator: string): void {
  const { kind, place: anchor } = plan;
  if (kind === 'as-is') return;
  writer.group(() => {
    if (kind === 'moved') {
      writer.adopt({ act: 'anchor', anchor, operator });
      return;
    }
    const highest = Math.max(0, ...plan.reenter.map((item) => item.license.ctr));
    writer.openLog({
      reason: kind,
      anchor,
      covered: plan.covered,
      coveredBound: plan.coveredBound,
      ...(plan.found === undefined ? {} : { found: headOf(plan.found) }),
      skip: plan.skip,
      highest,
      closed: plan.closed,
      ...(plan.keysetVersion === 0 ? {} : { keysetVersion: plan.keysetVersion }),
      operator,
    });
    for (const { cose, license } of plan.reenter) writer.reenter(cose, license, plan.skip);
    for (const { intent, cose } of plan.fulfil) writer.issue(intent, cose);
    for (const intent of plan.voids) writer.void_(intent, 'restored');
  });
}

function headOf({ ledgerId: _ledgerId, ...head }: AnchorRecord): Omit<AnchorRecord, 'ledgerId'> {
  return head;
}

/** Makes the draft readable only for its owner, flushes it, and verifies it. */
async function settleDraft(draft: string): Promise<void> {
  chmodSync(draft, 0o600);
  fsyncPath(draft);
  fsyncFolder(dirname(draft));
  const view = openLedgerForReading(draft);
  try {
    await view.verify();
  } finally {
    view.close();
  }
}

/**
 * Whether the draft is a valid ledger. If not, it is kept under another name: its anchor may have been written, and it
 * may be the only copy of its record.
 */
async function holds(draft: string, runtime: Runtime): Promise<boolean> {
  try {
    await settleDraft(draft);
    return true;
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'ledger_corrupt') throw error;
    const aside = freeName(draft, 'damaged', nowSeconds(runtime));
    renameDatabase(draft, aside);
    fsyncFolder(dirname(draft));
    runtime.tell(
      `a restore that had been interrupted left a copy that is not valid: ${error.message}; it is not used, ` +
        `and is now in ${cleanText(aside, 1000)}; the restore is made anew`,
    );
    return false;
  }
}

/** The place of the anchor that a draft was made for; undefined where there is none, or only a part of one. */
export function placeOfDraft(ledger: string): AnchorPlace | undefined {
  const draft = restoreDraftOf(ledger);
  return fileExists(draft) ? readDraft(draft)?.place : undefined;
}

interface AnchoredDraft {
  readonly head: AnchorRecord;
  readonly store: AnchorStore;
  /** All that the anchor contains; this head is among it. */
  readonly records: readonly AnchorRecord[];
}

/**
 * A draft whose head is exactly the one in its anchor. An unreadable anchor is no reason to delete a draft.
 */
async function anchoredHead(
  draft: string,
  { random }: Pick<Runtime, 'random'>,
  opener?: AnchorStoreOpener,
): Promise<AnchoredDraft | undefined> {
  const read = readDraft(draft);
  if (read === undefined) return undefined;
  const store = openAnchorStore(read.place, opener);
  await store.settle(random(NONCE_BYTES));
  const records = await store.read();
  const isOwn = records.some((record) => equalBytes(record.chain, read.head.chain));
  return isOwn ? { head: read.head, store, records } : undefined;
}

/** undefined for a draft that was cut off before it was whole. */
function readDraft(draft: string): { readonly place: AnchorPlace; readonly head: AnchorRecord } | undefined {
  try {
    const view = openLedgerForReading(draft);
    try {
      return { place: view.anchorPlace(), head: Object.freeze({ ledgerId: view.genesis.ledgerId, ...view.head() }) };
    } finally {
      view.close();
    }
  } catch (error) {
    if (error instanceof VtlicError) return undefined;
    throw error;
  }
}

/**
 * Moves the ledger that was there away first, with the files that SQLite keeps beside it: SQLite would read an old log
 * into the new database.
 */
async function place(ledger: string, draft: string, runtime: Runtime): Promise<string | undefined> {
  const replaced = fileExists(ledger) ? freeName(ledger, 'replaced', nowSeconds(runtime)) : undefined;
  if (replaced !== undefined) renameDatabase(ledger, replaced);
  await runtime.step('restore-cleared');
  renameSync(draft, ledger);
  removeDatabase(draft);
  fsyncFolder(dirname(ledger));
  await runtime.step('restore-placed');
  return replaced;
}

/** The database goes last: until then its name says that it is not done. */
function renameDatabase(from: string, to: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', ''])
    if (fileExists(from + suffix)) renameSync(from + suffix, to + suffix);
}

function freeName(file: string, what: 'replaced' | 'damaged', now: number): string {
  const stamp = new Date(now * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  for (let i = 0; ; i++) {
    const name = `${file}.${what}-${stamp}${i === 0 ? '' : `-${i}`}`;
    if (!existsSync(name)) return name;
  }
}
