/**
 * Moves the anchor to another place, which an administrative entry records.
 *
 * At every step some anchor covers the ledger. In the end none is left in the old place, where it would accept an old
 * copy of the ledger.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchoredLedger, AnchoringLedger, AnchorMove, AnchorPlace, AnchorRecord, AnchorStore } from './anchor.ts';
import { compareAnchor } from './compare-anchor.ts';

/** What a move needs of the run that makes it. */
export interface MoveRun {
  readonly operator: string;
  /** Called after each step has taken effect. */
  readonly step: (step: 'anchor-copied' | 'anchor-adopted' | 'anchor-removed' | 'anchor-moved') => Promise<void>;
}

/**
 * @throws VtlicError where the new place cannot hold it (from its store), `ledger_rolled_back` where it holds the
 *   anchor of another
 *   ledger, or of one that is newer than this
 */
export async function requireFreePlace(ledger: AnchoredLedger, to: AnchorStore): Promise<void> {
  const records = await to.read();
  // A move that was interrupted before its entry leaves an anchor of this very ledger.
  if (records.length > 0) compareAnchor(ledger, records, to);
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
  await ledger.requireAnchor();
  await ledger.anchor();
  await requireFreePlace(ledger, to);
  const copied = recordOf(ledger);
  await to.write(copied);
  await run.step('anchor-copied');
  ledger.adopt({ act: 'anchor', anchor: place, operator: run.operator });
  await run.step('anchor-adopted');
  if (!isNewest(await from.read(), copied)) throw movedOn(ledger, from);
  await from.remove();
  await run.step('anchor-removed');
  const record = recordOf(ledger);
  await to.write(record);
  await run.step('anchor-moved');
  return record;
}

/** Empties the old place after a move that was interrupted after its entry. */
export async function finishMove(ledger: AnchoredLedger, move: AnchorMove, from: AnchorStore): Promise<void> {
  const copied = ledger.entry(move.seq - 1);
  const records = await from.read();
  // The place is empty if the move was interrupted after this point.
  if (copied === undefined || (records.length > 0 && !isNewest(records, { entries: copied.seq, chain: copied.chain })))
    throw movedOn(ledger, from);
  await from.remove();
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
        'find the other copy; the one that the anchor in the old place agrees with is the ledger: put that ' +
        'one here, and move its anchor',
    },
  );
}

function recordOf(ledger: AnchoredLedger): AnchorRecord {
  return Object.freeze({ ledgerId: ledger.genesis.ledgerId, ...ledger.head() });
}
