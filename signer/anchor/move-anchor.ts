/**
 * Moves the anchor to another place, which an administrative entry records.
 *
 * At every step some anchor covers the ledger. What decides is that the old place says that this ledger has moved the
 * anchor: of several copies, one can write that, and only as long as no other copy has used the anchor there.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchoredLedger, AnchoringLedger, AnchorMove, AnchorPlace, AnchorRecord, AnchorStore } from './anchor.ts';
import { NONCE_BYTES } from './anchor-record.ts';
import { compareAnchor } from './compare-anchor.ts';

/** What a move needs of the run that makes it. */
export interface MoveRun {
  readonly operator: string;
  readonly random: (bytes: number) => Uint8Array;
  /** Called after each step has taken effect. */
  readonly step: (step: 'anchor-copied' | 'anchor-adopted' | 'anchor-removed' | 'anchor-moved') => Promise<void>;
}

/**
 * @returns what the new place contains: nothing, or what a move that was interrupted before its entry left
 * @throws VtlicError if the new place cannot contain it (from its store), `ledger_rolled_back` if it contains the
 *   anchor of another ledger, or of one that is newer than this
 */
export async function requireFreePlace(ledger: AnchoredLedger, to: AnchorStore): Promise<readonly AnchorRecord[]> {
  const records = await to.read();
  if (records.length > 0) compareAnchor(ledger, records, to);
  return records;
}

/**
 * The note that the anchor was moved would replace the anchor itself.
 *
 * @throws VtlicError `usage` if both are one place, under two names
 */
export async function requireOtherPlace(from: AnchorStore, to: AnchorStore): Promise<void> {
  if ((await from.identity()) !== (await to.identity())) return;
  throw new VtlicError('usage', `${to.description} is ${from.description} under another name`, {
    hint: 'to record the new name, run: vtlic ledger restore --anchor PLACE',
  });
}

/**
 * When this returns, the caller can only close the ledger: the writer still uses the old place.
 *
 * @throws VtlicError `ledger_rolled_back` if either place was changed since the prompt was shown, maybe hours ago
 */
export async function moveAnchor(
  ledger: AnchoringLedger,
  from: AnchorStore,
  to: AnchorStore,
  place: AnchorPlace,
  run: MoveRun,
): Promise<AnchorRecord> {
  await requireOtherPlace(from, to);
  await ledger.requireAnchor();
  await ledger.anchor();
  const before = await requireFreePlace(ledger, to);
  const copied = recordOf(ledger);
  await write(ledger, to, before, copied, run);
  await run.step('anchor-copied');
  ledger.adopt({ act: 'anchor', anchor: place, operator: run.operator });
  await run.step('anchor-adopted');
  const record = recordOf(ledger);
  await leave(ledger, from, copied, record, run);
  await run.step('anchor-removed');
  await write(ledger, to, [copied], record, run);
  await run.step('anchor-moved');
  return record;
}

/**
 * Finishes a move that was interrupted after its entry, until the old place records the move.
 *
 * @param confirmLost called if the old place contains nothing, not even a note of the move: an officer confirms that it
 *   is lost, or that version 0.1.0 emptied it
 */
export async function finishMove(
  ledger: AnchoredLedger,
  move: AnchorMove,
  from: AnchorStore,
  run: Pick<MoveRun, 'random'>,
  confirmLost: () => Promise<void>,
): Promise<void> {
  await from.settle(run.random(NONCE_BYTES));
  const copied = ledger.entry(move.seq - 1);
  if (copied === undefined) throw movedOn(ledger, from);
  const movedBy = await from.movedBy();
  const isEmpty = movedBy === undefined && (await from.read()).length === 0;
  if (isEmpty) await confirmLost();
  else await leave(ledger, from, { entries: copied.seq, chain: copied.chain }, recordOf(ledger), run);
}

/** The old place says from now on that the ledger with this head has moved the anchor; it may say so already. */
async function leave(
  ledger: AnchoredLedger,
  from: AnchorStore,
  copied: Pick<AnchorRecord, 'entries' | 'chain'>,
  next: AnchorRecord,
  { random }: Pick<MoveRun, 'random'>,
): Promise<void> {
  const movedBy = await from.movedBy();
  if (movedBy !== undefined && equalBytes(movedBy.chain, next.chain)) return;
  const known = await from.read();
  if (
    movedBy !== undefined ||
    !isNewest(known, copied) ||
    !(await from.replace({ known, next, moved: true, nonce: random(NONCE_BYTES) }))
  )
    throw movedOn(ledger, from);
}

async function write(
  ledger: AnchoredLedger,
  to: AnchorStore,
  known: readonly AnchorRecord[],
  next: AnchorRecord,
  { random }: Pick<MoveRun, 'random'>,
): Promise<void> {
  if (await to.replace({ known, next, nonce: random(NONCE_BYTES) })) return;
  throw new VtlicError('ledger_rolled_back', `${to.description} was changed while the anchor was being moved there`, {
    file: ledger.path,
    hint: 'find out which copy of this ledger is in use, or move the anchor to another place',
  });
}

/** True if the place contains this record, and nothing newer or of another history. */
function isNewest(
  records: readonly AnchorRecord[],
  { entries, chain }: Pick<AnchorRecord, 'entries' | 'chain'>,
): boolean {
  return (
    records.some((record) => equalBytes(record.chain, chain)) &&
    records.every((record) => record.entries < entries || equalBytes(record.chain, chain))
  );
}

function movedOn(ledger: AnchoredLedger, from: AnchorStore): VtlicError {
  return new VtlicError(
    'ledger_rolled_back',
    `${from.description} was changed while it was being moved: another copy of this ledger is in use, or ` +
      'somebody changed the anchor; the old place was left as it is',
    {
      file: ledger.path,
      hint:
        'find the other copy; the right copy is the one with which the anchor in the old place agrees: put it ' +
        'here, and move its anchor; if it is lost: vtlic ledger restore --anchor OLD-PLACE',
    },
  );
}

function recordOf(ledger: AnchoredLedger): AnchorRecord {
  return Object.freeze({ ledgerId: ledger.genesis.ledgerId, ...ledger.head() });
}
