/**
 * The anchor comes to lie in another place: a typed act, in the record for ever.
 *
 * There is never a ledger that no anchor vouches for, and in the end none is left in the old place: it would vouch for an old copy.
 */
import type { AnchorPlace, AnchorRecord, AnchorStore } from '../ledger/record/anchor.ts';
import { compareAnchor } from '../ledger/anchor/anchor-compare.ts';
import type { Ledger } from '../ledger/record/ledger.ts';
import type { World } from '../world.ts';

/**
 * @throws VtlicError where the new place cannot hold it (from its store), `ledger_rolled_back` where it holds the anchor of another
 *   ledger, or of one that is newer than this
 */
export async function requireFreePlace(ledger: Ledger, to: AnchorStore): Promise<void> {
  const records = await to.read();
  // One of this very ledger is what a move leaves that was cut short before its entry.
  if (records.length > 0) compareAnchor(ledger, records, to);
}

/** The ledger is good for closing alone when this returns: it still holds the old place for the anchor's. */
export async function moveAnchor(ledger: Ledger, from: AnchorStore, to: AnchorStore, place: AnchorPlace, world: Pick<World, 'step' | 'operator'>): Promise<AnchorRecord> {
  await ledger.anchor();
  await to.write(recordOf(ledger));
  await world.step('anchor-copied');
  ledger.adopt({ act: 'anchor', anchor: place, operator: world.operator });
  await world.step('anchor-adopted');
  await from.remove();
  await world.step('anchor-removed');
  const record = recordOf(ledger);
  await to.write(record);
  await world.step('anchor-moved');
  return record;
}

function recordOf(ledger: Ledger): AnchorRecord {
  return Object.freeze({ ledgerId: ledger.genesis.ledgerId, ...ledger.head() });
}
