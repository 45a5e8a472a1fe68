/**
 * The anchor comes to lie in another place: a typed act, in the record for ever.
 *
 * There is never a ledger that no anchor vouches for, and in the end none is left in the old place: it would vouch for an old copy.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchorPlace, AnchorRecord, AnchorStore } from '../ledger/record/anchor.ts';
import { compareAnchor } from '../ledger/anchor/anchor-compare.ts';
import type { AnchorMove } from '../ledger/anchor/anchor-move.ts';
import type { Ledger } from '../ledger/record/ledger.ts';
import type { Runtime } from '../runtime.ts';

/**
 * @throws VtlicError where the new place cannot hold it (from its store), `ledger_rolled_back` where it holds the anchor of another
 *   ledger, or of one that is newer than this
 */
export async function requireFreePlace(ledger: Ledger, to: AnchorStore): Promise<void> {
  const records = await to.read();
  // One of this very ledger is what a move leaves that was cut short before its entry.
  if (records.length > 0) compareAnchor(ledger, records, to);
}

/**
 * The ledger is good for closing alone when this returns: it still holds the old place for the anchor's.
 *
 * @throws VtlicError `ledger_rolled_back` where either place was changed since the prompt was shown, which may have stood open for hours
 */
export async function moveAnchor(
  ledger: Ledger,
  from: AnchorStore,
  to: AnchorStore,
  place: AnchorPlace,
  world: Pick<Runtime, 'step' | 'operator'>,
): Promise<AnchorRecord> {
  await ledger.requireAnchor();
  await ledger.anchor();
  await requireFreePlace(ledger, to);
  const copied = recordOf(ledger);
  await to.write(copied);
  await world.step('anchor-copied');
  ledger.adopt({ act: 'anchor', anchor: place, operator: world.operator });
  await world.step('anchor-adopted');
  if (!standsAt(await from.read(), copied)) throw movedOn(ledger, from);
  await from.remove();
  await world.step('anchor-removed');
  const record = recordOf(ledger);
  await to.write(record);
  await world.step('anchor-moved');
  return record;
}

/** Empties the old place of a move that was cut short after its entry. */
export async function finishMove(ledger: Ledger, move: AnchorMove, from: AnchorStore): Promise<void> {
  const copied = ledger.entry(move.seq - 1);
  const records = await from.read();
  // Nothing is there where the move was cut short after this.
  if (copied === undefined || (records.length > 0 && !standsAt(records, { entries: copied.seq, chain: copied.chain })))
    throw movedOn(ledger, from);
  await from.remove();
}

/** Nothing newer is there, and no other history. */
function standsAt(
  records: readonly AnchorRecord[],
  { entries, chain }: Pick<AnchorRecord, 'entries' | 'chain'>,
): boolean {
  return (
    records.some((record) => equalBytes(record.chain, chain)) &&
    records.every((record) => record.entries < entries || equalBytes(record.chain, chain))
  );
}

function movedOn(ledger: Ledger, from: AnchorStore): VtlicError {
  return new VtlicError(
    'ledger_rolled_back',
    `${from.description} was changed while it was being moved: another copy of this ledger is in use, or somebody changed the anchor; the old place was left as it is`,
    {
      file: ledger.path,
      hint: 'find the other copy; the one that the anchor in the old place agrees with is the ledger: put that one here, and move its anchor',
    },
  );
}

function recordOf(ledger: Ledger): AnchorRecord {
  return Object.freeze({ ledgerId: ledger.genesis.ledgerId, ...ledger.head() });
}
